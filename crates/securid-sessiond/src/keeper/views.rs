//! Sessions as the protocol shows them.

use securid_ipc::messages::{
    LogoutItem, Outcome, Reason, RevocationView, RpcError, SessionState, SessionView,
};
use securid_session::{Moment, Pending, Phase, Session};

use crate::clock::{rfc3339, wall_time};

/// One session of the list; `unread`: why its secret cannot be read, if it is wanted.
pub(super) fn session(session: &Session, unread: Option<&RpcError>, now: Moment) -> SessionView {
    let about = session.about();
    let deadline = |at: Option<Moment>| at.map(|at| wall_time(at, now));
    SessionView {
        id: session.id().to_string(),
        instance: about.instance.clone(),
        url: about.origin.url.clone(),
        username: about.username.clone(),
        keyring: about.keyring.clone(),
        state: state(session.phase()),
        created_at: rfc3339(session.created().unix),
        last_used_at: rfc3339(session.last_used().unix),
        idle_deadline: deadline(session.idle_deadline()),
        expires_at: deadline(session.expires_at()),
        holds: session.holds(),
        revocation: session.pending().map(|pending| revocation(&pending, unread, now)),
    }
}

/// How far the logout of a session came. An intent whose writing is not settled is not durable;
/// that a session is dead or lost is found out anew, so nothing of it can be forgotten.
pub(super) fn logout(session: &Session, unread: Option<&RpcError>) -> LogoutItem {
    let pending = session.pending();
    let over = matches!(session.phase(), Phase::Ended | Phase::Lost);
    LogoutItem {
        id: session.id().to_string(),
        instance: session.about().instance.clone(),
        state: state(session.phase()),
        outcome: session.ending().map(|e| Outcome::from(e.outcome.name().to_owned())),
        last_error: pending.as_ref().and_then(|pending| last_error(pending, unread)),
        durable: over || pending.is_some_and(|p| p.durable == Some(true)),
    }
}

fn revocation(pending: &Pending<'_>, unread: Option<&RpcError>, now: Moment) -> RevocationView {
    RevocationView {
        reason: Reason::from(pending.revocation.reason.name().to_owned()),
        since: rfc3339(pending.revocation.since.unix),
        attempts: pending.revocation.attempts,
        last_error: last_error(pending, unread),
        next_attempt_at: pending.next_attempt.map(|at| wall_time(at, now)),
        durable: pending.durable == Some(true),
    }
}

/// What stands in the way: a keyring that keeps the token to itself, else what the server said last.
fn last_error(pending: &Pending<'_>, unread: Option<&RpcError>) -> Option<String> {
    let unread = unread.map(|trouble| trouble.message.clone());
    unread.or_else(|| pending.revocation.last_error.clone())
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
