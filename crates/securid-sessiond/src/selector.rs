//! Which session is meant: an exact id, then an instance's name, then `username@instance`, then a
//! unique id prefix of at least four digits.

use securid_ipc::messages::{ErrorCode, RpcError};
use securid_session::{About, Machine, Phase, Session, SessionId};
use securid_text::mention;

use crate::trouble;

/// The shortest prefix of an id that selects: among 10,000 sessions a shorter one would rarely be
/// unique, and one too short is more likely a slip than a choice.
const PREFIX_MIN: usize = 4;

/// How many candidates an error names: a person picks from a few, and a reply has its limit.
const MOST_NAMED: usize = 20;

/// All sessions that a selector means, at least one.
///
/// # Errors
/// [`ErrorCode::NoSuchSession`], or [`ErrorCode::Ambiguous`] for a prefix that several ids have.
pub(crate) fn all<'a>(machine: &'a Machine, selector: &str) -> Result<Vec<&'a Session>, RpcError> {
    let exact = exact_id(selector).and_then(|id| machine.session(&id)).filter(|s| is_shown(s));
    if let Some(session) = exact {
        return Ok(vec![session]);
    }
    let pick = |wanted: &dyn Fn(&Session) -> bool| -> Vec<&'a Session> {
        machine.sessions().filter(|s| is_shown(s) && wanted(s)).collect()
    };
    let of_instance = pick(&|s| s.about().instance == selector);
    if !of_instance.is_empty() {
        return Ok(of_instance);
    }
    let of_user = pick(&|s| {
        let About { instance, username, .. } = &**s.about();
        let user = selector.strip_suffix(instance.as_str()).and_then(|rest| rest.strip_suffix('@'));
        user.is_some() && user == username.as_deref()
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
/// newest active one, unless active ones have different users. What was made for one program is meant by its
/// id alone.
///
/// # Errors
/// As [`all`]; [`ErrorCode::Ambiguous`] also for active sessions of several users.
pub(crate) fn one<'a>(
    machine: &'a Machine,
    selector: Option<&str>,
    default_instance: Option<&str>,
) -> Result<&'a Session, RpcError> {
    let shown = machine.sessions().filter(|s| is_shown(s) && !s.about().tied);
    let meant: Vec<&Session> = match (selector, default_instance) {
        (Some(selector), _) => {
            let mut meant = all(machine, selector)?;
            meant.retain(|s| !s.about().tied || s.id().as_str().starts_with(selector));
            meant
        }
        (None, Some(name)) => shown.filter(|s| s.about().instance == name).collect(),
        (None, None) => shown.collect(),
    };
    let whose = |s: &'a Session| (&s.about().instance, &s.about().username);
    let active: Vec<&Session> =
        meant.iter().copied().filter(|s| s.phase() == Phase::Active).collect();
    if let Some(first) = active.first()
        && active.iter().any(|s| whose(s) != whose(first))
    {
        let message = match selector {
            Some(selector) => format!("{} means sessions of several users", mention(selector)),
            None => "there are sessions of several users or instances".to_owned(),
        };
        return Err(ambiguous(message, &active));
    }
    let newest = |some: &[&'a Session]| some.iter().copied().max_by_key(|s| s.key().generation);
    newest(&active).or_else(|| newest(&meant)).ok_or_else(|| {
        let at = default_instance.map_or_else(String::new, |name| format!(" at {}", mention(name)));
        let tied = machine.sessions().any(|s| is_shown(s) && s.about().tied);
        let hint = if tied {
            "Make one with securid-ctl login. Those of exec --login are meant by their ids alone."
        } else {
            "Make one with securid-ctl login."
        };
        RpcError::new(ErrorCode::NoSuchSession, format!("there is no session{at}")).with_hint(hint)
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
    let named = &candidates[..candidates.len().min(MOST_NAMED)];
    let mut words: Vec<String> = named
        .iter()
        .map(|s| {
            let user = s.about().username.as_deref().unwrap_or("-");
            format!("{} ({user}@{})", s.id(), s.about().instance)
        })
        .collect();
    if candidates.len() > named.len() {
        words.push(format!("or one of {} more", candidates.len() - named.len()));
    }
    let mut error = RpcError::new(ErrorCode::Ambiguous, message)
        .with_hint(format!("Name one: {}.", words.join(", ")));
    error.data.candidates = named.iter().map(|s| s.id().to_string()).collect();
    error
}

#[cfg(any(fuzzing, test))]
pub(crate) mod fuzz;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Arc;
    use std::time::Duration;

    use securid_session::{
        Event, Generation, Key, Limits, Moment, Network, Origin, Policy, Reason, Record, Stage,
    };

    use super::*;

    /// Sessions as (id, user, instance), from the oldest to the newest.
    fn machine(sessions: &[(u64, &str, &str)]) -> Machine {
        let policy = Policy {
            retry_initial: Duration::from_secs(1),
            retry_max: Duration::from_secs(1),
            concurrency: 1,
        };
        let mut machine = Machine::new(policy, 0);
        for ((bits, user, instance), generation) in sessions.iter().zip(1..) {
            let origin = Origin {
                url: "https://h".into(),
                ca_file: None,
                format: "json".into(),
                network: Network::default(),
            };
            let about = Arc::new(About {
                instance: (*instance).to_owned(),
                username: Some((*user).to_owned()),
                origin,
                keyring: "test".into(),
                limits: Limits { idle: None, lifetime: None },
                tied: false,
            });
            let key = Key { id: SessionId::from_bits(*bits), generation: Generation(generation) };
            let record = Record {
                key,
                about,
                created: NOW,
                last_used: NOW,
                in_use_until: None,
                held: false,
                stage: Stage::Active,
            };
            let _ = machine.handle(NOW, Event::Restore { record, same_boot: true });
        }
        machine
    }

    const NOW: Moment = Moment { since_boot: 1, unix: 1 };

    fn ids(found: Result<Vec<&Session>, RpcError>) -> Result<Vec<String>, ErrorCode> {
        found.map(|s| s.iter().map(|s| s.id().to_string()).collect()).map_err(|e| e.code)
    }

    #[test]
    fn the_order_is_id_instance_user_prefix() {
        let name = "abcd000000000000";
        let machine = machine(&[
            (0xabcd_0000_0000_0000, "u", "prod"),
            (0x1111_0000_0000_0000, "u", "abcd"),
            (0x2222_0000_0000_0000, "v", "prod"),
        ]);
        let all = |wanted| ids(all(&machine, wanted));
        assert_eq!(all(name).unwrap(), [name]);
        assert_eq!(all("abcd").unwrap(), ["1111000000000000"], "a name wins over a prefix");
        assert_eq!(all("abcd0").unwrap(), [name]);
        assert_eq!(all("v@prod").unwrap(), ["2222000000000000"]);
        assert_eq!(all("prod").unwrap().len(), 2);
        for unknown in ["222", "ABCD0", "", "w@prod", "nope"] {
            assert_eq!(all(unknown), Err(ErrorCode::NoSuchSession), "{unknown:?}");
        }
    }

    #[test]
    fn a_prefix_of_several_is_ambiguous_and_names_them() {
        let machine = machine(&[(0xa_bcd1 << 44, "u", "a"), (0xa_bcd2 << 44, "u", "a")]);
        let error = all(&machine, "abcd").unwrap_err();
        assert_eq!(error.code, ErrorCode::Ambiguous);
        assert_eq!(error.data.candidates.len(), 2);
    }

    #[test]
    fn an_error_names_a_few_candidates_of_many() {
        let users: Vec<String> = (0..100).map(|n| format!("user{n}")).collect();
        let sessions: Vec<_> =
            users.iter().zip(0..).map(|(u, n)| (n, u.as_str(), "prod")).collect();
        let machine = machine(&sessions);
        for wanted in [None, Some("0000")] {
            let error = one(&machine, wanted, None).unwrap_err();
            assert_eq!(error.data.candidates.len(), MOST_NAMED);
            assert!(error.data.hint.unwrap().ends_with("or one of 80 more."));
        }
    }

    #[test]
    fn one_is_the_newest_active_one_unless_users_differ() {
        let mut machine =
            machine(&[(1 << 60, "u", "prod"), (2 << 60, "u", "prod"), (3 << 60, "v", "test")]);
        let newest = |machine: &Machine, wanted, default| {
            one(machine, wanted, default).map(|s| s.id().to_string()).map_err(|e| e.code)
        };
        assert_eq!(newest(&machine, Some("prod"), None).unwrap(), "2000000000000000");
        assert_eq!(newest(&machine, None, Some("prod")).unwrap(), "2000000000000000");
        assert_eq!(newest(&machine, None, None), Err(ErrorCode::Ambiguous));
        for bits in [2 << 60, 3 << 60] {
            let id = SessionId::from_bits(bits);
            let _ = machine.handle(NOW, Event::Revoke { id, reason: Reason::Request });
        }
        assert_eq!(newest(&machine, None, None).unwrap(), "1000000000000000");
        let last = newest(&machine, Some("test"), None).unwrap();
        assert_eq!(last, "3000000000000000", "so that the answer can say why it cannot be used");
    }

    #[test]
    fn what_was_made_for_one_program_is_meant_by_its_id_alone() {
        let mut machine = machine(&[(1 << 60, "u", "prod"), (2 << 60, "u", "prod")]);
        let mut record = machine.session(&SessionId::from_bits(2 << 60)).unwrap().record().unwrap();
        record.key.id = SessionId::from_bits(3 << 60);
        record.key.generation = Generation(3);
        record.about = Arc::new(About { tied: true, ..About::clone(&record.about) });
        let _ = machine.handle(NOW, Event::Restore { record, same_boot: true });
        let one = |machine: &Machine, wanted| {
            one(machine, wanted, None).map(|s| s.id().to_string()).map_err(|e| e.code)
        };
        for wanted in [None, Some("prod"), Some("u@prod")] {
            assert_eq!(one(&machine, wanted).unwrap(), "2000000000000000", "{wanted:?}");
        }
        for wanted in ["3000", "3000000000000000"] {
            assert_eq!(one(&machine, Some(wanted)).unwrap(), "3000000000000000");
        }
        assert_eq!(all(&machine, "prod").unwrap().len(), 3, "it is logged out with the others");
        for bits in [1 << 60, 2 << 60] {
            let id = SessionId::from_bits(bits);
            let _ = machine.handle(NOW, Event::Revoke { id: id.clone(), reason: Reason::Request });
            let _ = machine.handle(NOW, Event::Forget { id });
        }
        assert!(one(&machine, Some("2000")).is_err());
        let none = super::one(&machine, Some("prod"), None).map(|s| s.id().to_string());
        assert!(none.unwrap_err().data.hint.unwrap().contains("exec --login"));
    }

    #[test]
    fn no_session_is_said_as_such() {
        let machine = machine(&[]);
        assert_eq!(one(&machine, None, None).unwrap_err().code, ErrorCode::NoSuchSession);
    }
}
