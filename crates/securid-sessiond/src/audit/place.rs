//! Where lines of the audit go.

use std::io;
use std::time::Duration;

use super::file::AuditFile;
use super::line::Line;
use crate::config::AuditTarget;
use crate::journal::Journal;

/// How long an entry waits for room in the journal's queue: a journal that runs takes it at once.
const ROOM_WITHIN: Duration = Duration::from_secs(1);

pub(super) enum Place {
    File(AuditFile),
    Journal,
}

impl Place {
    /// None where nothing is audited.
    pub(super) fn of(target: &AuditTarget) -> Option<Self> {
        match target {
            AuditTarget::None => None,
            AuditTarget::Journal => Some(Self::Journal),
            AuditTarget::File(path) => Some(Self::File(AuditFile::new(path.clone()))),
        }
    }

    /// Writes these lines, in order. Gives back how many of them are there as a whole, and why not
    /// all, or why they may not survive a power cut.
    pub(super) fn write(&mut self, lines: &[Line]) -> (usize, Result<(), String>) {
        match self {
            Self::File(file) => file.write(lines),
            Self::Journal => to_journal(lines),
        }
    }

    /// Whether an end was written that may not survive a power cut.
    pub(super) fn is_unsynced(&self) -> bool {
        match self {
            Self::File(file) => file.is_unsynced(),
            // When it syncs is its own affair.
            Self::Journal => false,
        }
    }
}

fn to_journal(lines: &[Line]) -> (usize, Result<(), String>) {
    let failed = |error: io::Error| {
        format!("the audit cannot be written to the journal: {error}. Look after systemd-journald.")
    };
    let journal = match Journal::open(Some(ROOM_WITHIN)) {
        Ok(journal) => journal,
        Err(error) => return (0, Err(failed(error))),
    };
    for (sent, line) in lines.iter().enumerate() {
        if let Err(error) = journal.send(&line.entry().into_bytes()) {
            return (sent, Err(failed(error)));
        }
    }
    (lines.len(), Ok(()))
}
