//! The server against raw sockets: slow, silent, half-closed, vanished and flooding clients.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    collections::HashMap,
    fs,
    os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use securid_ipc::{
    folder::FolderError,
    framing::REQUEST_LIMIT,
    messages::*,
    server::{BindError, ConnectionId, Listener, Service, serve},
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::UnixStream,
    sync::{Semaphore, mpsc, oneshot},
    task::{JoinHandle, JoinSet},
    time::timeout,
};

/// Longer than anything here takes on a busy machine, except what waits for a deadline of ten
/// seconds, which runs on tokio's paused clock.
const PATIENCE: Duration = Duration::from_secs(30);

fn private_folder() -> TempDir {
    let owner_only = fs::Permissions::from_mode(0o700);
    tempfile::Builder::new().permissions(owner_only).tempdir().unwrap()
}

async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.expect("it hangs")
}

// A handful of them, in tests.
#[allow(clippy::large_enum_variant)]
#[derive(Debug, PartialEq)]
enum Event {
    Undelivered(Reply),
    Closed(ConnectionId),
}

/// Answers `touch` at once, `hold` when told to, `token` with a long text; panics on `stop`.
struct Fake {
    gate: Semaphore,
    running: mpsc::UnboundedSender<String>,
    events: mpsc::UnboundedSender<Event>,
    peak: Mutex<(usize, usize)>,
}

impl Service for Fake {
    async fn call(&self, _: ConnectionId, call: Call) -> Result<Reply, RpcError> {
        match call {
            Call::Touch(params) => {
                Ok(Reply::Touched(SessionRef { session: params.session.unwrap_or_default() }))
            }
            Call::Hold(params) => {
                let session = params.session.unwrap_or_default();
                {
                    let mut peak = self.peak.lock().unwrap();
                    peak.0 += 1;
                    peak.1 = peak.1.max(peak.0);
                }
                let _ = self.running.send(session.clone());
                self.gate.acquire().await.unwrap().forget();
                self.peak.lock().unwrap().0 -= 1;
                Ok(Reply::Held(SessionRef { session }))
            }
            Call::Token(_) => Ok(Reply::Forgotten(SessionRef { session: "x".repeat(1000 * 1000) })),
            Call::Show(_) => {
                Ok(Reply::Forgotten(SessionRef { session: "x".repeat(2 * 1024 * 1024) }))
            }
            Call::Stop(_) => panic!("the service panics"),
            _ => Err(RpcError::new(ErrorCode::ServerError, "not here")),
        }
    }

    fn undelivered(&self, reply: Reply) {
        let _ = self.events.send(Event::Undelivered(reply));
    }

    fn closed(&self, connection: ConnectionId) {
        let _ = self.events.send(Event::Closed(connection));
    }
}

struct Server {
    home: TempDir,
    fake: Arc<Fake>,
    running: mpsc::UnboundedReceiver<String>,
    events: mpsc::UnboundedReceiver<Event>,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<()>,
}

impl Server {
    fn start() -> Self {
        let home = private_folder();
        let listener = Listener::bind(&home.path().join("s.sock")).unwrap();
        let (started, running) = mpsc::unbounded_channel();
        let (event, events) = mpsc::unbounded_channel();
        let fake = Arc::new(Fake {
            gate: Semaphore::new(0),
            running: started,
            events: event,
            peak: Mutex::default(),
        });
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(serve(listener, fake.clone(), async {
            let _ = stopped.await;
        }));
        Self { home, fake, running, events, stop: Some(stop), serving }
    }

    fn path(&self) -> PathBuf {
        self.home.path().join("s.sock")
    }

    async fn connect(&self) -> Peer {
        Peer(BufReader::new(UnixStream::connect(self.path()).await.unwrap()))
    }

    async fn event(&mut self) -> Event {
        soon(self.events.recv()).await.unwrap()
    }
}

struct Peer(BufReader<UnixStream>);

impl Peer {
    async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.get_mut().write_all(bytes.as_ref()).await.unwrap();
    }

    async fn call(&mut self, id: u64, method: &str, session: &str) {
        self.send(request(id, method, session)).await;
    }

    async fn answer(&mut self) -> Value {
        let mut line = String::new();
        soon(self.0.read_line(&mut line)).await.unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }

    async fn is_closed(&mut self) {
        assert_eq!(soon(self.0.read(&mut [0])).await.unwrap_or(0), 0, "more than expected");
    }
}

