//! Adding to the history: each session once, and synced.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use securid_session::{Key, SessionId};

use super::reading::HistoryReader;
use super::{HistoryLine, path};
use crate::disk::error::DiskError;
use crate::files;

/// The history, for the one that writes it.
///
/// A session is written here before its record is removed, so that a crash between the two has it come once more:
/// then it is not written again.
#[derive(Debug)]
pub struct History {
    pub(super) state_dir: PathBuf,
    pub(super) path: PathBuf,
    /// Whether the file's own name is known to survive a power cut. Not so at first: an earlier
    /// daemon may have died, or failed, between making the file and syncing its folder.
    pub(super) name_is_durable: bool,
    /// How long an ended session stays.
    pub(super) keep: Option<Duration>,
    /// How many lines the file has.
    pub(super) lines: usize,
    /// With more lines than this, it is trimmed.
    pub(super) trim_beyond: usize,
    /// When the age of its lines is looked at next.
    pub(super) look_at: Timestamp,
    /// Sessions with a record that says that they have ended: an earlier daemon may have written them here.
    doubtful: HashMap<String, u64>,
    /// Sessions that stand here and have a record still, each with its generation.
    recorded: HashMap<String, u64>,
}

impl History {
    /// The history in this state folder, which has to be there; the file is made when it is needed. `keep` is how
    /// long an ended session stays in it. `ended` are those that are recorded as ended: an earlier daemon may have
    /// added them already.
    #[must_use]
    pub fn open(
        state_dir: &Path,
        keep: Option<Duration>,
        ended: impl IntoIterator<Item = Key>,
    ) -> Self {
        Self {
            state_dir: state_dir.to_owned(),
            path: path(state_dir),
            name_is_durable: false,
            keep,
            lines: 0,
            trim_beyond: super::trimming::TRIM_BEYOND,
            look_at: Timestamp::MIN,
            doubtful: ended.into_iter().map(|key| (key.id.to_string(), key.generation.0)).collect(),
            recorded: HashMap::new(),
        }
    }

    /// For reading it, from any thread.
    #[must_use]
    pub fn reader(&self) -> HistoryReader {
        HistoryReader::new(&self.path)
    }

    /// Adds lines, so that they survive a power cut: all of them, or (as far as the disk allows) none.
    ///
    /// # Errors
    /// If they may not be there.
    pub fn append_batch(&mut self, lines: &[HistoryLine]) -> Result<(), DiskError> {
        self.try_append(lines).map_err(|e| DiskError::new("write", &self.path, &e))
    }

    /// The record of this session is removed: it will not be brought again.
    pub fn removed(&mut self, id: &SessionId) {
        self.recorded.remove(id.as_str());
    }

    fn try_append(&mut self, lines: &[HistoryLine]) -> io::Result<()> {
        self.settle_doubts()?;
        let mut batch = HashSet::new();
        let mut text = Vec::new();
        for line in lines {
            let stands_here = self.recorded.get(&line.id) == Some(&line.generation);
            if !stands_here && batch.insert((line.id.clone(), line.generation)) {
                serde_json::to_writer(&mut text, line)?;
                text.push(b'\n');
            }
        }
        if batch.is_empty() {
            return Ok(());
        }
        if !self.path.try_exists()? {
            self.name_is_durable = false;
        }
        files::append(&self.path, &text, true, "history")?;
        if !self.name_is_durable {
            files::sync_folder(&self.state_dir, "history").map_err(io::Error::other)?;
            self.name_is_durable = true;
        }
        self.lines += batch.len();
        self.recorded.extend(batch);
        Ok(())
    }

    /// Finds out once which of the doubtful ones stand here.
    fn settle_doubts(&mut self) -> io::Result<()> {
        if self.doubtful.is_empty() {
            return Ok(());
        }
        let mut open = self.doubtful.clone();
        self.reader().each_from_the_end(|line| {
            if open.get(&line.id) == Some(&line.generation) {
                open.remove(&line.id);
            }
            !open.is_empty()
        })?;
        let doubtful = std::mem::take(&mut self.doubtful);
        self.recorded.extend(doubtful.into_iter().filter(|(id, _)| !open.contains_key(id)));
        Ok(())
    }
}
