//! One session: what is known of it, and what it wants next.

use std::sync::Arc;
use std::time::Duration;

use crate::lane::Lane;
use crate::{About, Ending, Key, Moment, Reason, Revocation, SessionId, Source};

/// How long a tied session waits for its holder when a daemon has started: `securid-ctl` looks for one at least
/// every five seconds, and may need two to connect and two for a sign of life.
pub(crate) const HOLDER_WITHIN: Duration = Duration::from_secs(15);

/// One session in the daemon's memory.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Session {
    pub(crate) key: Key,
    pub(crate) about: Arc<About>,
    pub(crate) created: Moment,
    pub(crate) last_used: Moment,
    pub(crate) in_use_until: Option<Moment>,
    pub(crate) holds: u32,
    /// Since when nobody holds it, if nobody does.
    pub(crate) unheld_since: Moment,
    pub(crate) state: State,
    /// Whether the daemon has the token in memory.
    pub(crate) in_hand: bool,
    /// Whether an attempt is out.
    pub(crate) attempting: bool,
    /// Whether the record on disk says less than we know.
    pub(crate) stale: bool,
    /// The last use that the record on disk tells of.
    pub(crate) recorded_use: Moment,
    pub(crate) disk: Lane<DiskErrand>,
    pub(crate) keyring: Lane<KeyringErrand>,
}

/// Where a session stands in its life.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum State {
    Adding {
        source: Source,
        step: AddStep,
        doomed: Option<Reason>,
    },
    Active,
    Revoking(Revoking),
    /// The secret is gone from its keyring; what was pending then, and whether it is looked for
    /// once more.
    Lost {
        pending: Option<Revoking>,
        seeking: bool,
    },
    Ended {
        ending: Ending,
        step: EndStep,
    },
    /// Nothing of it is left anywhere.
    Gone,
}

/// What a session that is being taken in waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum AddStep {
    /// The record `adding` on disk.
    Announce,
    /// The secret in the keyring.
    Store,
    /// The record `active` on disk.
    Activate,
    /// (After a crash.) Whether the secret is in the keyring.
    Recover,
    /// (Not taken in.) The secret out of the keyring.
    Clear,
    /// (Not taken in.) The record off the disk.
    Drop,
}

/// A revocation under way.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Revoking {
    pub(crate) revocation: Revocation,
    pub(crate) intent: Intent,
    pub(crate) next_attempt: Moment,
    pub(crate) waits_for: WaitsFor,
    /// While an attempt is out: the network has changed since it began, so the next one may be made from
    /// then on.
    pub(crate) changed: Option<Moment>,
    /// Failures in a row that the wait grows with: those since this daemon started, or since a
    /// person said `retry`.
    pub(crate) failures: u32,
}

/// What the next attempt waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum WaitsFor {
    /// Our own schedule.
    Schedule,
    /// The same, or another network: the server could not be reached.
    Network,
    /// The server's wish (`Retry-After`) until then, and our own schedule after it.
    Server { until: Moment },
}

/// Whether the intent to revoke would survive the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Intent {
    /// Not known yet: nothing may be attempted.
    Unwritten,
    /// On disk.
    Durable,
    /// The disk refused it: attempted from memory, and written again later.
    Unwritable,
}

/// What an ended session waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum EndStep {
    /// The record `ended` on disk.
    Record,
    /// Its line in the history.
    Archive,
    /// The secret out of the keyring.
    Delete,
    /// The record off the disk.
    Remove,
}

/// What a session can want of the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum DiskErrand {
    Write(StageName),
    Archive,
    Remove,
}

/// Which stage a record that is being written says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum StageName {
    Adding,
    Active,
    Revoking,
    Ended,
}

/// What a session can want of the keyring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum KeyringErrand {
    Store,
    Fetch,
    Delete,
}

/// Where a session stands, as others see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Being taken in, or being dropped again: nobody was told of it.
    Adding,
    /// Acknowledged and lent out.
    Active,
    /// To be revoked until the server confirms it.
    Revoking,
    /// Its secret is gone from the keyring.
    Lost,
    /// Dead; being cleared up.
    Ended,
}

/// A revocation under way, as others see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pending<'a> {
    /// Why, since when, and how it went so far.
    pub revocation: &'a Revocation,
    /// When it is tried next, if no attempt is out.
    pub next_attempt: Option<Moment>,
    /// Whether the intent is known to be on disk. `None`: it is being written.
    pub durable: Option<bool>,
}

impl Session {
    /// Its name.
    #[must_use]
    pub fn id(&self) -> &SessionId {
        &self.key.id
    }

    /// Its name and the generation of its token.
    #[must_use]
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// What it is.
    #[must_use]
    pub fn about(&self) -> &Arc<About> {
        &self.about
    }

    /// When it was taken in.
    #[must_use]
    pub fn created(&self) -> Moment {
        self.created
    }

    /// When it was last lent, touched or held.
    #[must_use]
    pub fn last_used(&self) -> Moment {
        self.last_used
    }

    /// How many hold it.
    #[must_use]
    pub fn holds(&self) -> u32 {
        self.holds
    }

    /// Whether its token can be had without the keyring.
    #[must_use]
    pub fn in_hand(&self) -> bool {
        self.in_hand
    }

