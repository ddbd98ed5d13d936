//! By `setrlimit`.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Has the kernel write no core dump.
pub(crate) fn no_core_dumps() {
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
}

/// Lets the process have as many descriptors as it may. The usual soft limit of 1024 is there for programs that call
/// `select`, which nothing here does; with a thousand sessions to revoke at several servers it could be
/// reached. A limit that cannot be raised is lived with.
pub(crate) fn raise_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

/// How many descriptors it may have.
pub(crate) fn descriptors() -> u64 {
    // None: without a limit.
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}