fn request(id: u64, method: &str, session: &str) -> String {
    let params = json!({ "session": session });
    format!("{}\n", json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }))
}

fn touched(id: u64, session: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "result": { "session": session } })
}

#[tokio::test]
async fn greets_alone_and_hands_calls_on() {
    let server = Server::start();
    let mut peer = server.connect().await;
    peer.send("{\"jsonrpc\":\"2.0\",\"id\":\"h\",\"method\":\"daemon.hello\"}\n").await;
    assert_eq!(
        peer.answer().await,
        json!({ "jsonrpc": "2.0", "id": "h",
                "result": { "protocol": 1, "version": securid_ipc::VERSION } })
    );
    peer.call(2, "session.touch", "a").await;
    assert_eq!(peer.answer().await, touched(2, "a"));
    peer.call(3, "session.forget", "a").await;
    assert_eq!(peer.answer().await["error"]["code"], -32008);
    peer.call(4, "session.call", "a").await;
    assert_eq!(peer.answer().await["error"]["code"], -32601);
    peer.send("nonsense\n").await;
    assert_eq!(peer.answer().await["error"]["code"], -32700);
    peer.call(5, "session.touch", "still there").await;
    assert_eq!(peer.answer().await, touched(5, "still there"));
}

#[tokio::test]
async fn answers_come_as_calls_end_and_a_greeting_overtakes_them() {
    let mut server = Server::start();
    let mut peer = server.connect().await;
    peer.call(1, "session.hold", "slow").await;
    assert_eq!(soon(server.running.recv()).await.unwrap(), "slow");
    peer.call(2, "session.touch", "fast").await;
    assert_eq!(peer.answer().await, touched(2, "fast"));
    peer.send("{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"daemon.hello\"}\n").await;
    assert_eq!(peer.answer().await["id"], 3);
    server.fake.gate.add_permits(1);
    assert_eq!(peer.answer().await, touched(1, "slow"));
}

#[tokio::test]
async fn a_silent_and_a_half_spoken_client_stop_nobody() {
    let server = Server::start();
    let _silent = server.connect().await;
    let mut half = server.connect().await;
    half.send("{\"jsonrpc\":\"2.0\",").await;
    let mut peer = server.connect().await;
    peer.call(1, "session.touch", "a").await;
    assert_eq!(peer.answer().await, touched(1, "a"));
    // And the half one may go on.
    half.send("\"id\":1,\"method\":\"session.touch\"}\n").await;
    assert_eq!(half.answer().await, touched(1, ""));
}

#[tokio::test]
async fn a_new_client_is_served_beside_two_hundred_idle_ones() {
    let server = Server::start();
    let mut idle = Vec::new();
    for _ in 0..200 {
        idle.push(server.connect().await);
    }
    let mut peer = server.connect().await;
    peer.call(1, "session.touch", "a").await;
    assert_eq!(peer.answer().await, touched(1, "a"));
    for peer in &mut idle {
        peer.call(1, "session.touch", "b").await;
    }
    for peer in &mut idle {
        assert_eq!(peer.answer().await, touched(1, "b"));
    }
}

#[tokio::test]
async fn a_half_closed_client_gets_its_replies_and_then_is_closed() {
    let mut server = Server::start();
    let mut peer = server.connect().await;
    peer.send(request(1, "session.hold", "a") + &request(2, "session.touch", "b")).await;
    peer.0.get_mut().shutdown().await.unwrap();
    assert_eq!(peer.answer().await, touched(2, "b"));
    soon(server.running.recv()).await.unwrap();
    assert!(server.events.try_recv().is_err(), "closed before its replies were out");
    server.fake.gate.add_permits(1);
    assert_eq!(peer.answer().await, touched(1, "a"));
    peer.is_closed().await;
    assert_eq!(server.event().await, Event::Closed(ConnectionId(0)));
}

#[tokio::test]
async fn a_last_line_without_newline_is_not_carried_out() {
    let mut server = Server::start();
    let mut peer = server.connect().await;
    peer.send(request(1, "session.hold", "a").trim_end()).await;
    peer.0.get_mut().shutdown().await.unwrap();
    assert_eq!(peer.answer().await["error"]["code"], -32700);
    peer.is_closed().await;
    assert_eq!(server.event().await, Event::Closed(ConnectionId(0)));
    assert!(server.running.try_recv().is_err());
}

