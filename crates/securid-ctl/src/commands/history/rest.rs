//! What whoever takes the history for proof has to know besides.

use jiff::Timestamp;
use securid_ipc::messages::{SessionState, SessionView, Time};
use serde::Serialize;

/// What is not among the ended sessions; the names are those of `history --json`.
#[derive(Debug, Default, Serialize)]
pub(super) struct Rest {
    /// With `--unconfirmed`: those that are under revocation, or lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) open: Option<Vec<SessionView>>,
    /// How many lines cannot be read.
    pub(super) damaged: u64,
    /// Where lines are that could not be read, and were set aside.
    pub(super) set_aside: Option<String>,
    /// Who ended before may not be in the history any more.
    pub(super) kept_since: Option<Time>,
}

impl Rest {
    pub(super) fn pending(&self) -> usize {
        self.open_in(&SessionState::Revoking)
    }

    pub(super) fn lost(&self) -> usize {
        self.open_in(&SessionState::Lost)
    }

    fn open_in(&self, state: &SessionState) -> usize {
        self.open.iter().flatten().filter(|session| session.state == *state).count()
    }

    /// Whether sessions may be missing that ended at `since` or later (in all the time that the history is kept).
    pub(super) fn has_gaps(&self, since: Option<Timestamp>) -> bool {
        self.damaged > 0 || self.set_aside.is_some() || self.is_cut_off(since)
    }

    fn is_cut_off(&self, since: Option<Timestamp>) -> bool {
        let kept = self.kept_since.as_ref().and_then(|time| time.parse::<Timestamp>().ok());
        since.zip(kept).is_some_and(|(since, kept)| since < kept)
    }

    /// What a person is told of it.
    pub(super) fn warnings(&self, since: Option<Timestamp>) -> Vec<String> {
        let mut warnings = Vec::new();
        if let pending @ 1.. = self.pending() {
            warnings.push(format!(
                "{pending} more under revocation, not confirmed yet: see securid-ctl list"
            ));
        }
        if let lost @ 1.. = self.lost() {
            warnings.push(format!(
                "{lost} more lost: the token is gone, and the server has not said that it is dead: see securid-ctl list"
            ));
        }
        if self.damaged > 0 {
            let lines = match self.damaged {
                1 => "1 line of the history cannot be read: its session is not listed".to_owned(),
                n => format!(
                    "{n} lines of the history cannot be read: their sessions are not listed"
                ),
            };
            warnings.push(lines);
        }
        if let Some(folder) = &self.set_aside {
            warnings.push(format!(
                "damaged lines of the history are in {folder}: their sessions are not listed"
            ));
        }
        if let Some(kept) = self.kept_since.as_ref().filter(|_| self.is_cut_off(since)) {
            warnings.push(format!(
                "the history goes back to {kept} (history_keep, or 100,000 sessions): what ended before is not listed"
            ));
        }
        warnings
    }
}
