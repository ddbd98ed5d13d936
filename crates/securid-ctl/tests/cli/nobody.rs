//! No daemon, frozen daemons, wrong usage, and what needs no daemon.

use std::{
    os::{
        fd::OwnedFd,
        unix::net::{UnixListener, UnixStream},
    },
    path::Path,
    time::Duration,
};

use securid_ipc::messages::{ErrorCode, RpcError};

use crate::fake::{Home, bounded};

/// Every command that asks the daemon something.
const ASKING: &[&[&str]] = &[
    &["list"],
    &["status"],
    &["history"],
    &["check"],
    &["token"],
    &["logout", "prod"],
    &["retry"],
    &["forget", "0123456789abcdef", "--yes"],
    &["stop"],
];

/// Well above the two seconds that a client gives a daemon, twice.
const BOUND: Duration = Duration::from_secs(8);

#[test]
fn without_a_daemon_commands_say_so_and_what_to_do() {
    let home = Home::new();
    for args in ASKING.iter().filter(|args| args[0] != "logout") {
        let ran = home.run(args.iter().copied());
        assert_eq!((ran.code, &*ran.out), (Some(69), ""), "{args:?}");
        let mut lines = ran.err.lines();
        assert_eq!(lines.next(), Some("securid-ctl: no daemon is running"));
        let advice = lines.next().unwrap();
        assert!(advice.contains(home.socket().to_str().unwrap()), "{advice}");
    }
    let ran = home.run(["--json", "list"]);
    let (code, message, hint) = ran.json_error();
    assert_eq!((&*code, &*message), ("daemon-unreachable", "no daemon is running"));
    assert!(hint.is_some());
    let ran = home.run_with(["add", "--token-stdin"], "t");
    assert_eq!(ran.code, Some(69));
    let ran = home.run_with(["login", "--password-stdin"], "p");
    assert_eq!(ran.code, Some(69));
    let ran = home.run(["exec", "--", "true"]);
    assert_eq!(ran.code, Some(125));
}

/// All at once: each waits for itself.
fn all_are_bounded(home: &Home) {
    bounded(BOUND, || {
        let running: Vec<_> =
            ASKING.iter().map(|args| home.ctl(args.iter().copied()).spawn().unwrap()).collect();
        for (args, child) in ASKING.iter().zip(running) {
            let ran = crate::fake::Ran::from(child.wait_with_output().unwrap());
            assert_eq!(ran.code, Some(69), "{args:?}: {}", ran.err);
            assert!(ran.err.contains(home.socket().to_str().unwrap()), "{}", ran.err);
        }
    });
}

#[test]
fn a_daemon_that_never_accepts_hangs_nobody() {
    let home = Home::new();
    let _frozen = UnixListener::bind(home.socket()).unwrap();
    all_are_bounded(&home);
}

#[test]
fn a_daemon_with_a_full_queue_hangs_nobody() {
    let home = Home::new();
    let _frozen = full(&home.socket());
    all_are_bounded(&home);
}

fn full(path: &Path) -> (OwnedFd, UnixStream) {
    use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, bind, listen, socket};
    let frozen = socket(AddressFamily::UNIX, SocketType::STREAM, None).unwrap();
    bind(&frozen, &SocketAddrUnix::new(path).unwrap()).unwrap();
    listen(&frozen, 0).unwrap();
    let waiting = UnixStream::connect(path).unwrap();
    (frozen, waiting)
}

