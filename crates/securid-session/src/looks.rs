//! Which sessions look another way than before, for those who watch.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;

use crate::{Generation, Moment, Phase, Reason, Session, SessionId};

/// How all sessions looked when they last changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Looks {
    last: BTreeMap<SessionId, Look>,
    /// Those that look another way since this was last taken.
    changed: BTreeSet<SessionId>,
}

/// What can be seen of a session. Times are to the second, as they are shown: a token that is lent a thousand
/// times a second looks another way once.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Look {
    generation: Generation,
    phase: Phase,
    in_hand: bool,
    holds: u32,
    last_used: Second,
    idle_deadline: Option<Second>,
    expires_at: Option<Second>,
    pending: Option<PendingLook>,
}

/// The words of the last error are another only after one attempt more.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct PendingLook {
    reason: Reason,
    since: Second,
    attempts: u32,
    next_attempt: Option<Second>,
    durable: Option<bool>,
}

/// By the wall clock, which these times were read from together with the other one.
type Second = i64;

impl Looks {
    /// Of these sessions, none of which has changed.
    pub(crate) fn of<'a>(sessions: impl Iterator<Item = &'a Session>) -> Self {
        let last = sessions.map(|session| (session.id().clone(), Look::of(session))).collect();
        Self { last, changed: BTreeSet::new() }
    }

    /// This session may look another way now.
    pub(crate) fn see(&mut self, session: &Session) {
        let look = Look::of(session);
        // Its end is the last that is seen of it, whatever is cleared up then.
        let over = |last: &Look| last.phase == Phase::Ended && last.generation == look.generation;
        if !self.last.get(session.id()).is_some_and(|last| *last == look || over(last)) {
            self.last.insert(session.id().clone(), look);
            self.changed.insert(session.id().clone());
        }
    }

    /// Nothing is left of this session.
    pub(crate) fn gone(&mut self, id: &SessionId) {
        self.last.remove(id);
        self.changed.remove(id);
    }

    /// Those that have changed since the last time.
    pub(crate) fn take_changed(&mut self) -> BTreeSet<SessionId> {
        mem::take(&mut self.changed)
    }
}

impl Look {
    fn of(session: &Session) -> Self {
        Self {
            generation: session.key().generation,
            phase: session.phase(),
            in_hand: session.in_hand(),
            holds: session.holds(),
            last_used: second(session.last_used()),
            idle_deadline: session.idle_deadline().map(second),
            expires_at: session.expires_at().map(second),
            pending: session.pending().map(|pending| PendingLook {
                reason: pending.revocation.reason,
                since: second(pending.revocation.since),
                attempts: pending.revocation.attempts,
                next_attempt: pending.next_attempt.map(second),
                durable: pending.durable,
            }),
        }
    }
}

fn second(at: Moment) -> Second {
    at.unix.div_euclid(1000)
}
