//! A daemon that says what it is told to say.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use securid_ipc::{
    client::{Client, ClientError},
    messages::{Call, OneSession, SessionRef},
};

use crate::fake::{Listener, Peer};

/// Enough for any answer that comes at all.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) const GREETING: &str =
    r#"{"jsonrpc":"2.0","id":1,"result":{"protocol":1,"version":"9","new":0}}"#;
pub(crate) const HELD: &str = r#"{"jsonrpc":"2.0","id":2,"result":{"session":"a","new":0}}"#;

pub(crate) struct Daemon {
    path: PathBuf,
    listener: Option<Listener>,
}

impl Daemon {
    pub(crate) fn new() -> Self {
        let listener = Listener::new();
        Self { path: listener.path(), listener: Some(listener) }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.path.clone()
    }

    /// Serves one connection in a thread.
    pub(crate) fn serve(&mut self, talk: impl FnOnce(BufReader<Peer>) + Send + 'static) {
        let listener = self.listener.take().unwrap();
        thread::spawn(move || {
            let (_home, peer) = listener.accept();
            talk(BufReader::new(peer));
        });
    }

    /// Reads the greeting and the call, and answers with these lines.
    pub(crate) fn answer(&mut self, lines: &[&str]) {
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

    pub(crate) fn connect(&self) -> Client {
        Client::connect(&[self.path()]).unwrap()
    }
}

pub(crate) fn hold() -> Call {
    Call::Hold(OneSession { session: Some("a".into()) })
}

pub(crate) fn held(client: &mut Client) -> Result<SessionRef, ClientError> {
    client.call(&hold(), PATIENCE)
}

pub(crate) fn bounded<T>(within: Duration, work: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let result = work();
    assert!(started.elapsed() < within, "took {:?}", started.elapsed());
    result
}
