//! Which store the daemon may use here.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};
use std::{env, fs, io, thread};

use serde_json::Value;
use tempfile::TempDir;

use crate::linux::daemon::{Daemon, LOOK};
use crate::linux::surroundings::{Surroundings, private_folder};
use crate::linux::trouble::Trouble;

/// How long the daemon may take to find that the kernel's keyring serves: that is two system calls.
const SEEN_WITHIN: Duration = Duration::from_secs(2);

/// Memory that looks like a folder, on most Linux machines.
const MEMORY: &str = "/dev/shm";

/// Whether the kernel's keyring can be used, by the word of a daemon that is started for this alone.
pub(crate) fn kernel_serves(surroundings: &Surroundings) -> Result<bool, Trouble> {
    let daemon = Daemon::start(surroundings)?;
    let deadline = Instant::now() + SEEN_WITHIN;
    let mut serves = false;
    while !serves && Instant::now() < deadline {
        thread::sleep(LOOK);
        let mut status = surroundings.command("securid-ctl")?;
        let status = status.args(["status", "--json"]).stdout(Stdio::piped());
        let answer = status.output()?.stdout;
        let status: Value = serde_json::from_slice(&answer).unwrap_or_default();
        serves = status["keyring"]["state"] == "ready";
    }
    daemon.stop()?;
    Ok(serves)
}

/// A folder for the store of the demo and the tests, in memory if that can be had; whether it is.
pub(crate) fn test_store() -> io::Result<(TempDir, bool)> {
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    // "tmpfs /dev/shm tmpfs rw,nosuid 0 0"
    let in_memory = mounts.lines().any(|mount| {
        mount.split(' ').nth(1) == Some(MEMORY) && mount.split(' ').nth(2) == Some("tmpfs")
    });
    if in_memory && let Ok(folder) = private_folder(Path::new(MEMORY)) {
        return Ok((folder, true));
    }
    Ok((private_folder(&env::temp_dir())?, false))
}
