//! As systemd does it (`sd_notify`).

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

/// The way to systemd. Nothing here waits: a task of its own delivers, in order.
#[derive(Clone)]
pub(super) struct Way(mpsc::UnboundedSender<String>);

impl Way {
    /// The one that the environment names (`NOTIFY_SOCKET`).
    pub(super) fn from_environment() -> Option<Self> {
        let name = std::env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty())?;
        match connect(&name) {
            Ok(socket) => {
                let (messages, unsent) = mpsc::unbounded_channel();
                tokio::spawn(deliver(socket, unsent));
                Some(Self(messages))
            }
            Err(error) => {
                debug!(socket = %name.display(), %error, "the service manager cannot be told");
                None
            }
        }
    }

    pub(super) fn ready(&self) {
        self.send(&[NotifyState::Ready]);
    }

    pub(super) fn reloading(&self) {
        // Without the time, systemd would take it for an answer to another reload.
        if let Ok(now) = NotifyState::monotonic_usec_now() {
            self.send(&[NotifyState::Reloading, now]);
        }
    }

    pub(super) fn alive(&self) {
        self.send(&[NotifyState::Watchdog]);
    }

    pub(super) fn status(&self, line: &str) {
        self.send(&[NotifyState::Status(line)]);
    }

    pub(super) fn stopping(&self, within: Duration) {
        let within = u32::try_from(within.as_micros()).unwrap_or(u32::MAX);
        self.send(&[NotifyState::Stopping, NotifyState::ExtendTimeoutUsec(within)]);
    }

    fn send(&self, states: &[NotifyState<'_>]) {
        let lines: Vec<String> = states.iter().map(ToString::to_string).collect();
        // The task ends with the runtime.
        let _ = self.0.send(lines.join("\n"));
    }

    /// How long its watchdog waits (`WATCHDOG_USEC`), if there is one.
    pub(super) fn patience(&self) -> Option<Duration> {
        sd_notify::watchdog_enabled().filter(|patience| !patience.is_zero())
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
