//! The way to a server's port: straight, or through a proxy.

use std::net::{IpAddr, SocketAddr};

use hyper::Uri;
use securid_text::span;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::conversation::Clock;
use crate::dial::dial;
use crate::names::Host;
use crate::proxy::Proxy;
use crate::{Endpoint, Failure, FailureKind, Proxies, SetupError, tunnel};

/// How one server's port is reached.
#[derive(Debug)]
pub(crate) struct Way {
    /// Whom to connect to: the server, or the proxy on the way.
    host: Host,
    server: Uri,
    origin: String,
    is_loopback: bool,
    proxy: Option<Proxy>,
}

impl Way {
    pub(crate) fn new(endpoint: &Endpoint, proxies: &Proxies) -> Result<Self, SetupError> {
        let origin = endpoint.origin().to_owned();
        let server: Uri = origin.parse().map_err(|_| SetupError::TooLong)?;
        let proxy = proxies.on_the_way_to(endpoint)?;
        Ok(Self {
            host: Host::of(proxy.as_ref().map_or(&server, Proxy::uri)),
            server,
            origin,
            is_loopback: endpoint.is_loopback(),
            proxy,
        })
    }

    /// The addresses that are connected to: the server's, or those of the proxy on the way.
    pub(crate) async fn addresses(&self, clock: Clock) -> Result<Vec<SocketAddr>, Failure> {
        match &self.proxy {
            None => self.host.addresses(&self.origin, clock).await,
            Some(proxy) => {
                let named = format!("the proxy {}", proxy.shown());
                self.host.addresses(&named, clock).await
            }
        }
    }

    /// The proxy on the way.
    pub(crate) fn proxy(&self) -> Option<&Proxy> {
        self.proxy.as_ref()
    }

    /// A connection on which the server itself is to be spoken to.
    pub(crate) async fn connect(&self, clock: Clock) -> Result<TcpStream, Failure> {
        let Some(proxy) = &self.proxy else {
            let tcp = dial(&self.host, &self.origin, clock).await?;
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
        let opened = timeout(clock.left(), self.open(proxy, clock)).await;
        opened.unwrap_or_else(|_| {
            let (proxy, origin, after) = (proxy.shown(), &self.origin, span(clock.deadline));
            let message =
                format!("the proxy {proxy} had not opened the way to {origin} after {after}");
            Err(Failure::new(FailureKind::Proxy, message))
        })
    }

    async fn open(&self, proxy: &Proxy, clock: Clock) -> Result<TcpStream, Failure> {
        let named = format!("the proxy {}", proxy.shown());
        let unasked = |refused| proxy.unasked(refused);
        let credentials = proxy.credentials().await?;
        if let Some(credentials) = &credentials {
            credentials.check().map_err(unasked)?;
        }
        let tcp = dial(&self.host, &named, clock).await.map_err(of_the_proxy)?;
        let _turn = match &credentials {
            Some(credentials) => credentials.turn(clock).await.map_err(unasked)?,
            None => None,
        };
        tunnel::open(tcp, proxy, credentials.as_ref(), &self.server).await
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
