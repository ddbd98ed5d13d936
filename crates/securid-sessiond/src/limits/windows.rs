//! Windows bounds handles by memory alone, and dumps go where the machine's settings have them go.

/// What can be done about dumps, `securid_secret::shut_others_out` does.
pub(crate) fn no_core_dumps() {}

/// There is no limit to be raised.
pub(crate) fn raise_descriptors() {}

/// A process may have some 16 million handles, and runs out of memory before.
pub(crate) fn descriptors() -> u64 {
    u64::MAX
}
