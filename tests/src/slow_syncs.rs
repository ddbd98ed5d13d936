//! A disk whose syncs take long, as one that is failing or far away has them.

use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;

use crate::patience::{PATIENCE, eventually};
use crate::process::Process;

/// Holds up every `fsync` of a process as long as this lives.
#[derive(Debug)]
pub struct SlowSyncs(Process);

impl SlowSyncs {
    /// Delays those of this process by so much each.
    #[must_use]
    pub fn of(pid: u32, delay: Duration) -> Self {
        let mut command = Command::new("strace");
        command.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync", "-e"]);
        command.arg(format!("inject=fsync:delay_enter={}", delay.as_micros()));
        command.args(["-p", &pid.to_string()]);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let tracer = Process::start(command);
        // Every thread is traced once the kernel says so of the last.
        eventually("strace to hold on to every thread", || {
            let mut tasks = std::fs::read_dir(format!("/proc/{pid}/task")).ok()?.flatten();
            let traced = |task: std::fs::DirEntry| {
                let status =
                    std::fs::read_to_string(task.path().join("status")).unwrap_or_default();
                status.contains(&format!("TracerPid:\t{}\n", tracer.pid()))
            };
            tasks.all(traced).then_some(())
        });
        Self(tracer)
    }
}

impl Drop for SlowSyncs {
    fn drop(&mut self) {
        // It lets go of what it traces; killed, it might leave a thread stopped.
        self.0.signal(Signal::TERM);
        let _ = self.0.wait(PATIENCE);
    }
}
