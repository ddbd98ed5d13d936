//! The way to the journal.
//!
//! `tracing-journald` does the same for a log, but its `send` blocks whoever logs, and the runtime has
//! one thread: a journal that is stopped while its queue is full would hang the daemon. So the daemon
//! only makes entries, and a thread of its own sends them.

use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::time::Duration;

use rustix::fs::fstat;

/// Where the journal listens, on every machine that has one.
const SOCKET: &str = "/run/systemd/journal/socket";

/// Whether this system has one.
pub(crate) const IS_HERE: bool = true;

/// Whether stderr goes to the journal: `JOURNAL_STREAM` names its device and inode. (A unit may send
/// it elsewhere, and a child may inherit the variable with another stderr.)
pub(crate) fn is_stderr() -> bool {
    let Ok(stream) = std::env::var("JOURNAL_STREAM") else { return false };
    fstat(io::stderr()).is_ok_and(|stderr| stream == format!("{}:{}", stderr.st_dev, stderr.st_ino))
}

/// The way to the journal. It need not be there: each entry finds it anew, after its restarts too.
#[derive(Debug)]
pub(crate) struct Journal {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Journal {
    /// The way to the machine's own. `within`: how long an entry may wait for room in its queue.
    ///
    /// # Errors
    /// If the process has no file descriptor left.
    pub(crate) fn open(within: Option<Duration>) -> io::Result<Self> {
        Self::at(PathBuf::from(SOCKET), within)
    }

    /// The way to one that listens there.
    pub(crate) fn at(path: PathBuf, within: Option<Duration>) -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        socket.set_write_timeout(within)?;
        Ok(Self { socket, path })
    }

    /// Sends an entry.
    ///
    /// # Errors
    /// If the journal is not there, or had no room for it in time.
    pub(crate) fn send(&self, entry: &[u8]) -> io::Result<()> {
        self.socket.send_to(entry, &self.path).map(drop)
    }
}
