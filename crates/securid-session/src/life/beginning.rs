//! How a session comes into the machine.

use std::sync::Arc;

use crate::lane::Lane;
use crate::session::{AddStep, EndStep, Intent, Revoking, Session, State, WaitsFor};
use crate::{About, Key, Moment, Reason, Record, Source, Stage};

impl Session {
    pub(super) fn new(now: Moment, key: Key, about: Arc<About>, state: State) -> Self {
        Self {
            key,
            about,
            created: now,
            last_used: now,
            in_use_until: None,
            holds: 0,
            state,
            in_hand: false,
            attempting: false,
            stale: false,
            recorded_use: now,
            disk: Lane::new(),
            keyring: Lane::new(),
        }
    }

    /// A token that came in while the daemon runs, or (`stopping`) is about to stop.
    pub(crate) fn adding(
        now: Moment,
        key: Key,
        about: Arc<About>,
        source: Source,
        stopping: bool,
    ) -> Self {
        let doomed = stopping.then_some(Reason::Shutdown);
        let state = State::Adding { source, step: AddStep::Announce, doomed };
        Self { in_hand: true, ..Self::new(now, key, about, state) }
    }

    /// A secret without a record: revoked, because nobody knows of it.
    pub(crate) fn orphan(now: Moment, key: Key, about: Arc<About>) -> Self {
        let mut session = Self::new(now, key, about, State::Active);
        session.in_hand = true;
        session.revoke(now, Reason::Orphan);
        session
    }

    /// What an earlier daemon left. Nobody knows yet whether the secret is still there.
    pub(crate) fn restored(now: Moment, record: Record, same_boot: bool) -> Self {
        let Record { key, about, created, last_used, in_use_until, held, stage } = record;
        let mut session = Self::new(now, key, about, State::Active);
        session.created = created;
        session.last_used = if held && same_boot { now } else { last_used };
        session.recorded_use = session.last_used;
        session.in_use_until = in_use_until.filter(|_| same_boot);
        match stage {
            Stage::Adding => {
                session.state = State::Adding {
                    source: Source::Login,
                    step: AddStep::Recover,
                    doomed: Some(Reason::Abandoned),
                };
            }
            // Nobody holds it any more; the holder has one idle timeout to come back.
            Stage::Active if same_boot => session.stale = held,
            // The clock that its deadlines were kept by is gone.
            Stage::Active => session.revoke(now, Reason::Shutdown),
            Stage::Revoking(revocation) => {
                session.state = State::Revoking(Revoking {
                    revocation,
                    intent: Intent::Durable,
                    next_attempt: now,
                    waits_for: WaitsFor::Schedule,
                    changed: None,
                    failures: 0,
                });
            }
            // The history may have it already: it takes each ending once.
            Stage::Ended(ending) => session.state = State::Ended { ending, step: EndStep::Archive },
        }
        session
    }
}
