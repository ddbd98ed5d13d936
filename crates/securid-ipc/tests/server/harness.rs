//! A server above a service that does as it is told, and a client that speaks by hand.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use securid_ipc::{
    messages::{Call, ErrorCode, News, Reply, RpcError, SessionRef, SubscribedView},
    server::{ConnectionId, Listener, Notice, Room, Service, Wanted, serve},
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    sync::{Semaphore, mpsc, watch},
    task::JoinHandle,
    time::timeout,
};

use crate::endpoint::{self, Stream, private_folder};

/// Longer than anything here takes on a busy machine, except what waits for a deadline of ten
/// seconds, which runs on tokio's paused clock.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.expect("it hangs")
}

// A handful of them, in tests.
#[allow(clippy::large_enum_variant)]
#[derive(Debug, PartialEq)]
pub(crate) enum Event {
    Undelivered(Reply),
    Closed(ConnectionId),
}

/// Tells events as it is told to, answers `touch` at once, `hold` when told to, `token` with a long text; panics on `stop`.
pub(crate) struct Fake {
    pub(crate) gate: Semaphore,
    pub(crate) running: mpsc::UnboundedSender<String>,
    pub(crate) events: mpsc::UnboundedSender<Event>,
    pub(crate) notices: mpsc::UnboundedSender<String>,
    pub(crate) gone: mpsc::UnboundedSender<ConnectionId>,
    pub(crate) peak: Mutex<(usize, usize)>,
    /// How many events there are to tell; none any more once it is closed.
    pub(crate) to_tell: Semaphore,
    /// How many were made.
    pub(crate) told: AtomicU64,
}

impl Service for Fake {
    async fn call(self: Arc<Self>, _: ConnectionId, call: Call) -> Result<Reply, RpcError> {
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
            Call::Subscribe => Ok(Reply::Subscribed(SubscribedView {})),
            Call::Stop(_) => panic!("the service panics"),
            _ => Err(RpcError::new(ErrorCode::ServerError, "not here")),
        }
    }

    async fn next_event(&self, _: ConnectionId) -> Option<securid_ipc::messages::Event> {
        self.to_tell.acquire().await.ok()?.forget();
        let seq = self.told.fetch_add(1, Ordering::SeqCst) + 1;
        Some(securid_ipc::messages::Event { seq, news: News::Missed { ends: 7 } })
    }

    fn undelivered(&self, reply: Reply) {
        let _ = self.events.send(Event::Undelivered(reply));
    }

    fn gone(&self, connection: ConnectionId) {
        let _ = self.gone.send(connection);
    }

    fn closed(&self, connection: ConnectionId) {
        let _ = self.events.send(Event::Closed(connection));
    }

    fn notice(&self, notice: Notice) {
        let _ = self.notices.send(format!("{notice:?}"));
    }
}

pub(crate) struct Server {
    pub(crate) home: TempDir,
    pub(crate) fake: Arc<Fake>,
    pub(crate) running: mpsc::UnboundedReceiver<String>,
    pub(crate) events: mpsc::UnboundedReceiver<Event>,
    pub(crate) notices: mpsc::UnboundedReceiver<String>,
    pub(crate) gone: mpsc::UnboundedReceiver<ConnectionId>,
    pub(crate) wanted: watch::Sender<Wanted>,
    pub(crate) serving: JoinHandle<()>,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::with_room_for(512, None)
    }

    /// One that lets so many clients in, and this process beyond that.
    pub(crate) fn with_room_for(most: usize, always_for: Option<u32>) -> Self {
        let home = private_folder();
        let listener = Listener::bind(&endpoint::place(home.path())).unwrap();
        let (started, running) = mpsc::unbounded_channel();
        let (event, events) = mpsc::unbounded_channel();
        let (notice, notices) = mpsc::unbounded_channel();
        let (left, gone) = mpsc::unbounded_channel();
        let fake = Arc::new(Fake {
            gate: Semaphore::new(0),
            running: started,
            events: event,
            notices: notice,
            gone: left,
            peak: Mutex::default(),
            to_tell: Semaphore::new(0),
            told: AtomicU64::new(0),
        });
        let (wanted, is_wanted) = watch::channel(Wanted::Always);
        let serving =
            tokio::spawn(serve(listener, fake.clone(), is_wanted, Room { most, always_for }));
        Self { home, fake, running, events, notices, gone, wanted, serving }
    }

    pub(crate) fn path(&self) -> PathBuf {
        endpoint::place(self.home.path())
    }

    pub(crate) async fn connect(&self) -> Peer {
        Peer(BufReader::new(endpoint::connect(&self.path()).await.unwrap()))
    }

    pub(crate) async fn event(&mut self) -> Event {
        soon(self.events.recv()).await.unwrap()
    }
}

pub(crate) struct Peer(pub(crate) BufReader<Stream>);

impl Peer {
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.get_mut().write_all(bytes.as_ref()).await.unwrap();
    }

    pub(crate) async fn call(&mut self, id: u64, method: &str, session: &str) {
        self.send(request(id, method, session)).await;
    }

    pub(crate) async fn answer(&mut self) -> Value {
        let mut line = String::new();
        soon(self.0.read_line(&mut line)).await.unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }

    pub(crate) async fn leave(self) {
        endpoint::close(self.0.into_inner()).await;
    }

    pub(crate) async fn is_closed(&mut self) {
        assert_eq!(soon(self.0.read(&mut [0])).await.unwrap_or(0), 0, "more than expected");
    }
}

pub(crate) fn request(id: u64, method: &str, session: &str) -> String {
    let params = json!({ "session": session });
    format!("{}\n", json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }))
}

pub(crate) fn touched(id: u64, session: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "result": { "session": session } })
}
