//! `login` and `add`: where the secret comes from, and where it does not go.

use std::{fs, os::unix::fs::PermissionsExt as _};

use securid_ipc::messages::*;

use crate::fake::{Home, session};

fn taking(warning: Option<&str>) -> Home {
    let taken =
        TakenView { session: session(SessionState::Active), warning: warning.map(str::to_owned) };
    Home::replying(Reply::LoggedIn(taken))
}

fn login(password: &str) -> Call {
    Call::Login(Login {
        instance: None,
        username: None,
        password: password.to_owned().into(),
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
        ("p w\n\n", "p w\n"),
        (" ä\"\\ ", " ä\"\\ "),
    ] {
        let ran = home.run_with(["login", "--password-stdin"], typed);
        assert_eq!((ran.code, &*ran.err), (Some(0), ""));
        assert_eq!(ran.out, "session 0123456789abcdef (anna@prod)\n");
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
            password: "pw".to_owned().into(),
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
    let taken = TakenView { session: session(SessionState::Active), warning: None };
    let home = Home::answering(move |_| {
        std::thread::sleep(std::time::Duration::from_millis(2500));
        Some(Ok(Reply::LoggedIn(taken.clone())))
    });
    let ran = home.run_with(["login", "--password-stdin"], "pw");
    assert_eq!(ran.code, Some(0));
    assert!(ran.err.contains("waiting for the keyring to be unlocked"), "{}", ran.err);
}
