//! `logout`, `retry`, `forget`, `stop`.

use std::{fs, time::Duration};

use securid_ipc::messages::*;

use crate::fake::{Home, PATIENCE, Ran, well};

fn item(state: SessionState, outcome: Option<Outcome>) -> LogoutItem {
    LogoutItem {
        id: "0123456789abcdef".into(),
        instance: "prod".into(),
        state,
        outcome,
        last_error: None,
        durable: true,
        unreachable: false,
    }
}

fn ended() -> LogoutItem {
    item(SessionState::Ended, Some(Outcome::Revoked))
}

fn answering(sessions: Vec<LogoutItem>, refused: Vec<RefusedView>) -> Home {
    Home::replying(Reply::Logout(LogoutView { sessions, refused, unlisted: 0 }))
}

#[test]
fn all_or_the_named_ones_with_a_wait() {
    let home = answering(vec![ended()], vec![]);
    for (args, targets, wait) in [
        (&["logout"][..], Targets::All, Some(10)),
        (&["logout", "a", "b"], Targets::Selected(vec!["a".into(), "b".into()]), Some(10)),
        (&["logout", "--timeout", "3s"], Targets::All, Some(3)),
        (&["logout", "--no-wait"], Targets::All, None),
    ] {
        // It is no selector of `logout`: none named means every session.
        let mut command = home.ctl(args.iter().copied());
        let ran = Ran::of(command.env("SECURID_SESSION", "other"), "");
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        let wait = wait.map(Duration::from_secs);
        assert_eq!(home.call(), Call::Logout(Logout { targets, wait }));
    }
    let ran = home.run(["logout", "--json"]);
    assert_eq!(
        ran.out,
        "{\"sessions\":[{\"id\":\"0123456789abcdef\",\"instance\":\"prod\",\"state\":\"ended\",\
         \"outcome\":\"revoked\",\"last_error\":null,\"durable\":true}]}\n"
    );
}

#[test]
fn of_very_many_it_says_how_many_are_not_shown() {
    let view = LogoutView { sessions: vec![ended()], refused: vec![], unlisted: 9_000 };
    let ran = Home::replying(Reply::Logout(view)).run(["logout"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.out.ends_with("\nand 9000 more, none of them worse\n"), "{}", ran.out);
}

#[test]
fn the_worst_decides() {
    let pending = || item(SessionState::Revoking, None);
    let lost = || item(SessionState::Lost, None);
    let refused = |code| RefusedView { selector: "x".into(), error: RpcError::new(code, "not x") };
    let none = || refused(ErrorCode::NoSuchSession);
    for (sessions, refused, named, all) in [
        (vec![], vec![refused(ErrorCode::NoSuchInstance), none()], 78, 78),
        (vec![], vec![], 0, 0),
        (vec![ended()], vec![], 0, 0),
        (vec![ended(), pending()], vec![], 75, 75),
        (vec![ended(), pending()], vec![none()], 66, 66),
        (vec![ended(), lost()], vec![], 1, 0),
        (vec![ended(), pending(), lost()], vec![], 1, 75),
        (vec![pending(), lost()], vec![none()], 1, 66),
        (vec![pending()], vec![refused(ErrorCode::Ambiguous), none()], 2, 2),
    ] {
        let home = answering(sessions.clone(), refused.clone());
        assert_eq!(home.run(["logout", "x"]).code, Some(named), "{sessions:?} {refused:?}");
        assert_eq!(home.run(["logout"]).code, Some(all), "{sessions:?} {refused:?}");
    }
}

#[test]
fn what_a_person_should_know_is_a_warning() {
    let frail = LogoutItem { durable: false, ..ended() };
    let home = answering(vec![item(SessionState::Lost, None), frail], vec![]);
    let ran = home.run(["logout"]);
    assert!(ran.err.contains("securid-ctl forget 0123456789abcdef --yes"), "{}", ran.err);
    assert!(ran.err.contains("not on disk"), "{}", ran.err);
    assert_eq!(home.run(["logout", "--json"]).err, "");
}

#[test]
fn without_a_daemon_it_depends_on_the_records() {
    let home = Home::new();
    for args in [&["logout"][..], &["logout", "prod"]] {
        let ran = home.run(args.iter().copied());
        assert_eq!((ran.code, &*ran.out), (Some(0), "nothing to do\n"));
    }
    assert_eq!(home.run(["logout", "--json"]).out, "{\"sessions\":[]}\n");

    let sessions = home.path().join("state/sessions");
    fs::create_dir_all(&sessions).unwrap();
    fs::write(sessions.join("0123456789abcdef.json.tmp"), "").unwrap();
    assert_eq!(home.run(["logout"]).code, Some(0));
    fs::write(sessions.join("0123456789abcdef.json"), "").unwrap();
    let ran = home.run(["logout"]);
    assert_eq!(ran.code, Some(69));
    assert!(ran.err.contains("sessions are recorded in"), "{}", ran.err);
    assert!(ran.err.contains("securid-ctl start"), "{}", ran.err);

    // What cannot be known is not "nothing".
    fs::remove_dir_all(&sessions).unwrap();
    fs::write(&sessions, "").unwrap();
    assert_eq!(home.run(["logout"]).code, Some(69));
}

#[test]
fn a_folder_that_we_may_not_enter_is_nobody_of_ours() {
    use std::os::unix::{fs::PermissionsExt as _, process::CommandExt as _};
    let home = Home::new();
    let closed = home.path().join("closed");
    fs::create_dir(&closed).unwrap();
    let socket = closed.join("s.sock");
    let mut command = home.ctl(["logout"]);
    // Root enters everything: as root, somebody else is to try.
    if rustix::process::geteuid().is_root() {
        let ctl = home.path().join("ctl");
        // Copied by another process: a fork of a test beside this one would inherit a file that we
        // write, and the kernel runs no program that is open for writing.
        let mut copy = std::process::Command::new("cp");
        copy.arg(env!("CARGO_BIN_EXE_securid-ctl")).arg(&ctl);
        assert!(copy.status().unwrap().success());
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).unwrap();
        command = std::process::Command::new(ctl);
        command.arg("logout").uid(65_534).env_clear().env("SECURID_STATE_DIR", "/nonexistent");
        command.env("HOME", "/nonexistent").stdout(std::process::Stdio::piped());
    }
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
    let ran = Ran::of(command.env("SECURID_SOCKET", &socket), "");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!((ran.code, &*ran.out), (Some(0), "nothing to do\n"), "{}", ran.err);
}

