//! A disk that takes its time, as one that is failing or far away does.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;

use crate::patience::{PATIENCE, eventually};
use crate::process::Process;

/// Holds up calls of a process to its disk as long as this lives.
#[derive(Debug)]
pub struct SlowDisk(Process);

impl SlowDisk {
    /// Delays each `fsync` of this process by so much.
    #[must_use]
    pub fn syncing(pid: u32, delay: Duration) -> Self {
        Self::of_all_threads(pid, trace(pid, "fsync", &["-f"], delay))
    }

    /// Delays each opening of this file by this process.
    ///
    /// # Panics
    /// If its path is no text.
    #[must_use]
    pub fn opening(file: &Path, pid: u32, delay: Duration) -> Self {
        let file = file.to_str().expect("it is text");
        Self::of_all_threads(pid, trace(pid, "openat", &["-f", "-P", file], delay))
    }

    /// Every thread is traced once the kernel says so of the last.
    fn of_all_threads(pid: u32, tracer: Process) -> Self {
        eventually("strace to hold on to every thread", || {
            tasks(pid).iter().all(|task| is_traced(task, tracer.pid())).then_some(())
        });
        Self(tracer)
    }

    /// Delays each `fsync` of one thread of this process alone; none if there is no thread of this name, or it went
    /// before strace held on to it.
    ///
    /// # Panics
    /// If strace does nothing.
    #[must_use]
    pub fn syncing_of_thread(pid: u32, name: &str, delay: Duration) -> Option<Self> {
        let is_it = |task: &PathBuf| {
            fs::read_to_string(task.join("comm")).is_ok_and(|comm| comm.trim_end() == name)
        };
        let task = tasks(pid).into_iter().find(is_it)?;
        let number = task.file_name().expect("it has one").to_string_lossy();
        let mut tracer = trace(number.parse().expect("it is a number"), "fsync", &[], delay);
        let held = eventually("strace to hold on to it", || {
            let held = is_traced(&task, tracer.pid());
            (held || tracer.ended().is_some()).then_some(held)
        });
        held.then(|| Self(tracer))
    }
}

fn trace(pid: u32, call: &str, with: &[&str], delay: Duration) -> Process {
    let mut command = Command::new("strace");
    command.args(with).args(["-qq", "-o", "/dev/null", "-e", &format!("trace={call}"), "-e"]);
    command.arg(format!("inject={call}:delay_enter={}", delay.as_micros()));
    command.args(["-p", &pid.to_string()]);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    Process::start(command)
}

fn tasks(pid: u32) -> Vec<PathBuf> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    tasks.map(|task| task.path()).collect()
}

fn is_traced(task: &Path, tracer: u32) -> bool {
    let status = fs::read_to_string(task.join("status")).unwrap_or_default();
    status.contains(&format!("TracerPid:\t{tracer}\n"))
}

impl Drop for SlowDisk {
    fn drop(&mut self) {
        // It lets go of what it traces; killed, it might leave a thread stopped.
        self.0.signal(Signal::TERM);
        let _ = self.0.wait(PATIENCE);
    }
}
