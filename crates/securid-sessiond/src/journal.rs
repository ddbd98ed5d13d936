//! systemd's journal, spoken to in its own protocol: a datagram an entry, each field by its name. Linux alone has
//! one.

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod linux;

use tracing::Level;

#[cfg(not(target_os = "linux"))]
pub(crate) use elsewhere::{IS_HERE, Journal};
#[cfg(target_os = "linux")]
pub(crate) use linux::{IS_HERE, Journal, is_stderr};

/// What our entries are found by: `journalctl -t securid-sessiond`.
const IDENTIFIER: &str = "securid-sessiond";

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
