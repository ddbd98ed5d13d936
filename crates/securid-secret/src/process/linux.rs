//! A process that may not be dumped may not be looked into either.

/// No other process of this user may read or trace this one from now on (what is in `/proc` is root's), and
/// the kernel writes no core dump of it, nor hands one to a handler. Programs that it runs are as they would
/// be without. Root still may. A kernel or sandbox that refuses leaves all as it is.
pub fn shut_others_out() {
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}