#[tokio::test]
async fn a_reply_whose_client_has_gone_comes_back() {
    let mut server = Server::start();
    let mut peer = server.connect().await;
    peer.call(1, "session.hold", "abandoned").await;
    soon(server.running.recv()).await.unwrap();
    drop(peer);
    server.fake.gate.add_permits(1);
    let held = Reply::Held(SessionRef { session: "abandoned".into() });
    assert_eq!(server.event().await, Event::Undelivered(held));
    assert_eq!(server.event().await, Event::Closed(ConnectionId(0)));
}

#[tokio::test]
async fn every_reply_comes_back_once_however_many_were_under_way() {
    let mut server = Server::start();
    let mut peer = server.connect().await;
    for id in 0..10 {
        peer.call(id, "session.hold", &id.to_string()).await;
        soon(server.running.recv()).await.unwrap();
    }
    drop(peer);
    server.fake.gate.add_permits(10);
    let mut back = HashMap::new();
    loop {
        match server.event().await {
            Event::Undelivered(Reply::Held(held)) => *back.entry(held.session).or_insert(0) += 1,
            Event::Undelivered(other) => panic!("{other:?}"),
            Event::Closed(_) => break,
        }
    }
    assert_eq!(back.len(), 10);
    assert!(back.values().all(|times| *times == 1), "{back:?}");
}

#[tokio::test]
async fn a_notification_is_carried_out_and_its_reply_comes_back() {
    let mut server = Server::start();
    let mut peer = server.connect().await;
    peer.send(
        "{\"jsonrpc\":\"2.0\",\"method\":\"session.touch\",\"params\":{\"session\":\"a\"}}\n",
    )
    .await;
    let reply = Reply::Touched(SessionRef { session: "a".into() });
    assert_eq!(server.event().await, Event::Undelivered(reply));
    peer.call(1, "session.touch", "b").await;
    assert_eq!(peer.answer().await, touched(1, "b"), "nothing was said to the notification");
}

#[tokio::test]
async fn calls_of_one_connection_are_bounded_and_others_do_not_care() {
    let mut server = Server::start();
    let mut peer = server.connect().await;
    let many: String = (0..40).map(|id| request(id, "session.hold", "a")).collect();
    peer.send(many).await;
    for _ in 0..16 {
        soon(server.running.recv()).await.unwrap();
    }
    let mut other = server.connect().await;
    other.call(1, "session.touch", "b").await;
    assert_eq!(other.answer().await, touched(1, "b"));
    server.fake.gate.add_permits(40);
    let mut ids = Vec::new();
    for _ in 0..40 {
        ids.push(peer.answer().await["id"].as_u64().unwrap());
    }
    ids.sort_unstable();
    assert_eq!(ids, (0..40).collect::<Vec<_>>());
    assert_eq!(server.fake.peak.lock().unwrap().1, 16);
}

#[tokio::test]
async fn the_longest_line_is_taken_and_a_longer_one_ends_the_connection() {
    let server = Server::start();
    let empty = request(1, "session.touch", "").len() - 1;
    let mut peer = server.connect().await;
    let longest = "x".repeat(REQUEST_LIMIT - empty);
    peer.call(1, "session.touch", &longest).await;
    assert_eq!(peer.answer().await, touched(1, &longest));
    peer.call(1, "session.touch", &format!("{longest}x")).await;
    let answer = peer.answer().await;
    assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(-32600), &Value::Null));
    assert!(answer["error"]["message"].as_str().unwrap().contains("65536"), "{answer}");
    peer.is_closed().await;
}

#[tokio::test]
async fn a_flood_without_a_newline_is_cut_off_early() {
    let server = Server::start();
    let (read, mut write) = UnixStream::connect(server.path()).await.unwrap().into_split();
    let mut read = BufReader::new(read);
    let flood = async {
        let chunk = vec![b'x'; 64 * 1024];
        let mut sent = 0;
        while sent < 64 << 20 {
            match write.write(&chunk).await {
                Ok(n) => sent += n,
                Err(_) => break,
            }
        }
        sent
    };
    let mut answer = String::new();
    let (sent, line) = soon(async { tokio::join!(flood, read.read_line(&mut answer)) }).await;
    line.unwrap();
    assert!(sent < 4 << 20, "{sent} bytes were swallowed");
    assert!(answer.contains("-32600"), "{answer:?}");
}

