//! What a host's name stands for.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;

use hyper::Uri;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::conversation::Clock;
use crate::{Failure, FailureKind};

/// How many looks into the name service may hang at once, for one host. Each takes a thread, as long as the
/// system's resolver takes: half a minute by default, or for ever. One would do, if none hung for ever.
const LOOKS: usize = 8;

/// A host and its port.
#[derive(Debug)]
pub(crate) struct Host {
    name: String,
    port: u16,
    /// None if it is a name.
    address: Option<IpAddr>,
    looks: Arc<Semaphore>,
}

impl Host {
    /// The one that a URL is of; without a port in it, that of HTTP.
    pub(crate) fn of(uri: &Uri) -> Self {
        let name = uri.host().unwrap_or_default();
        let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
        Self {
            name: bare.to_owned(),
            port: uri.port_u16().unwrap_or(80),
            address: bare.parse().ok(),
            looks: Arc::new(Semaphore::new(LOOKS)),
        }
    }

    /// Whether it is a name that stands for addresses.
    pub(crate) fn is_named(&self) -> bool {
        self.address.is_none()
    }

    /// Its addresses, in the order in which they are to be tried; errors call it `named`.
    pub(crate) async fn addresses(
        &self,
        named: &str,
        clock: Clock,
    ) -> Result<Vec<SocketAddr>, Failure> {
        if let Some(address) = self.address {
            return Ok(vec![SocketAddr::new(address, self.port)]);
        }
        let why = match timeout(clock.left(), self.look()).await {
            Err(_) => {
                format!("the name service had not said after {:?} where {named} is", clock.deadline)
            }
            Ok(Err(error)) => format!(
                "the host of {named} has no address: {error}; is its name right, and the network (or VPN) \
                 there that knows it?"
            ),
            Ok(Ok(addresses)) if addresses.is_empty() => {
                format!("the host of {named} has no address")
            }
            Ok(Ok(addresses)) => return Ok(addresses),
        };
        Err(Failure::new(FailureKind::Resolve, why))
    }

    /// Asks the system, on a thread of its own. If nobody waits for it any more, it goes on to its end.
    async fn look(&self) -> io::Result<Vec<SocketAddr>> {
        // It is never closed.
        let turn = Arc::clone(&self.looks).acquire_owned().await;
        let (name, port) = (self.name.clone(), self.port);
        let look = spawn_blocking(move || {
            let _turn = turn;
            (name.as_str(), port).to_socket_addrs().map(Iterator::collect)
        });
        match look.await {
            Ok(found) => found,
            Err(failed) => match failed.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(io::Error::other("the program ends")),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::time::Duration;

    async fn addresses(host: &Host, deadline: Duration) -> Result<Vec<SocketAddr>, Failure> {
        host.addresses("https://HOST", Clock::start(deadline)).await
    }

    #[tokio::test]
    async fn addresses_need_no_name_service() {
        for (url, address) in [
            ("https://192.0.2.7:8443", "192.0.2.7:8443"),
            ("https://[2001:db8::7]:8443", "[2001:db8::7]:8443"),
            ("http://[::1]", "[::1]:80"),
        ] {
            let host = Host::of(&Uri::from_static(url));
            host.looks.close();
            assert!(!host.is_named());
            let found = addresses(&host, Duration::ZERO).await.unwrap();
            assert_eq!(found, [address.parse().unwrap()]);
        }
    }

    #[tokio::test]
    async fn a_name_without_an_address_is_told() {
        // No name service is asked for what is no name.
        let host = Host::of(&Uri::from_static("https://no..where:8443"));
        let failure = addresses(&host, Duration::from_secs(10)).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Resolve);
        assert!(
            failure.message.starts_with("the host of https://HOST has no address: "),
            "{failure}"
        );
    }

    #[tokio::test]
    async fn a_name_service_that_hangs_is_told_and_takes_no_more_threads() {
        let host = Host::of(&Uri::from_static("https://localhost:8443"));
        let hanging = host.looks.acquire_many(u32::try_from(LOOKS).unwrap()).await.unwrap();
        let failure = addresses(&host, Duration::from_millis(20)).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Resolve);
        let words = "the name service had not said after 20ms where https://HOST is";
        assert_eq!(failure.message, words);
        drop(hanging);
        assert!(!addresses(&host, Duration::from_secs(10)).await.unwrap().is_empty());
    }
}
