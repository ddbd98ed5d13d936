//! What the service manager is told (`sd_notify`), and what it asks for (`WatchdogSec=`).

use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram as Unconnected};
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::net::UnixDatagram;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tracing::debug;

/// How long one message may take to be delivered. A manager that reads takes it at once; one that
/// hangs must not keep the next message back for long.
const DELIVERED_WITHIN: Duration = Duration::from_secs(2);

/// How much longer than the grace a stop may take: handing the last answers over (2 s), a second
/// signal's wait for the disk (2 s), the log.
const STOP_MARGIN: Duration = Duration::from_secs(5);

/// The way to the service manager. Nothing here waits: a task of its own delivers, in order.
#[derive(Clone)]
pub(crate) struct ServiceManager {
    /// None where no manager wants to know.
    messages: Option<mpsc::UnboundedSender<String>>,
}

impl ServiceManager {
    /// A manager that is told nothing.
    pub(crate) fn none() -> Self {
        Self { messages: None }
    }

    /// The one that the environment names (`NOTIFY_SOCKET`). Call it on a tokio runtime.
    pub(crate) fn from_environment() -> Self {
        let Some(name) = std::env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty()) else {
            return Self::none();
        };
        match connect(&name) {
            Ok(socket) => {
                let (messages, unsent) = mpsc::unbounded_channel();
                tokio::spawn(deliver(socket, unsent));
                Self { messages: Some(messages) }
            }
            Err(error) => {
                debug!(socket = %name.display(), %error, "the service manager cannot be told");
                Self::none()
            }
        }
    }

    /// Whether anybody wants to know.
    pub(crate) fn listens(&self) -> bool {
        self.messages.is_some()
    }

    /// Clients are served.
    pub(crate) fn ready(&self) {
        self.tell(&[NotifyState::Ready]);
    }

    /// The daemon was seen answering just now.
    pub(crate) fn alive(&self) {
        self.tell(&[NotifyState::Watchdog]);
    }

    /// How things stand, in a line for people.
    pub(crate) fn status(&self, line: &str) {
        self.tell(&[NotifyState::Status(line)]);
    }

    /// The end has begun, and takes so long at most. Said once, for the manager's own patience may be
    /// shorter than the grace that the config gives.
    pub(crate) fn stopping(&self, grace: Duration) {
        let within = u32::try_from((grace + STOP_MARGIN).as_micros()).unwrap_or(u32::MAX);
        self.tell(&[NotifyState::Stopping, NotifyState::ExtendTimeoutUsec(within)]);
    }

    fn tell(&self, states: &[NotifyState<'_>]) {
        if let Some(messages) = &self.messages {
            let lines: Vec<String> = states.iter().map(ToString::to_string).collect();
            // The task ends with the runtime.
            let _ = messages.send(lines.join("\n"));
        }
    }
}

/// A path, or `@` and an abstract name.
fn connect(name: &OsStr) -> io::Result<UnixDatagram> {
    let socket = Unconnected::unbound()?;
    match name.as_bytes().strip_prefix(b"@") {
        Some(name) => socket.connect_addr(&SocketAddr::from_abstract_name(name)?)?,
        None => socket.connect(name)?,
    }
    socket.set_nonblocking(true)?;
    UnixDatagram::from_std(socket)
}

async fn deliver(socket: UnixDatagram, mut messages: mpsc::UnboundedReceiver<String>) {
    while let Some(message) = messages.recv().await {
        match timeout(DELIVERED_WITHIN, socket.send(message.as_bytes())).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => debug!(%error, "the service manager could not be told"),
            Err(_) => debug!("the service manager does not read what it is told"),
        }
    }
}