#[test]
fn errors_of_the_daemon_keep_their_exit_status() {
    for (code, exit) in [
        (ErrorCode::NoSuchSession, 66),
        (ErrorCode::Ambiguous, 2),
        (ErrorCode::KeyringLocked, 74),
        (ErrorCode::ServerUnreachable, 68),
        (ErrorCode::LoginRefused, 77),
        (ErrorCode::ServerError, 1),
        (ErrorCode::NoSuchInstance, 78),
        (ErrorCode::ShuttingDown, 69),
        (ErrorCode::Unknown(-32099), 1),
    ] {
        let home = Home::answering(move |_| {
            Some(Err(RpcError::new(code, "it\u{1b}[31m failed").with_hint("do this")))
        });
        let ran = home.run(["token"]);
        assert_eq!((ran.code, &*ran.out), (Some(exit), ""));
        assert_eq!(ran.err, "securid-ctl: it\u{FFFD}[31m failed\ndo this\n");
        let ran = home.run(["token", "--json"]);
        let (name, message, hint) = ran.json_error();
        assert_eq!(name, code.name());
        assert_eq!(message, "it\u{1b}[31m failed");
        assert_eq!(hint.as_deref(), Some("do this"));
    }
}

#[test]
fn candidates_are_listed_where_a_selector_is_ambiguous() {
    let home = Home::answering(|_| {
        let mut error = RpcError::new(ErrorCode::Ambiguous, "\"prod\" has several users");
        error.data.candidates = vec!["0123".into(), "4567".into()];
        Some(Err(error))
    });
    let ran = home.run(["token", "prod"]);
    assert_eq!(ran.code, Some(2));
    assert_eq!(ran.err, "securid-ctl: \"prod\" has several users\nSay which: 0123, 4567.\n");
}

#[test]
fn wrong_usage_is_2_and_reaches_no_daemon() {
    let home = Home::answering(|_| None);
    for args in [
        &["nonsense"][..],
        &["list", "--nonsense"],
        &["forget", "0123456789abcdef"],
        &["add"],
        &["exec"],
        &["exec", "prod"],
        &["stop", "--keep", "--revoke"],
        &["logout", "--timeout", "5x"],
        &["logout", "--timeout", "5s", "--no-wait"],
        &["login", "--password-stdin", "--password-file", "f"],
        &["history", "--since", "yesterday"],
        &["check", "--remaining", "soon"],
        &[],
    ] {
        let ran = home.run(args.iter().copied());
        assert_eq!((ran.code, &*ran.out), (Some(2), ""), "{args:?}");
        let ran = home.run(args.iter().copied().chain(["--json"]));
        assert_eq!(ran.code, Some(2), "{args:?}");
        if !args.is_empty() {
            assert_eq!(ran.json_error().0, "usage", "{args:?}");
        }
    }
    assert!(!home.was_called());
}

#[test]
fn help_and_version_are_no_failures() {
    let home = Home::new();
    let ran = home.run(["--version"]);
    let version = format!("securid-ctl {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!((ran.code, ran.out), (Some(0), version));
    let ran = home.run(["--json", "exec", "--help"]);
    assert_eq!(ran.code, Some(0));
    assert!(ran.out.contains("SECURID_TOKEN"));
}

#[test]
fn paths_need_no_daemon() {
    let home = Home::new();
    let folder = home.path().to_str().unwrap();
    let ran = home.run(["paths", "--json"]);
    assert_eq!(ran.code, Some(0));
    let paths: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(
        paths,
        serde_json::json!({
            "config": [
                "/etc/securid/config.toml",
                "/etc/securid/config.d",
                format!("{folder}/.config/securid/config.toml"),
            ],
            "state_dir": format!("{folder}/state"),
            "sockets": [format!("{folder}/s.sock")],
        })
    );
    let ran = home.run(["paths", "--socket", "/a", "--state-dir", "/b", "--config", "/c"]);
    let machines = "config  /etc/securid/config.toml\nconfig  /etc/securid/config.d\n";
    assert_eq!(ran.out, format!("{machines}config  /c\nstate   /b\nsocket  /a\n"));
}

#[test]
fn a_reader_that_has_gone_is_no_panic() {
    let home = Home::new();
    let mut command = home.ctl(["paths"]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let ran = crate::fake::Ran::of(command.stdout(writer), "");
    assert_eq!((ran.code, &*ran.err), (Some(1), ""));
}
