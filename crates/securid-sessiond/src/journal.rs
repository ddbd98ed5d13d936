//! systemd's journal, spoken to in its own protocol: a datagram an entry, each field by its name.
//!
//! `tracing-journald` does the same for a log, but its `send` blocks whoever logs, and the runtime has
//! one thread: a journal that is stopped while its queue is full would hang the daemon. So the daemon
//! only makes entries, and a thread of its own sends them.

use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::time::Duration;

use rustix::fs::fstat;
use tracing::Level;

/// Where the journal listens, on every machine that has one.
const SOCKET: &str = "/run/systemd/journal/socket";

/// What our entries are found by: `journalctl -t securid-sessiond`.
const IDENTIFIER: &str = "securid-sessiond";

/// Whether stderr goes to the journal: `JOURNAL_STREAM` names its device and inode. (A unit may send
/// it elsewhere, and a child may inherit the variable with another stderr.)
pub(crate) fn is_stderr() -> bool {
    let Ok(stream) = std::env::var("JOURNAL_STREAM") else { return false };
    fstat(io::stderr()).is_ok_and(|stderr| stream == format!("{}:{}", stderr.st_dev, stderr.st_ino))
}

/// How urgent an entry is, in syslog's numbers.
fn priority(level: Level) -> u8 {
    match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        // Not 5 ("notice"), which some desktops show in bold.
        Level::INFO => 6,
        Level::DEBUG | Level::TRACE => 7,
    }
}

/// One entry, as it is sent.
#[derive(Debug)]
pub(crate) struct Entry(Vec<u8>);

impl Entry {
    /// An entry of that urgency.
    pub(crate) fn new(level: Level, message: &str) -> Self {
        let mut entry = Self(Vec::with_capacity(256));
        entry.add("MESSAGE", message);
        entry.add("PRIORITY", &priority(level).to_string());
        entry.add("SYSLOG_IDENTIFIER", IDENTIFIER);
        entry
    }

    /// Adds a field of ours: `session` becomes `SECURID_SESSION`.
    pub(crate) fn add_ours(&mut self, name: &str, value: &str) {
        let mut ours = String::from("SECURID_");
        for letter in name.chars() {
            let upper = letter.to_ascii_uppercase();
            // Nothing else may stand in a field's name.
            ours.push(if upper.is_ascii_alphanumeric() { upper } else { '_' });
        }
        self.add(&ours, value);
    }

    fn add(&mut self, name: &str, value: &str) {
        self.0.extend_from_slice(name.as_bytes());
        if value.contains('\n') {
            // A value of several lines is preceded by its length.
            self.0.push(b'\n');
            self.0.extend_from_slice(&(value.len() as u64).to_le_bytes());
        } else {
            self.0.push(b'=');
        }
        self.0.extend_from_slice(value.as_bytes());
        self.0.push(b'\n');
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
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
