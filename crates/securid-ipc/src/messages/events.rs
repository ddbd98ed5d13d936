//! What a connection that has subscribed is told, until it closes.

use serde::{Deserialize, Serialize};

use super::views::{HistoryItem, SessionView};

/// A notification's `params`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Event {
    /// The number of this event on its connection: from 1 on, without gaps.
    pub seq: u64,
    /// What it tells.
    #[serde(flatten)]
    pub news: News,
}

/// What an event tells. States, not steps: of each session its latest state always comes, and what was in between
/// may be left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum News {
    /// A session that is not ended, as `session.list` shows it now: each that there is, when the subscription
    /// begins, and later each of which anything has changed.
    Session {
        /// The session.
        session: Box<SessionView>,
    },
    /// A session has ended, and is not told of any more.
    Ended {
        /// The session, as the history has it.
        session: Box<HistoryItem>,
    },
    /// Every session that there was when the subscription began has been told, or has ended.
    Ready,
    /// So many sessions have ended that nobody can tell you of any more. All that there are follow anew, and
    /// `ready`: whatever is not among them, and not told of as ended, has ended.
    Missed {
        /// How many.
        ends: u64,
    },
    /// What only a newer daemon tells.
    #[serde(other)]
    #[cfg_attr(feature = "schema", schemars(skip))]
    Other,
}
