//! How much memory a process has to itself.

use std::fs;

/// What only this process has and no file backs, in KiB: its heap and stacks, as they are in memory at this
/// moment. (Its private dirty pages are as many, but those of a program that was built just now count with
/// them until the disk has it.) Where the system does not tell us (a daemon that is not dumpable, and we are not root), a
/// coarser figure of the same.
///
/// # Panics
/// If there is no such process.
#[must_use]
pub fn private_kib(pid: u32) -> usize {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"));
    rollup.ok().and_then(|text| field(&text, "Anonymous:")).unwrap_or_else(|| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
        field(&status, "RssAnon:").expect("the kernel counts it")
    })
}

fn field(text: &str, name: &str) -> Option<usize> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}
