//! The listener: accepts, closes and reopens, stops.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};

use crate::certificates::Certificates;
use crate::connection::serve;
use crate::fault::Fault;
use crate::gate::{Gate, Phase};
use crate::ledger::Ledger;
use crate::switches::Switches;

/// How many connections the kernel may hold for us: more than any test opens in one go.
const BACKLOG: u32 = 4096;

/// Pause after a failed `accept` (no descriptors left) or `bind`, so that it is not a busy loop.
const RETRY_PAUSE: Duration = Duration::from_millis(20);

/// What all connections share with each other and with the [`crate::Simulator`].
pub(crate) struct Server {
    /// Passwords by user name.
    pub(crate) users: HashMap<String, String>,
    /// Where [`Fault::Redirect`] points to.
    pub(crate) redirect_target: String,
    pub(crate) ledger: Ledger,
    pub(crate) gate: Gate,
    switches: Mutex<Switches>,
}

impl Server {
    pub(crate) fn new(
        users: HashMap<String, String>,
        redirect_target: String,
        latency: Duration,
    ) -> Self {
        Self {
            users,
            redirect_target,
            ledger: Ledger::default(),
            gate: Gate::new(),
            switches: Mutex::new(Switches { latency, ..Switches::default() }),
        }
    }

    pub(crate) fn switches(&self) -> MutexGuard<'_, Switches> {
        self.switches.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets or clears a fault; the listener follows in a moment ([`Gate::settle`]).
    pub(crate) fn set_fault(&self, command: Option<&str>, fault: Option<Fault>) {
        let mut switches = self.switches();
        switches.set(command, fault);
        // Under the lock, so that the gate cannot be told things in another order.
        self.gate.want_down(switches.is_down());
    }
}

/// Accepts connections and follows the gate, for ever: it is ended by being dropped.
pub(crate) async fn run(
    server: Arc<Server>,
    mut listener: TcpListener,
    tls: Option<Arc<Certificates>>,
) -> io::Result<()> {
    let address = listener.local_addr()?;
    let mut down_wanted = server.gate.down_wanted();
    loop {
        tokio::select! {
            () = accept(&server, &listener, tls.as_ref()) => {}
            () = async {
                // The value is a lock: it must not be held while we are down.
                let _ = down_wanted.wait_for(|down| *down).await;
            } => {
                drop(listener);
                server.gate.cut();
                let reserved = reserve(address).await;
                server.gate.enter(Phase::Down);
                // The sender lives in `server`, so this cannot end early.
                let _ = down_wanted.wait_for(|down| !*down).await;
                listener = reserved.listen(BACKLOG)?;
                server.gate.enter(Phase::Listening);
            }
        }
    }
}

async fn accept(server: &Arc<Server>, listener: &TcpListener, tls: Option<&Arc<Certificates>>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(RETRY_PAUSE).await;
            continue;
        };
        server.ledger.count(|truth| &mut truth.connections);
        // Replies are small and written in one go: waiting for more would only add to the latency.
        let _ = stream.set_nodelay(true);
        let cuts = server.gate.cuts();
        tokio::spawn(serve(Arc::clone(server), stream, tls.cloned(), cuts));
    }
}

/// Holds the port without listening: connections are refused, and the system gives the port to
/// nobody else who asks for any free one.
async fn reserve(address: SocketAddr) -> TcpSocket {
    loop {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
        let bound = socket.and_then(|socket| {
            // Or the connections just cut would keep the port from us.
            socket.set_reuseaddr(true)?;
            socket.bind(address)?;
            Ok(socket)
        });
        match bound {
            Ok(socket) => return socket,
            Err(_) => tokio::time::sleep(RETRY_PAUSE).await,
        }
    }
}
