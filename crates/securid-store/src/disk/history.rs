//! The list of ended sessions: `history.jsonl` in the state folder, a line of JSON for each.
//!
//! Lines are added at the end, and the oldest go when there are too many of them or they are too old.
//! Whoever writes is one ([`History`], on the disk's thread); whoever reads ([`HistoryReader`]) does so beside it,
//! from the end, and holds no more than a page: a file that is replaced meanwhile stays as it was for him.
//!
//! - `writing`: adding lines, each session once
//! - `trimming`: what goes, and how the file is written anew without it
//! - `reading`: pages, and sessions by their names
//! - `backwards`: the lines from the last to the first
//! - `since`: since when none has gone, in a file of its own
//! - `gaps`: what is not there any more

mod backwards;
mod gaps;
mod reading;
mod since;
mod trimming;
mod writing;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use securid_session::{Ending, Outcome, Record, Stage};
use serde::{Deserialize, Serialize};

use super::document::timestamp;

pub use gaps::Gaps;
pub use reading::{HistoryReader, Mark, Page, Wanted};
pub use writing::History;

/// The longest line, in bytes, that is taken for one. Ours have some 500; a user name and the server's words have
/// bounds of their own.
const LONGEST_LINE: usize = 64 * 1024;

/// How much of the file's beginning is looked at for the time of its first lines: a hundred of them, because a clock
/// may have been wrong, and one may be damaged.
const BEGINNING: u64 = 64 * 1024;

/// The file's name.
const FILE: &str = "history.jsonl";

/// One ended session; the fields are those of `history --json`. Versions only add fields, and those that an older one
/// did not write may be missing.
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
    /// The kind of store that held the token; `None` in lines of older versions.
    #[serde(default)]
    pub keyring: Option<String>,
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
            keyring: Some(record.about.keyring.clone()),
            created_at: timestamp(record.created.unix),
            requested_at: timestamp(requested.unix),
            ended_at: timestamp(ended.unix),
            reason: reason.map(|r| r.name().to_owned()),
            outcome: outcome.name().to_owned(),
            attempts: *attempts,
            evidence: evidence.clone(),
        })
    }

    /// Whether the server itself has said that the token is dead. An outcome that is not known here confirms nothing.
    #[must_use]
    pub fn is_confirmed(&self) -> bool {
        [Outcome::Revoked, Outcome::AlreadyInvalid].map(Outcome::name).contains(&&*self.outcome)
    }
}

/// Where the history of this state folder is.
fn path(state_dir: &Path) -> PathBuf {
    state_dir.join(FILE)
}

/// The line in these bytes, if they are one.
fn line_of(bytes: &[u8]) -> Option<HistoryLine> {
    serde_json::from_slice(bytes).ok()
}
