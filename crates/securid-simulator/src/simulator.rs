//! The handle by which tests, the demo and the program hold a running server.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::runtime::{self, Runtime};
use tokio::sync::oneshot;

use crate::answer::REDIRECT_PATH;
use crate::certificates::{Certificates, ClientCertificate, Handshake, Validity};
use crate::fault::Fault;
use crate::gate::Phase;
use crate::server::{self, Server};
use crate::switches::Assertion;
use crate::truth::{EndedBy, Truth};

/// How a [`Simulator`] is to start. No `Debug`: it holds passwords.
#[derive(Clone)]
pub struct Options {
    /// Where it listens.
    pub address: IpAddr,
    /// The TCP port there; 0 lets the system choose.
    pub port: u16,
    /// TLS, or plain HTTP when false.
    pub tls: bool,
    /// Who may log in: user names and passwords.
    pub users: Vec<(String, String)>,
    /// What every reply of a command takes longer. The command itself is carried out at once.
    pub latency: Duration,
    /// What is said of certificates in the handshakes, until [`Simulator::set_handshake`] says otherwise.
    pub handshake: Handshake,
}

impl Default for Options {
    /// TLS on a free port of 127.0.0.1, no latency, and one user: `alice`, `correct horse`.
    fn default() -> Self {
        Self {
            address: Ipv4Addr::LOCALHOST.into(),
            port: 0,
            tls: true,
            users: vec![("alice".to_owned(), "correct horse".to_owned())],
            latency: Duration::ZERO,
            handshake: Handshake::default(),
        }
    }
}

/// A running server. It stops when this is dropped.
///
/// All methods may be called from any thread; those that switch faults may block for a moment.
pub struct Simulator {
    server: Arc<Server>,
    url: String,
    certificates: Option<Arc<Certificates>>,
    /// Dropping it stops the server.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Simulator {
    /// Starts a server, on a thread of its own. It accepts connections at once.
    ///
    /// # Errors
    /// The port is taken, or the system gives no socket, thread or randomness.
    pub fn start(options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind(SocketAddr::from((options.address, options.port)))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();

        let certificates = match options.tls {
            true => Some(Arc::new(Certificates::generate(options.handshake)?)),
            false => None,
        };
        let scheme = if options.tls { "https" } else { "http" };
        let server = Arc::new(Server::new(
            options.users.into_iter().collect(),
            format!("{scheme}://127.0.0.1:{port}{REDIRECT_PATH}"),
            options.latency,
        ));

        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let thread = thread::Builder::new().name("securid-simulator".to_owned()).spawn({
            let (server, tls) = (Arc::clone(&server), certificates.clone());
            move || {
                serve_until_stopped(runtime, Arc::clone(&server), listener, tls, stopped);
                server.gate.enter(Phase::Stopped);
            }
        })?;
        Ok(Self {
            server,
            url: format!("{scheme}://localhost:{port}/aveksa"),
            certificates,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// What a client is configured with: `https://localhost:PORT/aveksa`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The certificate of the private root CA, for `ca_file`; empty without TLS.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        self.certificates.as_ref().map_or("", |certificates| certificates.root_pem())
    }

    /// The certificate of the CA below it, which has issued the server's; empty without TLS.
    #[must_use]
    pub fn intermediate_pem(&self) -> &str {
        self.certificates.as_ref().map_or("", |certificates| certificates.intermediate_pem())
    }

    /// Sets what is said of certificates in the handshakes from now on; without TLS nothing is.
    ///
    /// # Errors
    /// If the server's certificate cannot be made.
    pub fn set_handshake(&self, handshake: Handshake) -> io::Result<()> {
        self.certificates.as_ref().map_or(Ok(()), |certificates| certificates.show(handshake))
    }

    /// A certificate for a client of this name, which the server takes.
    ///
    /// # Errors
    /// If it cannot be made, or there is no TLS.
    pub fn client_certificate(
        &self,
        name: &str,
        validity: Validity,
    ) -> io::Result<ClientCertificate> {
        let certificates = self.certificates.as_ref().ok_or(io::ErrorKind::Unsupported)?;
        certificates.issue(name, validity)
    }

    /// A live token made out of band, as by another client's login.
    #[must_use]
    pub fn issue(&self, username: &str) -> String {
        self.server.ledger.issue(username, None)
    }

    /// The server ends a token itself, as after its idle time; whether the token was alive.
    pub fn expire(&self, token: &str) -> bool {
        self.server.ledger.end(token, EndedBy::Expired)
    }

    /// A dead token is alive again, as on a server that was set back to a backup; whether it was dead.
    pub fn revive(&self, token: &str) -> bool {
        self.server.ledger.revive(token)
    }

    /// Logins that succeed are answered with this token from now on, as by a server that knows one a user; or
    /// with new ones again.
    pub fn hand_out(&self, token: Option<&str>) {
        self.server.switches().handed_out = token.map(str::to_owned);
    }

    /// People are told this before a login from now on, or the usual words again.
    pub fn instruct(&self, text: Option<&str>) {
        self.server.switches().instructions = text.map(str::to_owned);
    }

    /// From now on this authentication source checks assertions and no passwords, and whoever sends this one, to the
    /// byte, is this user.
    pub fn trust(&self, auth_source: &str, assertion: &str, username: &str) {
        self.server.switches().assertions.push(Assertion {
            auth_source: auth_source.to_owned(),
            text: assertion.to_owned(),
            username: username.to_owned(),
        });
    }

    /// What really happened up to now.
    #[must_use]
    pub fn truth(&self) -> Truth {
        self.server.ledger.truth()
    }

    /// Waits until the truth is as wanted, at most `timeout`; whether it is.
    ///
    /// `wanted` is asked whenever something changes, with the server held up meanwhile.
    pub fn wait_until(&self, timeout: Duration, wanted: impl FnMut(&Truth) -> bool) -> bool {
        self.server.ledger.wait_until(timeout, wanted)
    }

    /// Sets or clears the general fault, for requests that arrive from now on. With
    /// [`Fault::Down`], connections are refused when this returns, and accepted again when it
    /// returns after clearing.
    pub fn set_fault(&self, fault: Option<Fault>) {
        self.server.set_fault(None, fault);
        self.server.gate.settle();
    }

    /// Sets or clears the fault of one command, which goes before the general one; each is cleared
    /// by itself.
    pub fn set_fault_for(&self, command: &str, fault: Option<Fault>) {
        self.server.set_fault(Some(command), fault);
        self.server.gate.settle();
    }

    /// Sets what every reply takes longer, for requests that arrive from now on.
    pub fn set_latency(&self, latency: Duration) {
        self.server.switches().latency = latency;
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        drop(self.stop.take());
        // Joined only once it is over, so that a stuck thread fails a test rather than hangs it.
        if self.server.gate.wait_stopped()
            && let Some(thread) = self.thread.take()
        {
            let _ = thread.join();
        }
    }
}

/// Returns with every connection closed: they end with the runtime.
fn serve_until_stopped(
    runtime: Runtime,
    server: Arc<Server>,
    listener: TcpListener,
    tls: Option<Arc<Certificates>>,
    stopped: oneshot::Receiver<()>,
) {
    let served = runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        tokio::select! {
            ended = server::run(server, listener, tls) => ended,
            _ = stopped => Ok(()),
        }
    });
    if let Err(error) = served {
        eprintln!("securid-simulator: the listener is lost: {error}");
    }
}
