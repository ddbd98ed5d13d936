//! Pipes: whose they are, and who has room.

use std::{
    fs,
    io::{self, BufRead as _, Read as _, Write as _},
    os::windows::io::AsHandle as _,
    path::Path,
    sync::mpsc,
    time::Duration,
};

use securid_ipc::{
    client::{Client, ClientError, ConnectError, Events, LIVE_WITHIN},
    messages::{Call, Event, OneSession, SessionRef},
};
use securid_windows::{pipes::client::Pipe, wait::wait};

use crate::{
    daemon::{Daemon, GREETING, HELD, PATIENCE, bounded, held},
    fake::Listener,
};

/// What makes a pipe somebody else's is refused (`ERROR_INVALID_OWNER`).
const INVALID_OWNER: i32 = 1307;

#[test]
fn candidates_are_tried_in_order() {
    let mut daemon = Daemon::new();
    let nobody = [r"\\.\pipe\securid-none-1".into(), r"\\.\pipe\securid-none-2".into()];
    let error = Client::connect(&nobody).unwrap_err();
    assert!(matches!(&error, ConnectError::NoDaemon { tried } if *tried == nobody), "{error}");

    let [missing, _] = nobody;
    daemon.answer(&[GREETING, HELD]);
    let mut client = Client::connect(&[missing, daemon.path()]).unwrap();
    assert_eq!(client.path(), daemon.path());
    assert_eq!(held(&mut client).unwrap().session, "a");
}

#[test]
fn a_daemon_with_no_room_is_unresponsive_and_no_other_is_tried() {
    let (daemon, other) = (Daemon::new(), Daemon::new());
    let _connected = daemon.connect();
    let both = [daemon.path(), other.path()];
    let error = bounded(LIVE_WITHIN * 3, || Client::connect(&both)).unwrap_err();
    assert!(matches!(error, ConnectError::Unresponsive { .. }), "{error}");
    assert_eq!(error.exit_code(), 69);
}

/// The pipe is full, and the request goes on from there.
#[test]
fn a_daemon_that_reads_nothing_is_unresponsive() {
    let mut daemon = Daemon::new();
    let (end, ended) = mpsc::channel::<()>();
    daemon.serve(move |_peer| ended.recv().unwrap());
    let mut client = daemon.connect();
    let long = Call::Hold(OneSession { session: Some("x".repeat(60_000)) });
    let error =
        bounded(LIVE_WITHIN * 3, || client.call::<SessionRef>(&long, PATIENCE)).unwrap_err();
    assert!(matches!(error, ClientError::Unresponsive { .. }), "{error}");
    end.send(()).unwrap();
}

#[test]
fn what_is_no_pipe_of_this_machine_is_not_opened() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("file");
    fs::write(&file, "").unwrap();
    for path in [Path::new(r"\\server\pipe\a"), &file, Path::new(r"\\.\pipe\..\a")] {
        let error = Client::connect(&[path.to_owned()]).unwrap_err();
        assert!(matches!(error, ConnectError::NotAPipe { .. }), "{error}");
        assert_eq!(error.exit_code(), 69);
    }
}

/// A read that was not waited for any longer goes on: what comes then is there for the next one, and nothing of it is lost.
#[test]
fn what_comes_after_the_wait_is_not_lost() {
    let mut daemon = Daemon::new();
    let (go, went) = mpsc::channel::<()>();
    daemon.serve(move |mut peer| {
        went.recv().unwrap();
        for part in ["one ", "two ", "three"] {
            peer.get_mut().write_all(part.as_bytes()).unwrap();
        }
        let _ = peer.read_line(&mut String::new());
    });
    let mut pipe = Pipe::open(&daemon.path()).unwrap();
    let mut space = [0; 5];
    let error = pipe.read(&mut space, Some(Duration::from_millis(30))).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert!(!pipe.comes_within(Duration::ZERO));
    go.send(()).unwrap();
    let mut all = Vec::new();
    while all.len() < 13 {
        let n = pipe.read(&mut space, Some(PATIENCE)).unwrap();
        all.extend_from_slice(&space[..n]);
    }
    assert_eq!(all, b"one two three");
    // Dropped with a read that goes on.
    assert!(!pipe.comes_within(Duration::from_millis(10)));
}

/// Windows lets nobody make a pipe that is not his own; Wine does.
#[test]
fn a_pipe_of_somebody_else_gets_nothing() {
    match Listener::owned_by("SY") {
        Ok(foreign) => {
            let error = Client::connect(&[foreign.path()]).unwrap_err();
            assert!(error.to_string().ends_with("is not yours: it runs as S-1-5-18"), "{error}");
            assert_eq!(error.exit_code(), 76);
            let (_, mut peer) = foreign.accept();
            assert_eq!(peer.read(&mut [0]).unwrap(), 0, "something was sent");
        }
        Err(error) => assert_eq!(error.raw_os_error(), Some(INVALID_OWNER), "{error}"),
    }
}

/// As whoever waits for the keyboard as well.
#[test]
fn a_wait_beside_others_is_woken_by_events_and_by_the_end() {
    let mut daemon = Daemon::new();
    let (go, went) = mpsc::channel::<()>();
    daemon.serve(move |mut peer| {
        let mut request = String::new();
        peer.read_line(&mut request).unwrap();
        peer.read_line(&mut request).unwrap();
        writeln!(peer.get_mut(), "{GREETING}\n{{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{{}}}}")
            .unwrap();
        went.recv().unwrap();
        let event = r#"{"jsonrpc":"2.0","method":"event","params":{"seq":1,"event":"ready"}}"#;
        // As a whole: half of it would wake whoever waits, too.
        peer.get_mut().write_all(format!("{event}\n").as_bytes()).unwrap();
        went.recv().unwrap();
    });
    let mut events = daemon.connect().subscribe(PATIENCE).unwrap();
    assert!(events.next::<Event>(Duration::ZERO).unwrap().is_none());
    assert_eq!(woken(&events, Duration::from_millis(20)), None);
    go.send(()).unwrap();
    assert_eq!(woken(&events, PATIENCE), Some(0));
    assert_eq!(events.next::<Event>(Duration::ZERO).unwrap().unwrap().seq, 1);
    assert!(events.next::<Event>(Duration::ZERO).unwrap().is_none());
    assert_eq!(woken(&events, Duration::from_millis(20)), None);
    go.send(()).unwrap();
    assert_eq!(woken(&events, PATIENCE), Some(0));
    let error = events.next::<Event>(Duration::ZERO).unwrap_err();
    assert!(matches!(error, ClientError::Disconnected { .. }), "{error}");
}

fn woken(events: &Events, within: Duration) -> Option<usize> {
    wait(&[events.as_handle()], Some(within)).unwrap()
}
