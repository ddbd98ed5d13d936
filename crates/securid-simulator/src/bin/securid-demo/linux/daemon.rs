//! The daemon's process.

use std::os::unix::net::UnixStream;
use std::process::{Child, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::linux::surroundings::{SOCKET, Surroundings};
use crate::linux::trouble::Trouble;

/// For a start, on a slow machine and under load: it takes some 20 ms otherwise.
const READY_WITHIN: Duration = Duration::from_secs(10);

/// For an end: the config's `shutdown_grace` of 5 s, and as much again.
pub(crate) const GONE_WITHIN: Duration = Duration::from_secs(10);

/// Between two looks at a process or a socket.
pub(crate) const LOOK: Duration = Duration::from_millis(10);

/// A daemon that was started, and may have ended since. It is killed when this is dropped.
pub(crate) struct Daemon(Child);

impl Daemon {
    /// Starts it, and waits until it listens.
    pub(crate) fn start(surroundings: &Surroundings) -> Result<Self, Trouble> {
        let mut daemon = Self(surroundings.command("securid-sessiond")?.spawn()?);
        let socket = surroundings.path(SOCKET);
        let deadline = Instant::now() + READY_WITHIN;
        while UnixStream::connect(&socket).is_err() {
            if let Some(status) = daemon.0.try_wait()? {
                let log = surroundings.log_end();
                return Err(Trouble::Daemon(format!("did not start ({status}):\n{log}")));
            }
            if Instant::now() > deadline {
                return Err(Trouble::Daemon(format!("does not listen after {READY_WITHIN:?}")));
            }
            thread::sleep(LOOK);
        }
        Ok(daemon)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Waits until it has ended, for whatever reason, at most `GONE_WITHIN`.
    pub(crate) fn wait(&mut self) -> Result<ExitStatus, Trouble> {
        let deadline = Instant::now() + GONE_WITHIN;
        loop {
            if let Some(status) = self.0.try_wait()? {
                return Ok(status);
            }
            if Instant::now() > deadline {
                return Err(Trouble::Daemon(format!("still runs after {GONE_WITHIN:?}")));
            }
            thread::sleep(LOOK);
        }
    }

    /// Asks it to revoke everything and end, and waits for that.
    pub(crate) fn stop(mut self) -> Result<(), Trouble> {
        // Unreaped until `wait`, so the pid is nobody else's.
        kill_process(Pid::from_child(&self.0), Signal::TERM).map_err(std::io::Error::from)?;
        self.wait().map(drop)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Both do nothing where it has ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
