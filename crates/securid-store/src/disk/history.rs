//! The list of ended sessions, a line of JSON for each.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use securid_session::{Ending, Record, SessionId, Stage};
use serde::{Deserialize, Serialize};

use super::document::timestamp;
use super::error::DiskError;
use crate::files;

/// One ended session; the fields are those of `history --json`, and `generation`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryLine {
    /// The session.
    pub id: String,
    /// Which of its tokens it was.
    pub generation: u64,
    /// The name that the config gave the server then.
    pub instance: String,
    /// The endpoint.
    pub url: String,
    /// Whose session it was, where that is known.
    pub username: Option<String>,
    /// When it was taken in.
    pub created_at: Timestamp,
    /// When its end was asked for.
    pub requested_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// Why it was revoked; `None` if a person gave it up before anything had asked for its end.
    pub reason: Option<String>,
    /// By whose word it ended.
    pub outcome: String,
    /// How many attempts it took.
    pub attempts: u32,
    /// What the server said.
    pub evidence: String,
}

impl HistoryLine {
    /// What the history says about this session; `None` as long as it has not ended.
    #[must_use]
    pub fn of(record: &Record) -> Option<Self> {
        let Stage::Ended(Ending { reason, requested, ended, attempts, outcome, evidence }) =
            &record.stage
        else {
            return None;
        };
        Some(Self {
            id: record.key.id.to_string(),
            generation: record.key.generation.0,
            instance: record.about.instance.clone(),
            url: record.about.origin.url.clone(),
            username: record.about.username.clone(),
            created_at: timestamp(record.created.unix),
            requested_at: timestamp(requested.unix),
            ended_at: timestamp(ended.unix),
            reason: reason.map(|r| r.name().to_owned()),
            outcome: outcome.name().to_owned(),
            attempts: *attempts,
            evidence: evidence.clone(),
        })
    }
}

/// What was read of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// The ended sessions, those that were written last first.
    pub lines: Vec<HistoryLine>,
    /// How many lines could not be read. They stay in the file.
    pub damaged: usize,
}

/// The file `history.jsonl` in the state folder. Lines are only ever added.
///
/// A session is written here before its record is removed, so a crash between the two writes it once
/// more at the next start. Reading therefore gives each token (id and generation) once.
#[derive(Debug)]
pub struct History {
    path: PathBuf,
    /// Whether the file's own name is known to survive a power cut. Not so at first: an earlier
    /// daemon may have died, or failed, between making the file and syncing its folder.
    name_is_durable: AtomicBool,
}

impl History {
    /// The history in this state folder, which has to be there; the file is made when it is needed.
    #[must_use]
    pub fn open(state_dir: &Path) -> Self {
        let path = state_dir.join("history.jsonl");
        Self { path, name_is_durable: AtomicBool::new(false) }
    }

    /// Adds lines, so that they survive a power cut: all of them, or (as far as the disk allows) none.
    ///
    /// # Errors
    /// If they may not be there.
    pub fn append_batch(&self, lines: &[HistoryLine]) -> Result<(), DiskError> {
        self.try_append(lines).map_err(|e| DiskError::new("write", &self.path, &e))
    }

    /// Reads all of it.
    ///
    /// # Errors
    /// If the file is there and cannot be read.
    pub fn read(&self) -> Result<Past, DiskError> {
        let mut past = Past { lines: Vec::new(), damaged: 0 };
        self.each_line(|line| match line {
            Some(line) => past.lines.push(line),
            None => past.damaged += 1,
        })?;
        past.lines.reverse();
        let mut seen = HashSet::new();
        past.lines.retain(|line| seen.insert((line.id.clone(), line.generation)));
        Ok(past)
    }

    /// Whether a session of this name has ended.
    ///
    /// # Errors
    /// If the file is there and cannot be read.
    pub fn contains(&self, id: &SessionId) -> Result<bool, DiskError> {
        let mut found = false;
        self.each_line(|line| found |= line.is_some_and(|line| line.id == id.as_str()))?;
        Ok(found)
    }

    fn try_append(&self, lines: &[HistoryLine]) -> io::Result<()> {
        if !self.path.try_exists()? {
            self.name_is_durable.store(false, Ordering::Relaxed);
        }
        let mut text = Vec::new();
        for line in lines {
            serde_json::to_writer(&mut text, line)?;
            text.push(b'\n');
        }
        files::append(&self.path, &text, true, "history")?;
        if !self.name_is_durable.load(Ordering::Relaxed)
            && let Some(folder) = self.path.parent()
        {
            files::sync_folder(folder, "history").map_err(io::Error::other)?;
            self.name_is_durable.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Gives each line in the file's order, `None` for one that cannot be read.
    fn each_line(&self, mut give: impl FnMut(Option<HistoryLine>)) -> Result<(), DiskError> {
        let failed = |e: io::Error| DiskError::new("read", &self.path, &e);
        let file = match File::open(&self.path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
            other => other.map_err(failed)?,
        };
        for line in BufReader::new(file).split(b'\n') {
            let line = line.map_err(failed)?;
            if !line.is_empty() {
                give(serde_json::from_slice(&line).ok());
            }
        }
        Ok(())
    }
}
