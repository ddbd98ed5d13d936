//! Which session is meant: an exact id, then an instance's name, then `username@instance`, then a
//! unique id prefix of at least four digits.

use securid_ipc::messages::{ErrorCode, RpcError};
use securid_session::{Phase, Session, SessionId};

use crate::trouble;

/// The shortest prefix of an id that selects: among 10,000 sessions a shorter one would rarely be
/// unique, and one too short is more likely a slip than a choice.
const PREFIX_MIN: usize = 4;

/// All sessions that a selector means, at least one.
///
/// # Errors
/// [`ErrorCode::NoSuchSession`], or [`ErrorCode::Ambiguous`] for a prefix that several ids have.
pub(crate) fn all<'a>(
    sessions: impl Iterator<Item = &'a Session> + Clone,
    selector: &str,
) -> Result<Vec<&'a Session>, RpcError> {
    let shown = sessions.filter(|s| is_shown(s));
    let pick = |wanted: &dyn Fn(&Session) -> bool| -> Vec<&'a Session> {
        shown.clone().filter(|s| wanted(s)).collect()
    };
    let exact = pick(&|s| s.id().as_str() == selector);
    if !exact.is_empty() {
        return Ok(exact);
    }
    let of_instance = pick(&|s| s.about().instance == selector);
    if !of_instance.is_empty() {
        return Ok(of_instance);
    }
    let of_user = pick(&|s| {
        let about = s.about();
        about.username.as_ref().is_some_and(|user| format!("{user}@{}", about.instance) == selector)
    });
    if !of_user.is_empty() {
        return Ok(of_user);
    }
    let is_prefix = selector.len() >= PREFIX_MIN
        && selector.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let by_prefix =
        if is_prefix { pick(&|s| s.id().as_str().starts_with(selector)) } else { Vec::new() };
    match by_prefix.len() {
        0 => Err(trouble::no_such_session(selector)),
        1 => Ok(by_prefix),
        _ => Err(ambiguous(format!("several sessions begin with {selector}"), &by_prefix)),
    }
}

/// The one session that a selector means, or, where there is none, the default: of several, the
/// newest active one, unless active ones have different users.
///
/// # Errors
/// As [`all`]; [`ErrorCode::Ambiguous`] also for active sessions of several users.
pub(crate) fn one<'a>(
    sessions: impl Iterator<Item = &'a Session> + Clone,
    selector: Option<&str>,
    default_instance: Option<&str>,
) -> Result<&'a Session, RpcError> {
    let meant = match selector.or(default_instance) {
        Some(selector) => all(sessions, selector)?,
        None => sessions.filter(|s| is_shown(s)).collect(),
    };
    let whose = |s: &Session| (s.about().instance.clone(), s.about().username.clone());
    let active: Vec<&Session> =
        meant.iter().copied().filter(|s| s.phase() == Phase::Active).collect();
    if let Some(first) = active.first()
        && active.iter().any(|s| whose(s) != whose(first))
    {
        let message = match selector {
            Some(selector) => format!("{selector:?} means sessions of several users"),
            None => "there are sessions of several users or instances".to_owned(),
        };
        return Err(ambiguous(message, &active));
    }
    let newest = |some: &[&'a Session]| some.iter().copied().max_by_key(|s| s.key().generation);
    newest(&active).or_else(|| newest(&meant)).ok_or_else(|| {
        RpcError::new(ErrorCode::NoSuchSession, "there is no session")
            .with_hint("securid-ctl login makes one")
    })
}

/// Whether a session is shown to others: it was acknowledged, and is not dead.
pub(crate) fn is_shown(session: &Session) -> bool {
    matches!(session.phase(), Phase::Active | Phase::Revoking | Phase::Lost)
}

/// The id that a selector spells out in full, if it is one.
pub(crate) fn exact_id(selector: &str) -> Option<SessionId> {
    SessionId::parse(selector)
}

fn ambiguous(message: String, candidates: &[&Session]) -> RpcError {
    let mut error = RpcError::new(ErrorCode::Ambiguous, message).with_hint("name one by its id");
    error.data.candidates = candidates.iter().map(|s| s.id().to_string()).collect();
    error
}
