//! Processes as the kernel counts them: memory, threads, wakeups.

use std::fs;

/// What a process and its children have.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Use {
    /// Its share of the memory that it has mapped, in kB.
    pub(crate) pss: f64,
    /// What it has written to and nobody shares, in kB.
    pub(crate) dirty: f64,
    /// Its threads.
    pub(crate) threads: f64,
}

/// What a process and its children have now; none where the kernel does not tell us.
pub(crate) fn used(pid: u32) -> Option<Use> {
    family(pid).into_iter().try_fold(Use::default(), |sum, pid| {
        let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
        Some(Use {
            pss: sum.pss + field(&rollup, "Pss:")?,
            dirty: sum.dirty + field(&rollup, "Private_Dirty:")?,
            threads: sum.threads + tasks(pid).len() as f64,
        })
    })
}

/// How often its threads, and those of its children, have been switched away from so far: each wakeup is one.
pub(crate) fn switches(pid: u32) -> u64 {
    let statuses = family(pid).into_iter().flat_map(|pid| {
        let paths =
            tasks(pid).into_iter().map(move |task| format!("/proc/{pid}/task/{task}/status"));
        paths.filter_map(|path| fs::read_to_string(path).ok())
    });
    let kinds = ["voluntary_ctxt_switches:", "nonvoluntary_ctxt_switches:"];
    statuses
        .map(|status| kinds.iter().filter_map(|kind| field(&status, kind)).sum::<f64>() as u64)
        .sum()
}

/// A process and its children: oidc-agent is two.
fn family(pid: u32) -> Vec<u32> {
    let children = tasks(pid)
        .into_iter()
        .filter_map(|task| fs::read_to_string(format!("/proc/{pid}/task/{task}/children")).ok());
    let numbers: Vec<u32> = children
        .flat_map(|line| line.split_whitespace().map(str::parse).collect::<Vec<_>>())
        .flatten()
        .collect();
    [vec![pid], numbers].concat()
}

fn tasks(pid: u32) -> Vec<u32> {
    let names = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    names.filter_map(|task| task.file_name().to_str()?.parse().ok()).collect()
}

fn field(text: &str, name: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}
