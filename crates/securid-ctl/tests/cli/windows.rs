//! What Windows has of its own: devices, exit codes of 32 bits, batch files, and words that name nothing of Linux.

use std::fs;

use securid_ipc::messages::*;
use securid_trust::Standing;

use crate::fake::{Home, PATIENCE, Ran, bounded, well};

fn lend(call: &Call) -> Option<Result<Reply, RpcError>> {
    Some(Ok(match call {
        Call::Hold(_) => Reply::Held(SessionRef { session: "0123456789abcdef".into() }),
        Call::Token(_) => Reply::Token(TokenView {
            token: "t-1".to_owned().into(),
            url: "https://h".into(),
            session: "0123456789abcdef".into(),
            instance: "prod".into(),
            expires_at: None,
        }),
        _ => panic!("{call:?}"),
    }))
}

#[test]
fn a_program_gets_the_session_and_its_status_is_passed_on_whole() {
    let home = Home::answering(lend);
    let ran = home.run(["exec", "prod", "--", "cmd", "/c", "echo %SECURID_TOKEN% %SECURID_URL%"]);
    assert_eq!((ran.code, ran.out.trim_end()), (Some(0), "t-1 https://h"), "{}", ran.err);
    assert!(matches!(home.call(), Call::Hold(_)));
    for code in [1, 255, 256, 0x4000_0001, -1_073_741_510] {
        let exit = format!("exit {code}");
        let ran = home.run(["exec", "--", "cmd", "/c", &exit]);
        assert_eq!((ran.code, &*ran.err), (Some(code), ""));
    }
}

#[test]
fn what_cannot_be_run_has_its_own_statuses() {
    let home = Home::answering(lend);
    let text = home.path().join("text.exe");
    fs::write(&text, "no program").unwrap();
    for (program, exit) in [
        (r"C:\nonexistent\x.exe", 127),
        ("securid-no-such-program", 127),
        (text.to_str().unwrap(), 126),
    ] {
        let ran = home.run(["exec", "--", program]);
        assert_eq!(ran.code, Some(exit), "{}", ran.err);
        assert!(ran.err.contains(program), "{}", ran.err);
    }
    let nobody = Home::answering(|_| Some(Err(RpcError::new(ErrorCode::NoSuchSession, "none"))));
    assert_eq!(nobody.run(["exec", "--", "cmd", "/c", "exit"]).code, Some(125));
}

#[test]
fn a_batch_file_has_to_be_named_whole() {
    let home = Home::answering(lend);
    fs::write(home.path().join("say.cmd"), "@echo off\r\n").unwrap();
    let ran = Ran::of(home.ctl(["exec", "--", r".\say.cmd"]).current_dir(home.path()), "");
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let whole = home.path().join("say");
    for (program, is_told) in
        [(whole.to_str().unwrap(), true), ("say", true), ("say.exe", false), ("no.cmd", false)]
    {
        let ran = home.run(["exec", "--", program]);
        assert_eq!(ran.code, Some(127), "{}", ran.err);
        assert_eq!(ran.err.contains("its .cmd or .bat"), is_told, "{}", ran.err);
    }
}

#[test]
fn a_batch_file_gets_no_argument_that_it_would_carry_out() {
    let home = Home::answering(lend);
    let batch = home.path().join("say.cmd");
    fs::write(&batch, "@echo off\r\necho [%~1]\r\n").unwrap();
    let batch = batch.to_str().unwrap();
    let ran = home.run(["exec", "--", batch, "a b"]);
    assert_eq!((ran.code, ran.out.trim_end()), (Some(0), "[a b]"), "{}", ran.err);
    let ran = home.run(["exec", "--", batch, "a\nb"]);
    assert_eq!(ran.code, Some(126), "{}", ran.err);
}

#[test]
fn an_answer_may_go_to_a_device() {
    let answer = || {
        Reply::Relayed(RelayView {
            call: 1,
            body: Some(Chunk(b"answer".to_vec())),
            more: Some(false),
            session: "0123456789abcdef".into(),
            status: Some(200),
            content_type: None,
        })
    };
    let home = Home::replying(answer());
    for device in ["NUL", "nul"] {
        let ran = home.run(["call", "findUsers", "-o", device]);
        assert_eq!((ran.code, &*ran.out, &*ran.err), (Some(0), "", ""));
    }
    let place = home.path().join("größer.json");
    for _ in 0..2 {
        let ran = home.run(["call", "findUsers", "-o", place.to_str().unwrap()]);
        assert_eq!((ran.code, &*ran.err), (Some(0), ""));
        assert_eq!(fs::read(&place).unwrap(), b"answer");
    }
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1, "a draft is left");
    while home.was_called() {}
    let stream = home.path().join("answer:s");
    let ran = home.run(["call", "findUsers", "-o", stream.to_str().unwrap()]);
    assert_eq!((ran.code, &*ran.out), (Some(1), ""));
    assert!(ran.err.contains("a stream") && ran.err.contains("Nothing was sent."), "{}", ran.err);
    assert!(!home.was_called());
}

