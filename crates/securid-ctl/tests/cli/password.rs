//! `login` and `add`: where the secret comes from, and where it does not go.

use std::{
    fs,
    os::unix::{fs::PermissionsExt as _, process::ExitStatusExt as _},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use securid_ipc::messages::*;

use crate::fake::{Home, PATIENCE, Ran, session};

fn taking(warning: Option<&str>) -> Home {
    let taken = TakenView {
        session: session(SessionState::Active),
        warning: warning.map(str::to_owned),
        replaced: None,
    };
    Home::replying(Reply::LoggedIn(taken))
}

const SAID: &str = "logged in as anna at prod: session 0123456789abcdef\nrevoked in 357573d\n";

fn login(password: &str) -> Call {
    Call::Login(Login {
        instance: None,
        username: None,
        proof: Proof::Password(password.to_owned().into()),
        auth_source: None,
        replace: false,
        tied: false,
    })
}

#[test]
fn from_standard_input_less_one_newline() {
    let home = taking(None);
    for (typed, password) in [
        ("pw", "pw"),
        ("pw\n", "pw"),
        ("pw\r\n", "pw"),
        ("\u{feff}pw\r\n", "pw"),
        ("p w\n\n", "p w\n"),
        (" ä\"\\ ", " ä\"\\ "),
    ] {
        let ran = home.run_with(["login", "--password-stdin"], typed);
        assert_eq!((ran.code, &*ran.err), (Some(0), ""));
        assert_eq!(ran.out, SAID);
        assert_eq!(home.call(), login(password), "{typed:?}");
    }
}

#[test]
fn every_option_reaches_the_daemon() {
    let home = taking(None);
    let args = [
        "login",
        "prod",
        "--username",
        "anna",
        "--auth-source",
        "AD",
        "--replace",
        "--password-stdin",
    ];
    assert_eq!(home.run_with(args, "pw\n").code, Some(0));
    assert_eq!(
        home.call(),
        Call::Login(Login {
            instance: Some("prod".into()),
            username: Some("anna".into()),
            proof: Proof::Password("pw".to_owned().into()),
            auth_source: Some("AD".into()),
            replace: true,
            tied: false,
        })
    );
    assert_eq!(
        home.run_with(["add", "prod", "--username", "anna", "--token-stdin"], "t\n").code,
        Some(0)
    );
    assert_eq!(
        home.call(),
        Call::Add(Add {
            instance: Some("prod".into()),
            token: "t".to_owned().into(),
            username: Some("anna".into()),
        })
    );
}

#[test]
fn from_a_file_that_nobody_else_may_read() {
    let home = taking(None);
    let file = home.path().join("pw");
    let name = file.to_str().unwrap();
    fs::write(&file, "pw\n").unwrap();
    for (mode, exit) in [(0o600, 0), (0o400, 0), (0o640, 2), (0o604, 2), (0o620, 2)] {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let ran = home.run(["login", "--password-file", name]);
        assert_eq!(ran.code, Some(exit), "{mode:o}: {}", ran.err);
        assert_eq!(home.was_called(), exit == 0);
        if exit != 0 {
            assert!(ran.err.contains(&format!("chmod 600 {name}")), "{}", ran.err);
        }
    }
    assert_eq!(home.run(["login", "--password-file", "/nonexistent"]).code, Some(2));
}

#[test]
fn without_a_terminal_nothing_is_asked_and_nothing_sent() {
    let home = taking(None);
    let ran = home.run(["login"]);
    assert_eq!((ran.code, &*ran.out), (Some(2), ""));
    assert!(ran.err.contains("--password-stdin"), "{}", ran.err);
    assert!(!home.was_called());
}

/// A daemon that knows its instance and user, and takes any login.
fn knowing(username: Option<&str>) -> Home {
    let place = InstructionsView {
        instance: "prod".into(),
        url: "https://h:8443/aveksa/command.submit".into(),
        username: username.map(str::to_owned),
        auth_source: Some("AD".into()),
        instructions: Some("Read this.".into()),
    };
    let taken = TakenView { session: session(SessionState::Active), warning: None, replaced: None };
    Home::answering(move |call| {
        Some(Ok(match call {
            Call::Instructions(_) => Reply::Instructions(place.clone()),
            _ => Reply::LoggedIn(taken.clone()),
        }))
    })
}

/// A program that does this with its prompt, `$1`.
fn program(home: &Home, does: &str) -> String {
    let path = home.path().join("askpass");
    fs::write(&path, format!("#!/bin/sh\n{does}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_program_asks_for_the_password() {
    let home = knowing(Some("anna"));
    let note = home.path().join("note");
    let does = format!(
        "printf '%s|%s' \"$1\" \"$SECURID_TOKEN\" > {}; echo 'p w'; echo more",
        note.display()
    );
    let asks = program(&home, &does);
    let asked_for_anna = Call::Login(Login {
        instance: Some("prod".into()),
        username: Some("anna".into()),
        proof: Proof::Password("p w".to_owned().into()),
        auth_source: Some("AD".into()),
        replace: false,
        tied: false,
    });
    let by_flag = ["login", "--askpass", &asks];
    let by_variable = ["login"];
    for args in [&by_flag[..], &by_variable] {
        let mut ctl = home.ctl(args.iter().copied());
        let ran = Ran::of(ctl.env("SECURID_ASKPASS", &asks).env("SECURID_TOKEN", "t0k3n"), "");
        assert_eq!((ran.code, &*ran.err, &*ran.out), (Some(0), "", SAID));
        let prompt = fs::read_to_string(&note).unwrap();
        assert_eq!(prompt, "Password for anna at prod (https://h:8443): |", "and no token");
        assert!(matches!(home.call(), Call::Instructions(_)));
        assert_eq!(home.call(), asked_for_anna);
    }
    // Whoever says where the password is does not want a dialog.
    let mut ctl = home.ctl(["login", "--password-stdin"]);
    let ran = Ran::of(ctl.env("SECURID_ASKPASS", &asks), "other");
    assert_eq!((ran.code, home.call()), (Some(0), login("other")));
}

#[test]
fn without_an_answer_of_the_program_nothing_is_sent() {
    let home = knowing(Some("anna"));
    for (does, says) in [
        ("exit 1", "ended with exit status: 1"),
        ("echo pw; exit 3", "ended with exit status: 3"),
        ("echo", "is empty"),
        ("true", "is empty"),
        ("printf '\\r\\n'", "is empty"),
        ("printf '\\377\\n'", "no UTF-8"),
        ("kill $$", "signal: 15"),
        ("head -c 100000 /dev/zero | tr '\\0' x", "too long"),
    ] {
        let asks = program(&home, does);
        let ran = home.run(["login", "--askpass", &asks]);
        assert_eq!((ran.code, &*ran.out), (Some(2), ""), "{does}: {}", ran.err);
        assert!(ran.err.contains(says) && ran.err.contains(&asks), "{does}: {}", ran.err);
        assert!(matches!(home.call(), Call::Instructions(_)));
    }
    let ran = home.run(["login", "--askpass", "/nonexistent/askpass"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("cannot run /nonexistent/askpass"), "{}", ran.err);
    assert!(matches!(home.call(), Call::Instructions(_)));
    assert!(!home.was_called());
    let nobody = knowing(None);
    let ran = nobody.run(["login", "--askpass", "/nonexistent/askpass"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("--username"), "{}", ran.err);
}

#[test]
fn nobody_is_asked_where_nobody_could_log_in() {
    let mut home = Home::answering(|call| match call {
        Call::Instructions(_) => {
            Some(Err(RpcError::new(ErrorCode::ServerUnreachable, "no way to it")))
        }
        _ => None,
    });
    let note = home.path().join("note");
    let asks = program(&home, &format!("touch {}; echo pw", note.display()));
    assert_eq!(home.run(["login", "--askpass", &asks]).code, Some(68));
    home.stop();
    let ran = home.run(["exec", "--login", "--askpass", &asks, "--", "true"]);
    assert_eq!(ran.code, Some(125));
    assert_eq!(home.run(["login", "--askpass", &asks]).code, Some(69));
    assert!(!note.exists());
}

#[test]
fn who_interrupts_a_program_that_asks_ends_it() {
    let home = knowing(Some("anna"));
    for (signal, ended) in [(Signal::INT, (Some(130), None)), (Signal::TERM, (None, Some(15)))] {
        let note = home.path().join(format!("pid-{}", signal.as_raw()));
        let does = format!("sleep 1000 & echo $! > {0}.new; mv {0}.new {0}; wait", note.display());
        let asks = program(&home, &does);
        let mut ctl = home.ctl(["login", "--askpass", &asks]).spawn().unwrap();
        let pid = || fs::read_to_string(&note).ok()?.trim().parse::<i32>().ok();
        let started = eventually(pid);
        kill_process(Pid::from_child(&ctl), signal).unwrap();
        let status = eventually(|| ctl.try_wait().unwrap());
        assert_eq!((status.code(), status.signal()), ended);
        eventually(|| (!is_alive(started)).then_some(()));
    }
    assert!(matches!((home.call(), home.call()), (Call::Instructions(_), Call::Instructions(_))));
    assert!(!home.was_called(), "nothing was sent");
}

fn eventually<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        match look() {
            Some(seen) => return seen,
            None => assert!(Instant::now() < until, "it does not come"),
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// One that nobody has waited for yet is dead all the same.
fn is_alive(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, state)| !state.starts_with('Z'))
}

#[test]
fn an_assertion_goes_out_as_it_is() {
    let home = taking(None);
    let assertion = "<a b=\"c\">\r\n\u{e4}</a>\n\n";
    let file = home.path().join("assertion");
    fs::write(&file, assertion).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let sent = Call::Login(Login {
        instance: Some("prod".into()),
        username: None,
        proof: Proof::Assertion(assertion.to_owned().into()),
        auth_source: Some("SSO".into()),
        replace: true,
        tied: false,
    });
    for (input, typed) in [(file.to_str().unwrap(), ""), ("-", assertion)] {
        let args = ["login", "prod", "--auth-source", "SSO", "--replace", "--input", input];
        let ran = home.run_with(args, typed);
        assert_eq!((ran.code, &*ran.err), (Some(0), ""));
        assert_eq!(home.call(), sent);
    }
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(home.run(["login", "--input", file.to_str().unwrap()]).code, Some(2));
    assert_eq!(home.run_with(["login", "--input", "-"], "").code, Some(2));
    // So many characters alone would fit, but not once they are escaped.
    let ran = home.run_with(["login", "--input", "-"], &"\"".repeat(40_000));
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("64 KiB") && ran.err.contains("Nothing was sent"), "{}", ran.err);
    for other in [["--password-stdin", "--"], ["--password-file", "x"], ["--askpass", "x"]] {
        let ran = home.run(["login", "--input", "-"].into_iter().chain(other));
        assert_eq!(ran.code, Some(2), "{other:?}: {}", ran.err);
    }
    assert!(!home.was_called());
}

#[test]
fn a_missing_auth_source_is_a_matter_of_usage() {
    let home = Home::answering(|_| {
        let mut error = RpcError::new(ErrorCode::Params, "where?");
        error.data.missing = Some("auth_source".into());
        Some(Err(error))
    });
    let ran = home.run_with(["login", "--input", "-"], "<a/>");
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("--auth-source"), "{}", ran.err);
}

#[test]
fn an_empty_secret_is_never_sent() {
    let home = taking(None);
    for args in [["login", "--password-stdin"], ["add", "--token-stdin"]] {
        for nothing in ["", "\n", "\r\n"] {
            let ran = home.run_with(args, nothing);
            assert_eq!(ran.code, Some(2), "{args:?} {nothing:?}: {}", ran.err);
        }
    }
    let far_too_long = "x".repeat(70_000);
    assert_eq!(home.run_with(["login", "--password-stdin"], &far_too_long).code, Some(2));
    assert!(!home.was_called());
}

#[test]
fn a_refused_login_is_77_not_repeated_and_silent_about_the_password() {
    let home =
        Home::answering(|_| Some(Err(RpcError::new(ErrorCode::LoginRefused, "wrong password"))));
    let ran = home.run_with(["login", "--password-stdin"], "hunter2");
    assert_eq!(ran.code, Some(77));
    assert!(!(ran.out + &ran.err).contains("hunter2"));
    home.call();
    assert!(!home.was_called(), "it was tried again");
}

#[test]
fn a_missing_username_is_a_matter_of_usage() {
    let home = Home::answering(|_| {
        let mut error = RpcError::new(ErrorCode::Params, "who?");
        error.data.missing = Some("username".into());
        Some(Err(error))
    });
    let ran = home.run_with(["login", "--password-stdin"], "pw");
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("--username"), "{}", ran.err);
}

#[test]
fn a_store_that_forgets_is_a_warning() {
    let home = taking(Some("does not survive a reboot"));
    let ran = home.run_with(["login", "--password-stdin"], "pw");
    assert_eq!(ran.err, "securid-ctl: warning: does not survive a reboot\n");
    let ran = home.run_with(["login", "--password-stdin", "--json"], "pw");
    assert_eq!(ran.err, "");
    let taken: TakenView = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(taken.session, session(SessionState::Active));
    assert_eq!(taken.warning.as_deref(), Some("does not survive a reboot"));
}

#[test]
fn a_long_wait_is_explained() {
    let taken = TakenView { session: session(SessionState::Active), warning: None, replaced: None };
    let home = Home::answering(move |_| {
        std::thread::sleep(std::time::Duration::from_millis(2500));
        Some(Ok(Reply::LoggedIn(taken.clone())))
    });
    let ran = home.run_with(["login", "--password-stdin"], "pw");
    assert_eq!(ran.code, Some(0));
    assert!(ran.err.contains("waiting for the keyring to be unlocked"), "{}", ran.err);
}
