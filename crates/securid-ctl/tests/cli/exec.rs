//! `exec`: environment, statuses, signals, and the hold that outlives a daemon.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    os::unix::net::UnixListener,
    process::{Child, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use securid_ipc::messages::*;

use crate::fake::{Event, Home, PATIENCE, Ran};

fn lend(call: &Call) -> Option<Result<Reply, RpcError>> {
    Some(Ok(match call {
        Call::Hold(_) => Reply::Held(SessionRef { session: "0123456789abcdef".into() }),
        Call::Token(_) => Reply::Token(TokenView {
            token: "t-1".to_owned().into(),
            url: "https://h".into(),
            session: "0123456789abcdef".into(),
            instance: "prod".into(),
            expires_at: Some("2999-01-01T00:00:00Z".into()),
        }),
        _ => panic!("{call:?}"),
    }))
}

#[test]
fn the_program_gets_the_session_and_its_status_is_passed_on() {
    let home = Home::answering(lend);
    let ran = home.run([
        "exec",
        "prod",
        "--",
        "sh",
        "-c",
        "echo $SECURID_TOKEN $SECURID_URL $SECURID_SESSION $SECURID_INSTANCE $SECURID_EXPIRES_AT; \
         echo complaint >&2; exit 42",
    ]);
    assert_eq!(
        ran,
        Ran {
            code: Some(42),
            out: "t-1 https://h 0123456789abcdef prod 2999-01-01T00:00:00Z\n".into(),
            err: "complaint\n".into(),
        }
    );
    // The token is that of the session that is held, whatever the selector would mean by then.
    assert_eq!(home.call(), Call::Hold(OneSession { session: Some("prod".into()) }));
    let id = Some("0123456789abcdef".into());
    assert_eq!(home.call(), Call::Token(Use { session: id, in_use_for: None }));
    assert_eq!(home.event(), Event::Closed);
}

#[test]
fn standard_input_is_the_program_s() {
    let home = Home::answering(lend);
    assert_eq!(home.run_with(["exec", "--", "cat"], "through").out, "through");
}

#[test]
fn what_cannot_be_run_has_its_own_statuses() {
    let home = Home::answering(lend);
    for (program, exit) in [("/nonexistent", 127), ("securid-no-such-program", 127), ("/etc", 126)]
    {
        let ran = home.run(["exec", "--", program]);
        assert_eq!(ran.code, Some(exit), "{}", ran.err);
        assert!(ran.err.contains(program), "{}", ran.err);
    }
    let nobody = Home::answering(|_| Some(Err(RpcError::new(ErrorCode::NoSuchSession, "none"))));
    assert_eq!(nobody.run(["exec", "--", "true"]).code, Some(125));
}

/// Runs a shell script that says "ready" once it is.
fn started(home: &Home, script: &str) -> (Child, BufReader<std::process::ChildStdout>) {
    let mut command = home.ctl(["exec", "--", "sh", "-c", script]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    (child, out)
}

fn send(child: &Child, signal: Signal) {
    kill_process(Pid::from_raw(child.id().try_into().unwrap()).unwrap(), signal).unwrap();
}

#[test]
fn signals_go_to_the_program() {
    let home = Home::answering(lend);
    for (signal, number) in [(Signal::TERM, 15), (Signal::INT, 2), (Signal::HUP, 1)] {
        // One that handles it decides itself (a shell that is about to wait for a line would not see what came
        // just before),
        let script = "trap 'echo caught; exit 9' TERM INT HUP; echo ready; \
                      for n in $(seq 600); do sleep 0.1; done";
        let (mut child, mut out) = started(&home, script);
        send(&child, signal);
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        assert_eq!(line, "caught\n");
        assert_eq!(child.wait().unwrap().code(), Some(9));
        // one that does not dies of it.
        let (mut child, _out) = started(&home, "echo ready; exec sleep 60");
        send(&child, signal);
        assert_eq!(child.wait().unwrap().code(), Some(128 + number));
    }
}

#[test]
fn what_is_ignored_stays_ignored() {
    let home = Home::answering(lend);
    let ctl = env!("CARGO_BIN_EXE_securid-ctl");
    let script = format!("trap '' HUP; exec {ctl} exec -- sh -c 'kill -HUP $$; echo alive'");
    let mut command = std::process::Command::new("sh");
    command.args(["-c", &script]).env("SECURID_SOCKET", home.socket());
    let ran = Ran::of(command.stdout(Stdio::piped()).stderr(Stdio::piped()), "");
    assert_eq!((ran.code, &*ran.out), (Some(0), "alive\n"), "{}", ran.err);
}

#[test]
fn the_hold_outlives_the_daemon() {
    let mut home = Home::answering(lend);
    let (mut child, _out) = started(&home, "echo ready; read line; exit 5");
    assert!(matches!(home.call(), Call::Hold(_)));
    home.stop();
    home.start(lend);
    let held = OneSession { session: Some("0123456789abcdef".into()) };
    assert_eq!(home.call(), Call::Hold(held));
    child.stdin.take().unwrap().write_all(b"go\n").unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(5));
    assert_eq!(home.event(), Event::Closed);
}

/// Where a name lasts as long as its last client, the next daemon could not have it else.
#[test]
fn a_dead_daemon_s_connection_is_closed_before_the_next_one_is_there() {
    let home = Home::new();
    let daemon = UnixListener::bind(home.socket()).unwrap();
    let mut command = home.ctl(["exec", "--", "sh", "-c", "read line"]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let (mut client, _) = daemon.accept().unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut requests = BufReader::new(client.try_clone().unwrap());
    // A greeting before each of them.
    let (hold, token) =
        (r#"{"session":"a"}"#, r#"{"token":"t","url":"u","session":"a","instance":"i"}"#);
    let hello = r#"{"protocol":1,"version":"0.1.0"}"#;
    for (id, result) in (1..).zip([hello, hold, hello, token]) {
        requests.read_line(&mut String::new()).unwrap();
        writeln!(client, r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#).unwrap();
    }
    // It says nothing more, and there is no other.
    std::fs::remove_file(home.socket()).unwrap();
    client.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(requests.read(&mut [0]).unwrap(), 0);
    drop(child.stdin.take());
    child.wait().unwrap();
}
