//! What must hold for any selector among any sessions.

use std::sync::Arc;
use std::time::Duration;

use securid_session::{
    About, Event, Generation, Key, Limits, Machine, Moment, Network, Origin, Policy, Reason,
    Record, Stage,
};

use super::*;

/// The first line is the selector, each other one a session: `ID INSTANCE USER`, with a `-` before the
/// id if it is under revocation. Who is meant is what the contract's sentence says, read word for word.
pub fn selector(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut lines = text.split('\n');
    let wanted = lines.next().unwrap_or_default();
    let machine = machine(lines);
    let known: Vec<&Session> = machine.sessions().collect();
    let those = |fits: &dyn Fn(&str, &str, Option<&str>) -> bool| -> Vec<&str> {
        let fits = |s: &&&Session| {
            let about = s.about();
            fits(s.id().as_str(), &about.instance, about.username.as_deref())
        };
        known.iter().filter(fits).map(|s| s.id().as_str()).collect()
    };
    let hex = |c: char| matches!(c, '0'..='9' | 'a'..='f');
    let prefix = wanted.len() >= 4 && wanted.chars().all(hex);
    let rules = [
        those(&|id, _, _| id == wanted),
        those(&|_, instance, _| instance == wanted),
        those(&|_, instance, user| {
            let at = wanted.strip_suffix(instance).and_then(|rest| rest.strip_suffix('@'));
            user.is_some() && at == user
        }),
        those(&|id, _, _| prefix && id.starts_with(wanted)),
    ];
    let last = &rules[3];
    let first = rules.iter().find(|found| !found.is_empty());

    let found = all(&machine, wanted);
    match (&found, first) {
        (Ok(found), Some(meant)) => {
            let found: Vec<&str> = found.iter().map(|s| s.id().as_str()).collect();
            assert_eq!(&found, meant);
            assert!(meant != last || meant.len() == 1 || rules[..3].contains(meant));
        }
        (Err(error), Some(meant)) => {
            assert_eq!(error.code, ErrorCode::Ambiguous);
            assert!(meant == last && meant.len() > 1);
            assert_eq!(&error.data.candidates, meant);
        }
        (Err(error), None) => assert_eq!(error.code, ErrorCode::NoSuchSession),
        (Ok(_), None) => unreachable!("nobody was meant"),
    }

    // The one is one of them, an active one if there is any, and of those the newest.
    match (one(&machine, Some(wanted), None), found) {
        (Ok(one), Ok(found)) => {
            let active = |s: &Session| s.phase() == Phase::Active;
            assert!(found.iter().any(|s| s.id() == one.id()));
            let better = |s: &&Session| {
                (active(s), s.key().generation) > (active(one), one.key().generation)
            };
            assert!(!found.iter().any(better));
        }
        (Err(error), Ok(_)) => assert_eq!(error.code, ErrorCode::Ambiguous),
        (Err(one), Err(found)) => assert_eq!(one, found),
        (Ok(_), Err(error)) => unreachable!("{error}"),
    }
}

const NOW: Moment = Moment { since_boot: 1, unix: 1 };

fn machine<'a>(lines: impl Iterator<Item = &'a str>) -> Machine {
    let second = Duration::from_secs(1);
    let policy = Policy { retry_initial: second, retry_max: second, concurrency: 1 };
    let mut machine = Machine::new(policy, 0);
    for (line, generation) in lines.zip(1..) {
        let (revoking, line) = line.strip_prefix('-').map_or((false, line), |line| (true, line));
        let mut words = line.splitn(3, ' ');
        let Some(id) = words.next().and_then(SessionId::parse) else { continue };
        let instance = words.next().unwrap_or_default().to_owned();
        let origin = Origin {
            url: "https://h".into(),
            ca_file: None,
            format: "json".into(),
            network: Network::default(),
        };
        let about = Arc::new(About {
            instance,
            username: words.next().map(str::to_owned),
            origin,
            keyring: "test".into(),
            limits: Limits { idle: None, lifetime: None },
            tied: false,
        });
        let record = Record {
            key: Key { id: id.clone(), generation: Generation(generation) },
            about,
            created: NOW,
            last_used: NOW,
            in_use_until: None,
            held: false,
            stage: Stage::Active,
        };
        let _ = machine.handle(NOW, Event::Restore { record, same_boot: true });
        if revoking {
            let _ = machine.handle(NOW, Event::Revoke { id, reason: Reason::Request });
        }
    }
    machine
}
