//! Sessions as the protocol shows them.

use std::collections::HashMap;

use securid_ipc::messages::{
    HistoryItem, LogoutItem, Outcome, Reason, RevocationView, RpcError, SessionState, SessionView,
};
use securid_session::{Machine, Moment, Pending, Phase, Session};
use securid_store::HistoryLine;

use super::Keeper;
use super::troubles::Troubles;
use crate::clock::{self, rfc3339, wall_time};

/// What there is to show.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) machine: &'a Machine,
    pub(super) troubles: &'a Troubles,
}

impl Keeper {
    pub(super) fn known(&self) -> Known<'_> {
        Known { machine: &self.machine, troubles: &self.troubles }
    }
}

/// Times as they are shown, to the second: of a page of the list many are the same, and to write one takes longer than
/// to find it.
#[derive(Default)]
pub(super) struct Times(HashMap<i64, String>);

impl Times {
    fn show(&mut self, unix: i64) -> String {
        self.0.entry(unix.div_euclid(1000)).or_insert_with(|| rfc3339(unix)).clone()
    }
}

impl<'a> Known<'a> {
    /// One session.
    pub(super) fn session(self, session: &Session, now: Moment) -> SessionView {
        self.one_of_many(session, now, &mut Times::default())
    }

    /// One session of the list.
    pub(super) fn one_of_many(
        self,
        session: &Session,
        now: Moment,
        times: &mut Times,
    ) -> SessionView {
        let about = session.about();
        let mut deadline = |at: Option<Moment>| at.map(|at| times.show(clock::unix(at, now)));
        let (idle_deadline, expires_at) =
            (deadline(session.idle_deadline()), deadline(session.expires_at()));
        SessionView {
            id: session.id().to_string(),
            instance: about.instance.clone(),
            url: about.origin.url.clone(),
            username: about.username.clone(),
            keyring: about.keyring.clone(),
            state: state(session.phase()),
            created_at: times.show(session.created().unix),
            last_used_at: times.show(session.last_used().unix),
            idle_deadline,
            expires_at,
            holds: session.holds(),
            revocation: session.pending().map(|pending| self.revocation(session, &pending, now)),
        }
    }

    /// How far the logout of a session came. An intent whose writing is not settled is not durable;
    /// that a session is dead is found out anew, so nothing of it can be forgotten.
    pub(super) fn logout(self, session: &Session) -> LogoutItem {
        let pending = session.pending();
        let over = session.phase() == Phase::Ended;
        LogoutItem {
            id: session.id().to_string(),
            instance: session.about().instance.clone(),
            state: state(session.phase()),
            outcome: session.ending().map(|e| Outcome::from(e.outcome.name().to_owned())),
            last_error: self.last_error(session),
            durable: over || pending.is_some_and(|p| p.durable == Some(true)),
            unreachable: self.of_keyring(session).is_some(),
        }
    }

    fn revocation(self, session: &Session, pending: &Pending<'_>, now: Moment) -> RevocationView {
        RevocationView {
            reason: Reason::from(pending.revocation.reason.name().to_owned()),
            since: rfc3339(pending.revocation.since.unix),
            attempts: pending.revocation.attempts,
            last_error: self.last_error(session),
            next_attempt_at: pending.next_attempt.map(|at| wall_time(at, now)),
            durable: pending.durable == Some(true),
        }
    }

    /// What holds its end up: a keyring that does not give the token out, else what the server said
    /// last.
    fn last_error(self, session: &Session) -> Option<String> {
        let keyring = self.of_keyring(session).map(ToString::to_string);
        keyring.or_else(|| session.pending()?.revocation.last_error.clone())
    }

    /// Why the keyring does not give a token out that is to be revoked.
    fn of_keyring(self, session: &Session) -> Option<&'a RpcError> {
        let wanted = matches!(session.phase(), Phase::Adding | Phase::Revoking);
        self.troubles.of_keyring(session.key()).filter(|_| wanted && !session.in_hand())
    }
}

/// A session that has ended.
pub(crate) fn ended(line: &HistoryLine) -> HistoryItem {
    let shown = |at: jiff::Timestamp| rfc3339(at.as_millisecond());
    HistoryItem {
        id: line.id.clone(),
        generation: Some(line.generation),
        instance: line.instance.clone(),
        url: line.url.clone(),
        username: line.username.clone(),
        keyring: line.keyring.clone(),
        created_at: shown(line.created_at),
        requested_at: Some(shown(line.requested_at)),
        ended_at: shown(line.ended_at),
        reason: line.reason.clone().map(Reason::from),
        outcome: Outcome::from(line.outcome.clone()),
        attempts: line.attempts,
        evidence: Some(line.evidence.clone()),
    }
}

fn state(phase: Phase) -> SessionState {
    match phase {
        Phase::Adding => SessionState::Adding,
        Phase::Active => SessionState::Active,
        Phase::Revoking => SessionState::Revoking,
        Phase::Lost => SessionState::Lost,
        Phase::Ended => SessionState::Ended,
    }
}
