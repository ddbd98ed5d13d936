//! The client against daemons that answer, do not answer, or are not what they seem.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    fs::{self, Permissions},
    io::{BufRead as _, BufReader, Write as _},
    os::unix::{
        fs::{PermissionsExt as _, chown, symlink},
        net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use securid_ipc::{
    VERSION,
    client::{Client, ClientError, ConnectError, LIVE_WITHIN},
    messages::{Call, ErrorCode, Event, News, OneSession, SessionRef},
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Enough for any answer that comes at all.
const PATIENCE: Duration = Duration::from_secs(30);

const GREETING: &str = r#"{"jsonrpc":"2.0","id":1,"result":{"protocol":1,"version":"9","new":0}}"#;
const HELD: &str = r#"{"jsonrpc":"2.0","id":2,"result":{"session":"a","new":0}}"#;

struct Daemon {
    home: TempDir,
    listener: Option<UnixListener>,
}

impl Daemon {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let listener = Some(UnixListener::bind(home.path().join("s.sock")).unwrap());
        Self { home, listener }
    }

    fn path(&self) -> PathBuf {
        self.home.path().join("s.sock")
    }

    /// Serves one connection in a thread.
    fn serve(&mut self, talk: impl FnOnce(BufReader<UnixStream>) + Send + 'static) {
        let listener = self.listener.take().unwrap();
        thread::spawn(move || talk(BufReader::new(listener.accept().unwrap().0)));
    }

    /// Reads the greeting and the call, and answers with these lines.
    fn answer(&mut self, lines: &[&str]) {
        let reply = lines.join("\n") + "\n";
        self.serve(move |mut peer| {
            let mut request = String::new();
            peer.read_line(&mut request).unwrap();
            peer.read_line(&mut request).unwrap();
            peer.get_mut().write_all(reply.as_bytes()).unwrap();
            // Open until the client goes.
            let _ = peer.read_line(&mut request);
        });
    }

    fn connect(&self) -> Client {
        Client::connect(&[self.path()]).unwrap()
    }
}

fn hold() -> Call {
    Call::Hold(OneSession { session: Some("a".into()) })
}

fn held(client: &mut Client) -> Result<SessionRef, ClientError> {
    client.call(&hold(), PATIENCE)
}

fn bounded<T>(within: Duration, work: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let result = work();
    assert!(started.elapsed() < within, "took {:?}", started.elapsed());
    result
}

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
fn a_daemon_with_a_full_queue_is_unresponsive_and_no_other_is_tried() {
    use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, bind, listen, socket};
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("s.sock");
    let frozen = socket(AddressFamily::UNIX, SocketType::STREAM, None).unwrap();
    bind(&frozen, &SocketAddrUnix::new(&path).unwrap()).unwrap();
    listen(&frozen, 0).unwrap();
    let _waiting = UnixStream::connect(&path).unwrap();
    let other = Daemon::new();
    let error = bounded(LIVE_WITHIN * 3, || Client::connect(&[path, other.path()])).unwrap_err();
    assert!(matches!(error, ConnectError::Unresponsive { .. }), "{error}");
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
fn candidates_are_tried_in_order() {
    let mut daemon = Daemon::new();
    let home = tempfile::tempdir().unwrap();
    let (missing, dead, file) =
        (home.path().join("missing"), home.path().join("dead"), home.path().join("file"));
    drop(UnixListener::bind(&dead).unwrap());
    fs::write(&file, "").unwrap();
    let nobody = [missing, file.join("s.sock"), dead];
    let error = Client::connect(&nobody).unwrap_err();
    assert!(matches!(&error, ConnectError::NoDaemon { tried } if *tried == nobody), "{error}");

    let [missing, _, dead] = nobody;
    daemon.answer(&[GREETING, HELD]);
    let mut client = Client::connect(&[missing, dead, daemon.path()]).unwrap();
    assert_eq!(client.path(), daemon.path());
    assert_eq!(held(&mut client).unwrap().session, "a");
}

#[test]
fn a_path_that_is_too_long_is_named() {
    let long = Path::new("/").join("x".repeat(107));
    let error = Client::connect(&[long]).unwrap_err();
    assert!(matches!(error, ConnectError::TooLong { .. }), "{error}");
}

#[test]
fn a_daemon_of_somebody_else_gets_nothing() {
    // Only root can make somebody else listen.
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("s.sock");
    // Everything is ours to look at; who listens, the kernel alone tells.
    let script = "import os, socket, sys\n\
        s = socket.socket(socket.AF_UNIX)\n\
        s.bind(sys.argv[1]); os.setuid(65534); s.listen(); print(flush=True)\n\
        c, _ = s.accept()\n\
        print(len(c.recv(1000)), flush=True)\n";
    let mut stranger = std::process::Command::new("python3")
        .args(["-c", script])
        .arg(&path)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(stranger.stdout.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    let error = Client::connect(&[path]).unwrap_err();
    assert!(matches!(error, ConnectError::NotOurs { owner: Some(65_534), .. }), "{error}");
    assert_eq!(error.exit_code(), 76);
    line.clear();
    said.read_line(&mut line).unwrap();
    assert_eq!(line, "0\n", "something was sent");
    stranger.wait().unwrap();
}

/// Whoever connects to it is noticed.
fn refused(path: &Path, listener: &UnixListener) -> String {
    let error = Client::connect(&[path.to_owned()]).unwrap_err();
    assert!(matches!(error, ConnectError::Unsafe { .. }), "{error}");
    assert_eq!((error.exit_code(), error.name()), (76, "not-your-daemon"));
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err(), "it connected");
    error.to_string()
}

#[test]
fn a_socket_that_others_could_replace_gets_nothing() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("run");
    fs::create_dir(&folder).unwrap();
    let path = folder.join("s.sock");
    let listener = UnixListener::bind(&path).unwrap();
    for open in [&folder, home.path()] {
        fs::set_permissions(open, Permissions::from_mode(0o777)).unwrap();
        let told = refused(&path, &listener);
        let shown = open.canonicalize().unwrap();
        assert!(told.contains(&format!("chmod go-w {}", shown.display())), "{told}");
        fs::set_permissions(open, Permissions::from_mode(0o700)).unwrap();
    }
    assert!(Client::connect(&[path]).is_ok());
}

#[test]
fn a_socket_or_folder_that_is_a_link_gets_nothing() {
    let home = tempfile::tempdir().unwrap();
    let (folder, by_link) = (home.path().join("run"), home.path().join("link"));
    fs::create_dir(&folder).unwrap();
    let (path, link) = (folder.join("s.sock"), folder.join("link.sock"));
    let listener = UnixListener::bind(&path).unwrap();
    symlink(&path, &link).unwrap();
    symlink(&folder, &by_link).unwrap();
    assert!(refused(&link, &listener).contains("name the socket itself"));
    assert!(refused(&by_link.join("s.sock"), &listener).contains("name the folder itself"));
}

#[test]
fn a_socket_of_somebody_else_gets_nothing() {
    // Only root can give something away.
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("run");
    fs::create_dir(&folder).unwrap();
    let path = folder.join("s.sock");
    let listener = UnixListener::bind(&path).unwrap();
    for foreign in [&path, &folder, home.path()] {
        chown(foreign, Some(12_345), None).unwrap();
        assert!(refused(&path, &listener).contains("belongs to uid 12345"));
        chown(foreign, Some(0), None).unwrap();
    }
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
