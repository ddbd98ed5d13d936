//! The way to a server's port: straight, or through a proxy.

use std::net::IpAddr;
use std::time::Duration;

use hyper::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use tokio::net::TcpStream;
use tower_service::Service;

use crate::proxy::Proxy;
use crate::{Endpoint, Failure, FailureKind, Proxies, SetupError, fault, tunnel};

/// How long the addresses of a host are tried, all together. Half of the shortest deadline that is
/// usual (10 s), so that a firewall that drops packets is told from a server that does not answer.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long what was sent may go without a sign that it has arrived, which the other machine's system gives at
/// once, however busy its programs are. A kept connection shows by nothing else that its network has gone; it
/// then fails while whoever asked still listens.
const ARRIVES_WITHIN: Duration = CONNECT_TIMEOUT;

/// How one server's port is reached.
#[derive(Debug)]
pub(crate) struct Way {
    tcp: HttpConnector,
    server: Uri,
    origin: String,
    is_loopback: bool,
    proxy: Option<Proxy>,
}

impl Way {
    pub(crate) fn new(endpoint: &Endpoint, proxies: &Proxies) -> Result<Self, SetupError> {
        let mut tcp = HttpConnector::new();
        // Its host and port count, and it has both for https:// as well.
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        tcp.set_nodelay(true);
        tcp.set_tcp_user_timeout(Some(ARRIVES_WITHIN));
        let origin = endpoint.origin().to_owned();
        Ok(Self {
            tcp,
            server: origin.parse().map_err(|_| SetupError::TooLong)?,
            origin,
            is_loopback: endpoint.is_loopback(),
            proxy: proxies.on_the_way_to(endpoint)?,
        })
    }

    /// A connection on which the server itself is to be spoken to.
    pub(crate) async fn connect(&self) -> Result<TcpStream, Failure> {
        let Some(proxy) = &self.proxy else {
            let tcp = self.dial(&self.server, &self.origin).await?;
            let at = tcp.peer_addr().ok().map(|at| at.ip());
            if self.is_loopback && !at.is_some_and(is_this_machine) {
                let message = format!(
                    "the name in {} leads to another machine: is it in /etc/hosts?",
                    self.origin
                );
                return Err(Failure::new(FailureKind::Connect, message));
            }
            return Ok(tcp);
        };
        let named = format!("the proxy {}", proxy.shown());
        let credentials = proxy.credentials().await?;
        let tcp = self.dial(proxy.uri(), &named).await.map_err(of_the_proxy)?;
        tunnel::open(tcp, proxy, credentials, &self.server).await
    }

    /// The deadline passed before there was a connection.
    pub(crate) fn too_late(&self, deadline: Duration) -> Failure {
        match &self.proxy {
            None => fault::too_late(deadline, None),
            Some(proxy) => Failure::new(
                FailureKind::Proxy,
                format!(
                    "the proxy {} had not opened the way to {} after {deadline:?}",
                    proxy.shown(),
                    self.origin
                ),
            ),
        }
    }

    /// Names the proxy in what went wrong behind it: it may be the proxy that answered.
    pub(crate) fn named_in(&self, failure: Failure) -> Failure {
        match &self.proxy {
            None => failure,
            Some(proxy) => Failure {
                message: format!("{} (through the proxy {})", failure.message, proxy.shown()),
                ..failure
            },
        }
    }

    async fn dial(&self, to: &Uri, named: &str) -> Result<TcpStream, Failure> {
        // It is always ready: readiness has no meaning for connections that share nothing.
        let dialled = self.tcp.clone().call(to.clone()).await;
        dialled.map(|io| io.into_inner()).map_err(|error| fault::not_connected(&error, named))
    }
}

/// Nobody vouches for what `localhost` resolves to, and what is sent to this machine may be in the clear.
fn is_this_machine(at: IpAddr) -> bool {
    at.to_canonical().is_loopback()
}

fn of_the_proxy(failure: Failure) -> Failure {
    Failure { kind: FailureKind::Proxy, ..failure }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn this_machine_is_loopback_in_either_family() {
        let is_here = |at: &str| is_this_machine(at.parse().unwrap());
        for here in ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"] {
            assert!(is_here(here), "{here}");
        }
        for elsewhere in ["0.0.0.0", "10.0.0.1", "::", "::127.0.0.1", "::ffff:10.0.0.1", "fe80::1"]
        {
            assert!(!is_here(elsewhere), "{elsewhere}");
        }
    }
}
