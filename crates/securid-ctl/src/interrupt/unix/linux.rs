//! What `/proc` says of this process and its signals.

use std::fs;

/// Whether this process is in the group of its session's leader. Both have no number (0) where they are outside of
/// a container, as for who comes in by `nsenter`; so they are not asked for by `getsid`, whose answer is no process
/// then.
pub(super) fn is_with_the_leader() -> bool {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Behind the name, which is in brackets and may hold any character: state, parent, group and session.
    let mut fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().skip(2);
    let group = fields.next();
    group.is_some() && group == fields.next()
}

/// The set of signals that this process ignores, bit 0 for signal 1; empty where it is unknown.
pub(super) fn ignored_signals() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}