#[tokio::test]
async fn a_reply_that_is_too_long_becomes_an_error_and_comes_back() {
    let mut server = Server::start();
    let mut peer = server.connect().await;
    peer.call(1, "session.show", "a").await;
    assert_eq!(peer.answer().await["error"]["code"], -32011);
    assert!(matches!(server.event().await, Event::Undelivered(Reply::Forgotten(_))));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_is_dropped_and_its_replies_come_back() {
    let mut server = Server::start();
    let mut peer = server.connect().await;
    // Each is a megabyte: the first fills the socket.
    peer.send(request(1, "session.token", "a") + &request(2, "session.token", "a")).await;
    let before = tokio::time::Instant::now();
    for _ in 0..2 {
        assert!(matches!(server.event().await, Event::Undelivered(Reply::Forgotten(_))));
    }
    assert_eq!(server.event().await, Event::Closed(ConnectionId(0)));
    let took = before.elapsed();
    assert!((10..12).contains(&took.as_secs()), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_line_that_stays_half_sent_ends_the_connection_and_an_idle_one_stays() {
    let mut server = Server::start();
    let mut idle = server.connect().await;
    idle.call(1, "session.touch", "a").await;
    assert_eq!(idle.answer().await, touched(1, "a"));
    let mut half = server.connect().await;
    half.send("{\"jsonrpc\":").await;
    let before = tokio::time::Instant::now();
    half.is_closed().await;
    assert!((10..12).contains(&before.elapsed().as_secs()), "{:?}", before.elapsed());
    assert_eq!(server.event().await, Event::Closed(ConnectionId(1)));
    tokio::time::sleep(Duration::from_secs(3600)).await;
    idle.call(2, "session.touch", "b").await;
    assert_eq!(idle.answer().await, touched(2, "b"));
}

#[tokio::test]
async fn a_stop_lets_calls_finish_and_takes_nothing_new() {
    let mut server = Server::start();
    let mut peer = server.connect().await;
    let mut idle = server.connect().await;
    peer.call(1, "session.hold", "a").await;
    soon(server.running.recv()).await.unwrap();
    server.stop.take().unwrap().send(()).unwrap();
    idle.is_closed().await;
    assert!(UnixStream::connect(server.path()).await.is_err(), "it still takes connections");
    assert!(!server.path().exists(), "the socket was left behind");
    server.fake.gate.add_permits(1);
    assert_eq!(peer.answer().await, touched(1, "a"));
    peer.is_closed().await;
    soon(server.serving).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_stop_waits_for_no_call_for_ever() {
    let mut server = Server::start();
    let mut peer = server.connect().await;
    peer.call(1, "session.hold", "a").await;
    soon(server.running.recv()).await.unwrap();
    server.stop.take().unwrap().send(()).unwrap();
    let before = tokio::time::Instant::now();
    soon(server.serving).await.unwrap();
    assert!(before.elapsed() < Duration::from_secs(3), "{:?}", before.elapsed());
    peer.is_closed().await;
}

#[tokio::test]
async fn a_panic_of_the_service_ends_the_server() {
    let server = Server::start();
    let mut peer = server.connect().await;
    peer.send("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"daemon.stop\"}\n").await;
    let panic = soon(server.serving).await.unwrap_err().into_panic();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"the service panics"));
}

#[tokio::test]
async fn many_clients_at_once_each_get_their_own() {
    let server = Server::start();
    let mut clients = JoinSet::new();
    for client in 0..50 {
        let path = server.path();
        clients.spawn(async move {
            let mut peer = Peer(BufReader::new(UnixStream::connect(path).await.unwrap()));
            for id in 0..20 {
                let session = format!("{client}-{id}");
                peer.call(id, "session.touch", &session).await;
                assert_eq!(peer.answer().await, touched(id, &session));
            }
        });
    }
    soon(clients.join_all()).await;
}

// The listener

fn is_socket(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket())
}

#[tokio::test]
async fn the_socket_is_the_owner_s_alone_in_a_folder_that_is_made_so() {
    let home = private_folder();
    let path = home.path().join("made/s.sock");
    let listener = Listener::bind(&path).unwrap();
    assert_eq!(listener.path(), path);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    drop(listener);
    assert!(!path.exists());
}

#[tokio::test]
async fn a_dead_daemon_s_socket_is_cleared_away() {
    let home = private_folder();
    let path = home.path().join("s.sock");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(is_socket(&path));
    let listener = Listener::bind(&path).unwrap();
    assert!(UnixStream::connect(&path).await.is_ok());
    drop(listener);
}

#[tokio::test]
async fn a_live_daemon_is_respected_even_with_a_full_queue() {
    let home = private_folder();
    let path = home.path().join("s.sock");
    let live = Listener::bind(&path).unwrap();
    let inode = fs::metadata(&path).unwrap().ino();
    assert!(matches!(Listener::bind(&path), Err(BindError::InUse { .. })));
    assert!(is_socket(&path));
    assert_eq!(fs::metadata(&path).unwrap().ino(), inode);
    drop(live);

    // A queue of length 0 takes one connection that nobody accepts.
    let frozen = rustix_listener(&path);
    let _waiting = std::os::unix::net::UnixStream::connect(&path).unwrap();
    assert!(matches!(Listener::bind(&path), Err(BindError::InUse { .. })));
    assert!(is_socket(&path));
    drop(frozen);
}

/// A listener with the shortest queue there is.
fn rustix_listener(path: &Path) -> std::os::fd::OwnedFd {
    use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, bind, listen, socket};
    let socket = socket(AddressFamily::UNIX, SocketType::STREAM, None).unwrap();
    bind(&socket, &SocketAddrUnix::new(path).unwrap()).unwrap();
    listen(&socket, 0).unwrap();
    socket
}