    /// Where it stands.
    #[must_use]
    pub fn phase(&self) -> Phase {
        match &self.state {
            State::Adding { .. } => Phase::Adding,
            State::Active => Phase::Active,
            State::Revoking(_) => Phase::Revoking,
            State::Lost { .. } => Phase::Lost,
            State::Ended { .. } | State::Gone => Phase::Ended,
        }
    }

    /// The revocation under way; of a lost session the one that its loss stopped.
    #[must_use]
    pub fn pending(&self) -> Option<Pending<'_>> {
        let (revoking, waits) = match &self.state {
            State::Revoking(revoking) => (revoking, !self.attempting),
            State::Lost { pending: Some(revoking), .. } => (revoking, false),
            _ => return None,
        };
        Some(Pending {
            revocation: &revoking.revocation,
            next_attempt: waits.then_some(revoking.next_attempt),
            durable: match revoking.intent {
                Intent::Unwritten => None,
                Intent::Durable => Some(true),
                Intent::Unwritable => Some(false),
            },
        })
    }

    /// How it ended, while it is being cleared up.
    #[must_use]
    pub fn ending(&self) -> Option<&Ending> {
        match &self.state {
            State::Ended { ending, .. } => Some(ending),
            _ => None,
        }
    }

    /// Whether it is dead and the history has it, or the disk refuses to take it: then nobody who
    /// asked for its end needs to wait any longer.
    #[must_use]
    pub fn is_over(&self) -> bool {
        match &self.state {
            State::Ended { step: EndStep::Delete | EndStep::Remove, .. } | State::Gone => true,
            State::Ended { .. } => self.disk.is_failing(),
            _ => false,
        }
    }

    /// Whether it is dead and the history does not have it yet, as far as this daemon knows.
    #[must_use]
    pub fn is_to_be_archived(&self) -> bool {
        matches!(&self.state, State::Ended { step: EndStep::Record | EndStep::Archive, .. })
    }

    /// When it ends for want of use; `None` if it never does, is held, or is not active.
    #[must_use]
    pub fn idle_deadline(&self) -> Option<Moment> {
        if self.state != State::Active || self.holds > 0 {
            return None;
        }
        let used = self.in_use_until.map_or(self.last_used, |until| until.later(self.last_used));
        self.about.limits.idle.map(|idle| used.after(idle))
    }

    /// When a tied one ends because nobody has come to hold it; `None` if it is not tied, is held, or is
    /// not active.
    #[must_use]
    pub fn holder_due(&self) -> Option<Moment> {
        let waits = self.about.tied && self.holds == 0 && self.state == State::Active;
        waits.then(|| self.unheld_since.after(HOLDER_WITHIN))
    }

    /// When its lifetime is over, used or not.
    #[must_use]
    pub fn expires_at(&self) -> Option<Moment> {
        self.about.limits.lifetime.map(|lifetime| self.created.after(lifetime))
    }

    /// Since when an attempt may be made, apart from a free slot; `None` while something else is
    /// missing, or while it is too early.
    pub(crate) fn ready_since(&self, now: Moment) -> Option<Moment> {
        self.attempt_due().filter(|at| at.reached(now))
    }

    fn attempt_due(&self) -> Option<Moment> {
        match &self.state {
            State::Revoking(revoking) => {
                (revoking.intent != Intent::Unwritten && self.in_hand && !self.attempting)
                    .then_some(revoking.next_attempt)
            }
            _ => None,
        }
    }

    /// When time alone will change something. (One that is ready waits for a slot, not for time.)
    pub(crate) fn wakes_at(&self, now: Moment) -> Option<Moment> {
        let limit = match self.state {
            State::Active => {
                earliest(self.holder_due(), earliest(self.idle_deadline(), self.expires_at()))
            }
            _ => self.attempt_due().filter(|at| !at.reached(now)),
        };
        let disk = self.disk_errand().and_then(|_| self.disk.retry_at());
        let keyring = self.keyring_errand().and_then(|_| self.keyring.retry_at());
        earliest(limit, earliest(disk, keyring))
    }

    /// Whether it is known how the writing of its intent went, if it has one.
    pub(crate) fn intent_settled(&self) -> bool {
        self.pending().is_none_or(|pending| pending.durable.is_some())
    }

    /// Whether a stopping daemon has nothing to wait for here: all is done, or what is left hangs
    /// on a keyring or disk that does not answer, or is meant for the next daemon (`keep`).
    pub(crate) fn at_rest(&self, keep: bool) -> bool {
        if self.disk.is_busy() || (self.keyring.is_busy() && !self.keyring.is_failing()) {
            return false;
        }
        match &self.state {
            State::Active => !self.stale || self.disk.is_failing(),
            State::Lost { pending, .. } => {
                pending.as_ref().is_none_or(|pending| pending.intent != Intent::Unwritten)
            }
            State::Gone => true,
            State::Revoking(revoking) => {
                (keep && revoking.intent == Intent::Durable)
                    || (!self.in_hand && self.keyring.is_failing())
            }
            State::Adding { .. } | State::Ended { .. } => {
                self.disk.is_failing() || self.keyring.is_failing()
            }
        }
    }
}

/// The earlier of two moments, where there is one.
fn earliest(a: Option<Moment>, b: Option<Moment>) -> Option<Moment> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.earlier(b)),
        (a, b) => a.or(b),
    }
}