#[test]
fn an_answer_is_for_whom_the_file_was_that_it_replaces() {
    let answer = RelayView {
        call: 1,
        body: Some(Chunk(b"answer".to_vec())),
        more: Some(false),
        session: "0123456789abcdef".into(),
        status: Some(200),
        content_type: None,
    };
    let home = Home::replying(Reply::Relayed(answer));
    let [ours, new] = ["ours", "new"].map(|name| home.path().join(name));
    drop(securid_trust::create_new(&ours).unwrap());
    for place in [&ours, &new] {
        let ran = home.run(["call", "findUsers", "-o", place.to_str().unwrap()]);
        assert_eq!((ran.code, &*ran.err), (Some(0), ""));
        assert_eq!(fs::read(place).unwrap(), b"answer");
    }
    let standing = Standing::at(&ours).unwrap();
    assert!(!standing.is_open_to_others(), "{}", standing.access());
}

#[test]
fn nothing_is_advised_that_is_linuxs() {
    let home = Home::new();
    let mut all = String::new();
    for args in [
        &["list"][..],
        &["start"],
        &["doctor"],
        &["config", "show"],
        &["setup", "--print"],
        &["setup", "--global"],
        &["logout", "--all-users"],
        &["logout", "--if-last-session"],
        &["setup", "--help"],
        &["start", "--help"],
    ] {
        let ran = bounded(PATIENCE, || home.run(args.iter().copied()));
        assert!(ran.code.is_some_and(|code| code <= 78), "{args:?}: {ran:?}");
        all.push_str(&ran.out);
        all.push_str(&ran.err);
    }
    for word in ["chmod", "chown", "systemctl", "systemd", "journalctl", "/etc/", "launchd"] {
        assert!(!all.contains(word), "{word}: {all}");
    }
    assert_eq!(home.run(["setup", "--global"]).code, Some(2));
    assert_eq!(home.run(["logout", "--all-users"]).code, Some(2));
}

#[test]
fn paths_are_those_of_windows() {
    let home = Home::new();
    let ran = home.run(["paths", "--json"]);
    let paths: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let own = home.path().join(r"Roaming\securid\config.toml");
    assert_eq!(paths["config"][2], own.to_str().unwrap());
    assert_eq!(paths["state_dir"], home.path().join("state").to_str().unwrap());
    assert_eq!(paths["sockets"], serde_json::json!([home.socket().to_str().unwrap()]));
}

#[test]
fn one_that_runs_is_not_started_again() {
    let home = Home::replying(Reply::Status(well()));
    let ran = home.run(["start"]);
    assert_eq!((ran.code, &*ran.out), (Some(0), "it runs already (process 4194305)\n"));
}

#[test]
fn a_reader_that_has_gone_is_no_panic() {
    let home = Home::new();
    let mut command = home.ctl(["paths"]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let ran = Ran::of(command.stdout(writer), "");
    assert_eq!((ran.code, &*ran.err), (Some(1), ""));
}

#[test]
fn standard_input_is_the_program_s_and_a_password_comes_from_it() {
    let home = Home::answering(lend);
    let ran = home.run_with(["exec", "--", "cmd", "/c", "findstr x"], "xyz\r\n");
    // Wine has no findstr of its own that filters; where there is one, it passes the line on.
    assert!(ran.out.is_empty() || ran.out.trim_end() == "xyz", "{ran:?}");
    let home = Home::answering(|call| {
        let Call::Login(login) = call else { panic!("{call:?}") };
        assert_eq!(login.proof, Proof::Password("größer".to_owned().into()));
        Some(Err(RpcError::new(ErrorCode::LoginRefused, "no")))
    });
    let ran =
        home.run_with(["login", "prod", "--username", "ann", "--password-stdin"], "größer\r\n");
    assert_eq!(ran.code, Some(77), "{}", ran.err);
}
