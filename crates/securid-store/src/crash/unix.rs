//! What a crash leaves behind on Unix: a core file.

use rustix::process::{Resource, Rlimit, setrlimit};

/// Has none written: it would hold tokens, and a test run would leave thousands.
pub(super) fn no_core_file() {
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
}
