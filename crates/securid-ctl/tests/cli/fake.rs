//! A fake daemon on the real server, and the program that is tested.

#[cfg(unix)]
#[path = "fake/unix.rs"]
mod unix;
#[cfg(windows)]
#[path = "fake/windows.rs"]
mod windows;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, Sender, channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use securid_ipc::{
    messages::{
        Call, InstanceView, KeyringState, KeyringView, Reply, RpcError, SessionCounts,
        SessionState, SessionView, StatusView,
    },
    server::{ConnectionId, Listener, Notice, Room, Service, Wanted, serve},
};
use tempfile::TempDir;
use tokio::sync::watch;

/// Enough for anything that ends at all.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

type Answers = Box<dyn FnMut(&Call) -> Option<Result<Reply, RpcError>> + Send>;

/// A home of its own for the program, and a daemon in it if there is one.
pub(crate) struct Home {
    folder: TempDir,
    daemon: Option<Running>,
}

struct Running {
    wanted: watch::Sender<Wanted>,
    thread: JoinHandle<()>,
    events: Receiver<Event>,
}

/// What the daemon met.
#[derive(Debug, PartialEq)]
pub(crate) enum Event {
    Called(Box<Call>),
    Closed,
}

struct Fake {
    answers: Mutex<Answers>,
    events: Mutex<Sender<Event>>,
}

impl Service for Fake {
    async fn call(self: Arc<Self>, _: ConnectionId, call: Call) -> Result<Reply, RpcError> {
        let answer = (self.answers.lock().unwrap())(&call);
        let _ = self.events.lock().unwrap().send(Event::Called(Box::new(call)));
        match answer {
            Some(answer) => answer,
            None => std::future::pending().await,
        }
    }

    fn undelivered(&self, _: Reply) {}

    fn closed(&self, _: ConnectionId) {
        let _ = self.events.lock().unwrap().send(Event::Closed);
    }

    fn notice(&self, _: Notice) {}
}

impl Home {
    pub(crate) fn new() -> Self {
        Self { folder: system::private_folder(), daemon: None }
    }

    /// A home with a daemon that answers so, or never where the answer is `None`.
    pub(crate) fn answering(
        answers: impl FnMut(&Call) -> Option<Result<Reply, RpcError>> + Send + 'static,
    ) -> Self {
        let mut home = Self::new();
        home.start(answers);
        home
    }

    /// A home with a daemon that always gives this reply.
    pub(crate) fn replying(reply: Reply) -> Self {
        Self::answering(move |_| Some(Ok(reply.clone())))
    }

    pub(crate) fn start(
        &mut self,
        answers: impl FnMut(&Call) -> Option<Result<Reply, RpcError>> + Send + 'static,
    ) {
        let (event, events) = channel();
        let fake = Fake { answers: Mutex::new(Box::new(answers)), events: Mutex::new(event) };
        let (wanted, is_wanted) = watch::channel(Wanted::Always);
        let (ready, is_ready) = channel();
        let path = self.socket();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let listener = Listener::bind(&path).unwrap();
                ready.send(()).unwrap();
                serve(listener, Arc::new(fake), is_wanted, Room { most: 512, always_for: None })
                    .await;
            });
        });
        is_ready.recv_timeout(PATIENCE).unwrap();
        self.daemon = Some(Running { wanted, thread, events });
    }

    pub(crate) fn stop(&mut self) {
        let daemon = self.daemon.take().unwrap();
        drop(daemon.wanted);
        daemon.thread.join().unwrap();
    }

    /// The next event of the daemon.
    pub(crate) fn event(&self) -> Event {
        self.daemon.as_ref().unwrap().events.recv_timeout(PATIENCE).unwrap()
    }

    /// The next call that the daemon got.
    pub(crate) fn call(&self) -> Call {
        loop {
            if let Event::Called(call) = self.event() {
                return *call;
            }
        }
    }

    /// Whether the daemon was called at all (since the last look).
    pub(crate) fn was_called(&self) -> bool {
        let mut events = self.daemon.as_ref().unwrap().events.try_iter();
        events.any(|event| matches!(event, Event::Called(_)))
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn socket(&self) -> PathBuf {
        system::socket(self.path())
    }

    /// The program with these arguments, in an environment that holds nothing of ours.
    pub(crate) fn ctl<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_securid-ctl"));
        command
            .args(args)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .envs(system::home(self.path()))
            .env("SECURID_SOCKET", self.socket())
            .env("SECURID_STATE_DIR", self.path().join("state"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(crate) fn run<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Ran {
        Ran::of(&mut self.ctl(args), "")
    }

    pub(crate) fn run_with<'a>(&self, args: impl IntoIterator<Item = &'a str>, stdin: &str) -> Ran {
        Ran::of(&mut self.ctl(args), stdin)
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if self.daemon.is_some() && !thread::panicking() {
            self.stop();
        }
    }
}

/// How a program ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn of(command: &mut Command, stdin: &str) -> Self {
        if stdin.is_empty() {
            return command.output().unwrap().into();
        }
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let mut pipe = child.stdin.take().unwrap();
        // It may end without reading.
        let _ = pipe.write_all(stdin.as_bytes());
        drop(pipe);
        child.wait_with_output().unwrap().into()
    }

    /// The error that `--json` put on standard error: code, message, hint.
    pub(crate) fn json_error(&self) -> (String, String, Option<String>) {
        let error: serde_json::Value = serde_json::from_str(&self.err).unwrap();
        let text = |name: &str| error["error"][name].as_str().map(str::to_owned);
        (text("code").unwrap(), text("message").unwrap(), text("hint"))
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// Runs it and makes sure that it did not take too long.
pub(crate) fn bounded<T>(within: Duration, work: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let result = work();
    assert!(started.elapsed() < within, "took {:?}", started.elapsed());
    result
}

pub(crate) fn session(state: SessionState) -> SessionView {
    SessionView {
        id: "0123456789abcdef".into(),
        instance: "prod".into(),
        url: "https://h/aveksa/command.submit".into(),
        username: Some("anna".into()),
        keyring: "keyutils".into(),
        state,
        created_at: "2020-01-01T00:00:00Z".into(),
        last_used_at: "2020-01-01T00:00:00Z".into(),
        idle_deadline: None,
        expires_at: Some("2999-01-01T00:00:00Z".into()),
        holds: 0,
        revocation: None,
    }
}

/// The status of a daemon that is well.
pub(crate) fn well() -> StatusView {
    StatusView {
        version: "0.1.0".into(),
        // More than Linux gives out: nobody's.
        pid: 4_194_305,
        started_at: "2020-01-01T00:00:00Z".into(),
        sessions: SessionCounts { active: 2, ..SessionCounts::default() },
        undecided: 0,
        oldest_pending_seconds: None,
        keyring: KeyringView {
            kind: "keyutils".into(),
            state: KeyringState::Ready,
            survives_reboot: false,
        },
        instances: vec![InstanceView {
            name: "prod".into(),
            url: "https://h".into(),
            last_contact: None,
        }],
        problems: vec![],
        config: None,
    }
}
