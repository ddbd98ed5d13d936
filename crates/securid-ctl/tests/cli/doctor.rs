//! `doctor`, with a daemon and a daemon's program of our own making.

use std::{path::Path, time::Duration};

use securid_ipc::{
    checks::{CheckState, CheckView, ChecksView},
    messages::*,
};

use crate::{
    fake::{Home, bounded, well},
    starting::ctl_beside,
};

/// What the daemon's program says of itself here.
const FINDS: &str = r#"
    echo '{"check":"config","about":"c","state":"fine","message":"good","next":null}'
    echo '{"check":"keyring","about":"","state":"fine","message":"\u001b[2Jready","next":null}'"#;

fn found(home: &Home, program: &str) -> (Option<i32>, ChecksView) {
    let ran = ctl_beside(home, program, &["doctor", "--json"]);
    (ran.code, serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{ran:?}")))
}

fn only<'a>(found: &'a ChecksView, check: &str) -> &'a CheckView {
    let mut named = found.checks.iter().filter(|it| it.check == check);
    let only = named.next().unwrap_or_else(|| panic!("no {check}: {found:?}"));
    assert_eq!(named.next(), None, "{found:?}");
    only
}

#[test]
fn what_both_programs_find_is_one_list() {
    let home = Home::replying(Reply::Status(well()));
    let (code, all) = found(&home, FINDS);
    assert_eq!((code, all.fine), (Some(0), true), "{all:?}");
    let names: Vec<_> = all.checks.iter().map(|it| it.check.as_str()).collect();
    assert_eq!(names, ["config", "socket", "daemon", "sessions", "keyring", "units"]);
    let socket = only(&all, "socket");
    assert_eq!(Path::new(&socket.about), home.socket());

    let ran = ctl_beside(&home, FINDS, &["doctor"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.starts_with("fine      config c: good\nfine      socket "), "{}", ran.out);
    assert!(!ran.out.contains('\u{1b}'), "{}", ran.out);
}

#[test]
fn a_daemon_that_is_not_as_it_should_be_is_told_with_what_to_do() {
    let counts = SessionCounts { lost: 2, ..SessionCounts::default() };
    let draining = vec!["draining, because the config is bad".to_owned()];
    for (status, check, words, next) in [
        (
            StatusView { version: "0.0.9".into(), ..well() },
            "daemon",
            "it is version 0.0.9, and this program is ",
            "securid-ctl restart",
        ),
        (StatusView { problems: draining, ..well() }, "daemon", "draining", "securid-ctl restart."),
        (
            StatusView { oldest_pending_seconds: Some(61), ..well() },
            "sessions",
            "pending for 61 s",
            "securid-ctl retry",
        ),
        (StatusView { sessions: counts, ..well() }, "sessions", ": 2", "securid-ctl list"),
        (StatusView { undecided: 3, ..well() }, "sessions", ": 3", "securid-ctl status"),
    ] {
        let home = Home::replying(Reply::Status(status));
        let (code, all) = found(&home, FINDS);
        assert_eq!((code, all.fine), (Some(1), false), "{all:?}");
        let wrong = only(&all, check);
        assert_eq!(wrong.state, CheckState::Wrong, "{wrong:?}");
        assert!(wrong.message.contains(words), "{wrong:?}");
        assert!(wrong.next.as_ref().unwrap().contains(next), "{wrong:?}");
    }
}

#[test]
fn a_program_that_does_not_find_out_is_told() {
    for (program, words) in [
        ("echo error: unexpected argument >&2; exit 2", "too old: it does not know --doctor"),
        ("exit 0", "found nothing out"),
        ("echo nonsense; kill -9 $$", "found nothing out: signal: 9"),
    ] {
        let home = Home::replying(Reply::Status(well()));
        let (code, all) = bounded(Duration::from_secs(10), || found(&home, program));
        assert_eq!(code, Some(1), "{all:?}");
        let wrong = only(&all, "program");
        assert_eq!(wrong.state, CheckState::Wrong);
        assert!(wrong.message.contains(words), "{wrong:?}");
        assert!(wrong.about.ends_with("programs/securid-sessiond"), "{wrong:?}");
        // All else is looked at as ever.
        assert_eq!(only(&all, "daemon").state, CheckState::Fine);
    }
}
