//! `list`, `history`, `status`, `check`, `token`: what is printed, and how it ends.

use securid_ipc::{duration::parse_duration, messages::*};

use crate::fake::{Home, Ran, session, well};

#[test]
fn the_list_is_gathered_from_its_pages() {
    let home = Home::answering(|call| {
        let Call::List(List { cursor, limit: None }) = call else { panic!("{call:?}") };
        let (state, next) = match cursor.as_deref() {
            None => (SessionState::Active, Some("2".to_owned())),
            Some("2") => (SessionState::Lost, None),
            _ => panic!("{cursor:?}"),
        };
        Some(Ok(Reply::List(ListView { sessions: vec![session(state)], cursor: next })))
    });
    let ran = home.run(["list"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let lines: Vec<_> = ran.out.lines().collect();
    assert_eq!(lines.len(), 3, "{}", ran.out);
    for (line, parts) in lines.iter().zip([
        &["ID", "INSTANCE", "USERNAME", "STATE"][..],
        &["0123456789abcdef", "prod", "anna", "active", " ago", "never", "in "],
        &["0123456789abcdef", "prod", "anna", "lost"],
    ]) {
        for part in parts {
            assert!(line.contains(part), "{line:?} lacks {part:?}");
        }
    }
    let ran = home.run(["list", "--json"]);
    let list: ListView = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(list.sessions, [session(SessionState::Active), session(SessionState::Lost)]);
    assert!(!ran.out.contains("cursor"));
}

#[test]
fn a_revocation_under_way_is_explained_and_terminals_are_safe() {
    let mut revoking = session(SessionState::Revoking);
    revoking.username = Some("an\u{1b}[2Jna".into());
    revoking.revocation = Some(RevocationView {
        reason: Reason::Idle,
        since: "2020-01-01T00:00:00Z".into(),
        attempts: 3,
        last_error: Some("timed out".into()),
        next_attempt_at: Some("2999-01-01T00:00:00Z".into()),
        durable: false,
    });
    let home = Home::replying(Reply::List(ListView { sessions: vec![revoking], cursor: None }));
    let ran = home.run(["list"]);
    for part in
        ["idle", "NOT ON DISK, tried 3 times, next try in", ": timed out", "an\u{FFFD}[2Jna"]
    {
        assert!(ran.out.contains(part), "{part:?}: {}", ran.out);
    }
    assert!(!ran.out.contains('\u{1b}'), "{:?}", ran.out);
}

#[test]
fn history_passes_its_filters_on() {
    let item = HistoryItem {
        id: "0123456789abcdef".into(),
        generation: Some(3),
        instance: "prod".into(),
        url: "https://h".into(),
        username: None,
        keyring: None,
        created_at: "2020-01-01T00:00:00Z".into(),
        requested_at: None,
        ended_at: "2020-01-02T00:00:00Z".into(),
        reason: Some(Reason::Lifetime),
        outcome: Outcome::AlreadyInvalid,
        attempts: 2,
        evidence: Some("401".into()),
    };
    let page = HistoryView { sessions: vec![item], ..HistoryView::default() };
    let answer = page.clone();
    let home = Home::answering(move |call| match call {
        Call::Status => Some(Ok(Reply::Status(well()))),
        _ => Some(Ok(Reply::History(answer.clone()))),
    });
    let ran = home.run([
        "history",
        "--since",
        "2026-11-01",
        "--until",
        "2026-11-02T00:00:00+01:00",
        "--instance",
        "prod",
    ]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(home.call(), Call::Status, "is there such an instance?");
    assert_eq!(
        home.call(),
        Call::History(History {
            limit: None,
            cursor: None,
            since: Some("2026-11-01T00:00:00Z".into()),
            until: Some("2026-11-01T23:00:00Z".into()),
            instance: Some("prod".into()),
            unconfirmed: false,
        })
    );
    for part in ["lifetime", "already-invalid", "401", " ago"] {
        assert!(ran.out.contains(part), "{part:?}: {}", ran.out);
    }
    let ran = home.run(["history", "--json"]);
    assert_eq!(serde_json::from_str::<HistoryView>(&ran.out).unwrap(), page);
}

#[test]
fn status_ends_as_it_is() {
    let keyring = |state| KeyringView { state, ..well().keyring };
    let lost = SessionCounts { lost: 1, ..SessionCounts::default() };
    for (status, exit) in [
        (well(), 0),
        (StatusView { oldest_pending_seconds: Some(60), ..well() }, 0),
        (StatusView { oldest_pending_seconds: Some(61), ..well() }, 75),
        (StatusView { keyring: keyring(KeyringState::Locked), ..well() }, 0),
        (StatusView { keyring: keyring(KeyringState::Unavailable), ..well() }, 1),
        (StatusView { problems: vec!["a damaged file".into()], ..well() }, 1),
        (StatusView { sessions: lost, ..well() }, 1),
        (StatusView { sessions: lost, oldest_pending_seconds: Some(61), ..well() }, 75),
    ] {
        let home = Home::replying(Reply::Status(status.clone()));
        let ran = home.run(["status"]);
        assert_eq!(ran.code, Some(exit), "{status:?}");
        for problem in &status.problems {
            assert!(ran.out.contains(problem));
        }
        let ran = home.run(["status", "--json"]);
        assert_eq!(ran.code, Some(exit));
        assert_eq!(serde_json::from_str::<StatusView>(&ran.out).unwrap(), status);
    }
}

#[test]
fn status_says_what_a_person_wants_to_know() {
    let home = Home::replying(Reply::Status(well()));
    let ran = home.run(["status"]);
    for part in [
        "securid-sessiond 0.1.0, pid 4194305, up for",
        "2 active",
        "does not survive a reboot",
        "prod",
    ] {
        assert!(ran.out.contains(part), "{part:?}: {}", ran.out);
    }
}

#[test]
fn check_is_silent() {
    let in_an_hour =
        jiff::Timestamp::now().checked_add(jiff::SignedDuration::from_hours(1)).unwrap();
    let mut active = session(SessionState::Active);
    active.idle_deadline = Some(in_an_hour.to_string());
    let revoking = session(SessionState::Revoking);
    let mut endless = session(SessionState::Active);
    endless.expires_at = None;
    for (session, args, exit) in [
        (&active, &["check"][..], 0),
        (&active, &["check", "--remaining", "50m"], 0),
        (&active, &["check", "--remaining", "61m"], 66),
        (&endless, &["check", "--remaining", "400d"], 0),
        (&revoking, &["check"], 66),
    ] {
        let home = Home::replying(Reply::Session(session.clone()));
        let ran = home.run(args.iter().copied());
        let silent = Ran { code: Some(exit), out: String::new(), err: String::new() };
        assert_eq!(ran, silent, "{args:?}");
    }
    let home = Home::answering(|_| Some(Err(RpcError::new(ErrorCode::NoSuchSession, "none"))));
    let ran = home.run(["check"]);
    assert_eq!(ran, Ran { code: Some(66), out: String::new(), err: String::new() });
}

fn lent() -> Reply {
    Reply::Token(TokenView {
        token: "t-1".to_owned().into(),
        url: "https://h".into(),
        session: "0123456789abcdef".into(),
        instance: "prod".into(),
        expires_at: None,
    })
}

#[test]
fn token_prints_the_token_and_nothing_else() {
    let home = Home::replying(lent());
    let ran = home.run(["token", "prod", "--for", "90s"]);
    assert_eq!(ran, Ran { code: Some(0), out: "t-1\n".into(), err: String::new() });
    let in_use_for = Some(parse_duration("90s").unwrap());
    assert_eq!(home.call(), Call::Token(Use { session: Some("prod".into()), in_use_for }));
    let ran = home.run(["token", "--json"]);
    assert!(ran.out.starts_with("{\"token\":\"t-1\","), "{}", ran.out);
}

#[test]
fn the_environment_names_the_default_session() {
    let home = Home::replying(lent());
    for (args, variable, selector) in [
        (&["token"][..], Some("mine"), Some("mine")),
        (&["token", "said"], Some("mine"), Some("said")),
        (&["token"], Some(""), None),
        (&["token"], None, None),
    ] {
        let mut command = home.ctl(args.iter().copied());
        if let Some(value) = variable {
            command.env("SECURID_SESSION", value);
        }
        assert_eq!(Ran::of(&mut command, "").code, Some(0));
        let session = selector.map(str::to_owned);
        assert_eq!(home.call(), Call::Token(Use { session, in_use_for: None }));
    }
}