#[tokio::test]
async fn the_successor_s_socket_is_not_unlinked() {
    let home = private_folder();
    let path = home.path().join("s.sock");
    let first = Listener::bind(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let second = Listener::bind(&path).unwrap();
    drop(first);
    assert!(is_socket(&path));
    assert!(UnixStream::connect(&path).await.is_ok());
    drop(second);
}

#[tokio::test]
async fn what_is_no_socket_is_left_alone() {
    let home = private_folder();
    let path = home.path().join("s.sock");
    fs::write(&path, "precious").unwrap();
    assert!(matches!(Listener::bind(&path), Err(BindError::NotASocket { .. })));
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
}

#[tokio::test]
async fn a_folder_that_is_not_ours_alone_is_refused() {
    let home = private_folder();
    let (real, link, open) =
        (home.path().join("real"), home.path().join("link"), home.path().join("open"));
    fs::create_dir(&real).unwrap();
    fs::set_permissions(&real, fs::Permissions::from_mode(0o700)).unwrap();
    symlink(&real, &link).unwrap();
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(matches!(
        Listener::bind(&link.join("s.sock")),
        Err(BindError::Folder(FolderError::NotAFolder { .. }))
    ));
    assert!(matches!(
        Listener::bind(&open.join("s.sock")),
        Err(BindError::Folder(FolderError::Open { .. }))
    ));
    assert!(Listener::bind(&real.join("s.sock")).is_ok());
}

#[tokio::test]
async fn a_path_that_does_not_fit_is_a_clear_error() {
    let home = private_folder();
    let room = 107 - home.path().as_os_str().len() - 1;
    let path = home.path().join("s".repeat(room));
    assert!(Listener::bind(&path).is_ok());
    let error = Listener::bind(&home.path().join("s".repeat(room + 1))).unwrap_err();
    assert!(error.to_string().contains("107 bytes"), "{error}");
}

#[tokio::test]
async fn a_stranger_is_not_served() {
    // Only root can become somebody else: as root, a helper connects as nobody.
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let server = Server::start();
    // The stranger could not even reach the socket; it is opened wide for the test.
    fs::set_permissions(server.home.path(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(server.path(), fs::Permissions::from_mode(0o666)).unwrap();
    let script = "import socket, sys\n\
        s = socket.socket(socket.AF_UNIX)\n\
        s.connect(sys.argv[1])\n\
        try: s.sendall(b'{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"daemon.hello\"}\\n'); d = s.recv(100)\n\
        except OSError: d = b''\n\
        sys.exit(7 if d == b'' else 8)\n";
    let stranger = |uid: u32| {
        let (path, script) = (server.path(), script.to_owned());
        soon(tokio::task::spawn_blocking(move || {
            use std::os::unix::process::CommandExt as _;
            std::process::Command::new("python3")
                .args(["-c", &script])
                .arg(path)
                .uid(uid)
                .status()
                .unwrap()
                .code()
        }))
    };
    assert_eq!(stranger(0).await.unwrap(), Some(8), "our own uid is served");
    assert_eq!(stranger(65_534).await.unwrap(), Some(7), "a stranger is not");
}
