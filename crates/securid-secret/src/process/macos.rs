//! What macOS lets be done without `unsafe`, and for the programs that this one runs.

use rustix::process::{Resource, Rlimit, setrlimit};

/// The kernel writes no core dump of this process from now on, nor of programs that it runs. Who may look into its memory is the
/// system's to say: no program that was not signed for it may without root's rights, if this one is signed and hardened.
pub fn shut_others_out() {
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
}