#[test]
fn an_interrupted_wait_is_130() {
    let home = Home::answering(|_| None);
    let child = home.ctl(["logout"]).spawn().unwrap();
    home.call();
    interrupt(child.id());
    assert_eq!(Ran::from(child.wait_with_output().unwrap()).code, Some(130));
}

fn interrupt(pid: u32) {
    let pid = rustix::process::Pid::from_raw(pid.try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
}

#[test]
fn reload_tells_what_it_changed_and_what_waits() {
    let view = ReloadView {
        limited: vec!["0123".into()],
        later: vec!["key_file takes effect at the next start".into()],
        ..ReloadView::default()
    };
    let home = Home::replying(Reply::Reloaded(view));
    let ran = home.run(["reload"]);
    assert_eq!(home.call(), Call::Reload);
    assert_eq!(ran.out, "the config was read anew; 1 session has other limits now\n");
    assert!(ran.err.contains("key_file takes effect at the next start"), "{}", ran.err);
}

#[test]
fn retry_and_forget_name_what_they_mean() {
    let home = Home::replying(Reply::Retrying(RetryView { sessions: vec!["0123".into()] }));
    assert_eq!(home.run(["retry"]).out, "trying 0123\n");
    assert_eq!(home.call(), Call::Retry(Retry { sessions: None }));
    home.run(["retry", "prod"]);
    assert_eq!(home.call(), Call::Retry(Retry { sessions: Some(vec!["prod".into()]) }));

    let home = Home::replying(Reply::Forgotten(SessionRef { session: "0123".into() }));
    let ran = home.run(["forget", "0123", "--yes"]);
    assert_eq!((ran.code, &*ran.out), (Some(0), "forgot 0123\n"));
    assert_eq!(home.call(), Call::Forget(Forget { session: "0123".into() }));
}

#[test]
fn stop_waits_for_the_end_and_looks_at_what_is_left() {
    use SessionState::{Active, Lost};
    for (args, asked, keeps, held, exit) in [
        (&["stop"][..], None, false, None, 0),
        (&["stop", "--revoke"], Some(false), false, Some(Active), 75),
        (&["stop", "--keep"], Some(true), true, Some(Active), 0),
        // The next daemon can do nothing about it either.
        (&["stop"], None, false, Some(Lost), 0),
    ] {
        let sessions: Vec<SessionView> = held.iter().cloned().map(crate::fake::session).collect();
        let list = ListView { sessions: sessions.clone(), cursor: None };
        let mut home = Home::answering(move |call| {
            Some(Ok(match call {
                Call::List(_) => Reply::List(list.clone()),
                Call::Status => Reply::Status(well()),
                _ => Reply::Stopping(StopView { keep: keeps }),
            }))
        });
        let records = home.path().join("state/sessions");
        fs::create_dir_all(&records).unwrap();
        for session in sessions {
            fs::write(records.join(format!("{}.json", session.id)), "").unwrap();
        }
        let mut child = home.ctl(args.iter().copied()).spawn().unwrap();
        assert!(matches!(home.call(), Call::List(_)));
        assert_eq!(home.call(), Call::Status);
        assert_eq!(home.call(), Call::Stop(Stop { keep: asked }));
        assert!(child.try_wait().unwrap().is_none(), "it did not wait");
        home.stop();
        let ran = crate::fake::bounded(PATIENCE, || child.wait_with_output().unwrap());
        assert_eq!(Ran::from(ran).code, Some(exit), "{args:?}");
    }
}

#[test]
fn everybodys_sessions_are_no_matter_of_one_daemon() {
    let home = answering(vec![], vec![]);
    for words in [&["logout", "--all-users"][..], &["logout", "--all-users", "prod"]] {
        let ran = home.run(words.iter().copied());
        assert_eq!(ran.code, Some(2), "{words:?}: {}", ran.err);
    }
}
