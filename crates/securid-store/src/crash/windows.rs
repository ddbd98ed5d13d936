//! What a crash leaves behind on Windows: nothing, unless error reporting is told to keep dumps.

/// There is none.
pub(super) fn no_core_file() {}
