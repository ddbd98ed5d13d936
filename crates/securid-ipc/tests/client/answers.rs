//! What daemons answer, or not.

use std::{
    io::{BufRead as _, Write as _},
    time::Duration,
};

use securid_ipc::{
    VERSION,
    client::{ClientError, LIVE_WITHIN},
    messages::{ErrorCode, Event, News, SessionRef},
};
use serde_json::{Value, json};

use crate::daemon::{Daemon, GREETING, HELD, PATIENCE, bounded, held, hold};

#[test]
fn greeting_and_call_go_out_together_and_answers_come_in_any_order() {
    for lines in [
        &[GREETING, HELD][..],
        &[HELD, GREETING],
        &[GREETING, r#"{"jsonrpc":"2.0","id":77,"result":null}"#, HELD],
    ] {
        let mut daemon = Daemon::new();
        daemon.answer(lines);
        assert_eq!(held(&mut daemon.connect()).unwrap().session, "a");
    }
}

#[test]
fn the_daemon_s_error_is_handed_on() {
    let mut daemon = Daemon::new();
    let error = r#"{"jsonrpc":"2.0","id":2,"error":{"code":-32001,"message":"no","data":{"hint":"h","new":1}}}"#;
    daemon.answer(&[GREETING, error]);
    let error = held(&mut daemon.connect()).unwrap_err();
    assert_eq!(error.exit_code(), 66);
    let ClientError::Rpc(error) = error else { panic!("{error}") };
    assert_eq!((error.code, error.data.hint.as_deref()), (ErrorCode::NoSuchSession, Some("h")));
}

#[test]
fn another_protocol_is_refused_and_told_which_side_is_older() {
    for (theirs, it_is) in [(0, "older"), (2, "newer")] {
        let mut daemon = Daemon::new();
        let protocol = format!("\"protocol\":{theirs}");
        daemon.answer(&[&GREETING.replace("\"protocol\":1", &protocol), HELD]);
        let error = held(&mut daemon.connect()).unwrap_err();
        assert_eq!(error.exit_code(), 76);
        assert_eq!(
            error.to_string(),
            format!(
                "the daemon speaks protocol {theirs} (version 9), this program 1 (version {VERSION}): it is {it_is} \
                 than this program"
            )
        );
    }
}

#[test]
fn an_older_daemon_of_this_protocol_is_told_from_a_wrong_call() {
    let older = GREETING.replace("\"9\"", "\"0.0.9\"");
    let error = |code, data| {
        format!(r#"{{"jsonrpc":"2.0","id":2,"error":{{"code":{code},"message":"no"{data}}}}}"#)
    };
    let method = error(-32601, "");
    let unknown = error(-32602, r#","data":{"unknown":true}"#);
    let wrong = error(-32602, "");
    for (greeting, answer, exit, says) in [
        (&*older, &method, 76, "does not know session.hold"),
        (&older, &unknown, 76, "does not know a parameter of session.hold: no"),
        (&older, &wrong, 1, "no"),
        (GREETING, &method, 1, "no"),
        (GREETING, &unknown, 1, "no"),
    ] {
        // The answer first: what it means follows from the greeting all the same.
        let mut daemon = Daemon::new();
        daemon.answer(&[answer, greeting]);
        let error = held(&mut daemon.connect()).unwrap_err();
        assert_eq!(error.exit_code(), exit, "{error}");
        assert!(error.to_string().ends_with(says), "{error}");
        assert_eq!(error.to_string().contains("(version 0.0.9) is older"), exit == 76, "{error}");
    }
}

#[test]
fn nonsense_is_refused() {
    for lines in [
        &["hello"][..],
        &[GREETING, "{}"],
        &[GREETING, r#"{"jsonrpc":"2.0","id":2,"result":{"sess":"a"}}"#],
        &[GREETING, r#"{"jsonrpc":"2.0","id":2}"#],
    ] {
        let mut daemon = Daemon::new();
        daemon.answer(lines);
        let error = held(&mut daemon.connect()).unwrap_err();
        assert!(matches!(error, ClientError::Garbled { .. }), "{lines:?}: {error}");
    }
}

#[test]
fn an_endless_line_is_cut_off() {
    let mut daemon = Daemon::new();
    daemon.serve(|mut peer| while peer.get_mut().write_all(&[b'x'; 4096]).is_ok() {});
    let error = held(&mut daemon.connect()).unwrap_err();
    assert!(matches!(error, ClientError::Garbled { .. }), "{error}");
}

#[test]
fn a_daemon_that_ends_is_noticed_at_once() {
    let mut daemon = Daemon::new();
    daemon.serve(|mut peer| {
        let _ = peer.read_line(&mut String::new());
    });
    let mut client = daemon.connect();
    let error = bounded(LIVE_WITHIN, || held(&mut client)).unwrap_err();
    assert!(matches!(error, ClientError::Disconnected { .. }), "{error}");
    assert_eq!(error.exit_code(), 69);
}

#[test]
fn a_daemon_that_never_accepts_is_unresponsive() {
    let daemon = Daemon::new();
    let mut client = daemon.connect();
    let error = bounded(LIVE_WITHIN * 3, || held(&mut client)).unwrap_err();
    assert!(matches!(error, ClientError::Unresponsive { .. }), "{error}");
    assert_eq!(error.exit_code(), 69);
}

#[test]
fn a_slow_result_is_bounded_by_the_caller_not_by_the_sign_of_life() {
    let mut daemon = Daemon::new();
    daemon.answer(&[GREETING]);
    let mut client = daemon.connect();
    let within = Duration::from_millis(100);
    let error = bounded(LIVE_WITHIN, || client.call::<SessionRef>(&hold(), within)).unwrap_err();
    assert!(matches!(error, ClientError::TooSlow { .. }), "{error}");
}

#[test]
fn the_end_of_the_daemon_is_waited_for() {
    let mut daemon = Daemon::new();
    let (end, ended) = std::sync::mpsc::channel::<()>();
    daemon.serve(move |mut peer| {
        let mut request = String::new();
        peer.read_line(&mut request).unwrap();
        peer.read_line(&mut request).unwrap();
        writeln!(peer.get_mut(), "{GREETING}\n{HELD}").unwrap();
        ended.recv().unwrap();
    });
    let mut client = daemon.connect();
    held(&mut client).unwrap();
    assert!(!client.wait_closed(Some(Duration::from_millis(50))), "it has not gone yet");
    end.send(()).unwrap();
    assert!(bounded(PATIENCE, || client.wait_closed(None)));
}

/// Whether the request went out before or after that, is a matter of luck.
#[test]
fn why_the_daemon_let_the_client_go_is_told() {
    let mut daemon = Daemon::new();
    let (closed, is_closed) = std::sync::mpsc::channel::<()>();
    daemon.serve(move |mut peer| {
        let full = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32011,"message":"full"}}"#;
        writeln!(peer.get_mut(), "{full}").unwrap();
        drop(peer);
        closed.send(()).unwrap();
    });
    let mut client = daemon.connect();
    is_closed.recv().unwrap();
    let error = held(&mut client).unwrap_err();
    assert!(matches!(&error, ClientError::Rpc(e) if e.code == ErrorCode::LimitExceeded), "{error}");
    assert_eq!(error.exit_code(), 1);
}

#[test]
fn events_are_read_one_by_one_to_their_end() {
    let mut daemon = Daemon::new();
    let event =
        |params: &str| format!(r#"{{"jsonrpc":"2.0","method":"event","new":0,"params":{params}}}"#);
    daemon.answer(&[
        GREETING,
        r#"{"jsonrpc":"2.0","id":2,"result":{"new":0}}"#,
        &event(r#"{"seq":1,"event":"ready","new":0}"#),
        &event(r#"{"seq":2,"event":"news of later days","of":[]}"#),
        &event(r#"{"seq":3,"event":"missed","ends":7}"#),
        r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32011,"message":"full"}}"#,
    ]);
    let mut events = daemon.connect().subscribe(PATIENCE).unwrap();
    let mut next = || events.next::<Event>(PATIENCE).unwrap().unwrap();
    assert_eq!(next(), Event { seq: 1, news: News::Ready });
    assert_eq!(next(), Event { seq: 2, news: News::Other });
    // As it came, for whoever hands it on.
    let raw: Value = events.next(PATIENCE).unwrap().unwrap();
    assert_eq!(raw, json!({"seq": 3, "event": "missed", "ends": 7}));
    let error = events.next::<Event>(PATIENCE).unwrap_err();
    assert!(matches!(&error, ClientError::Rpc(e) if e.code == ErrorCode::LimitExceeded), "{error}");
}

#[test]
fn events_that_do_not_come_are_not_waited_for_any_longer() {
    let mut daemon = Daemon::new();
    let (end, ended) = std::sync::mpsc::channel::<()>();
    daemon.serve(move |mut peer| {
        let mut request = String::new();
        peer.read_line(&mut request).unwrap();
        peer.read_line(&mut request).unwrap();
        writeln!(peer.get_mut(), "{GREETING}\n{{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{{}}}}")
            .unwrap();
        ended.recv().unwrap();
        // What is half said when it ends is no event.
        peer.get_mut().write_all(br#"{"jsonrpc":"2.0","method":"ev"#).unwrap();
    });
    let mut events = daemon.connect().subscribe(PATIENCE).unwrap();
    for within in [Duration::ZERO, Duration::from_millis(50)] {
        assert!(bounded(PATIENCE, || events.next::<Event>(within).unwrap()).is_none());
    }
    end.send(()).unwrap();
    let error = events.next::<Event>(PATIENCE).unwrap_err();
    assert!(matches!(error, ClientError::Disconnected { .. }), "{error}");
}
