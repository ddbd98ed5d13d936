//! What a host's name stands for.

use std::fmt;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};

use hyper::Uri;
use securid_text::span;
use tokio::time::timeout;

use crate::conversation::Clock;
use crate::looks::Looks;
use crate::{Failure, FailureKind};

/// A host and its port.
pub(crate) struct Host {
    name: String,
    port: u16,
    /// None if it is a name.
    address: Option<IpAddr>,
    looks: Looks,
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name, self.port)
    }
}

impl Host {
    /// The one that a URL is of; without a port in it, that of HTTP.
    pub(crate) fn of(uri: &Uri) -> Self {
        let name = uri.host().unwrap_or_default();
        let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
        let (name, port) = (bare.to_owned(), uri.port_u16().unwrap_or(80));
        let asked = name.clone();
        let look = move || (asked.as_str(), port).to_socket_addrs().map(Iterator::collect);
        Self { address: bare.parse().ok(), name, port, looks: Looks::new(look) }
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
        let why = match timeout(clock.left(), self.looks.look()).await {
            Err(_) => {
                let after = span(clock.deadline);
                format!("the name service had not said after {after} where {named} is")
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
    async fn a_name_service_that_hangs_is_told() {
        let hangs = Looks::new(|| {
            std::thread::sleep(Duration::from_millis(200));
            Ok(Vec::new())
        });
        let host = Host { looks: hangs, ..Host::of(&Uri::from_static("https://localhost:8443")) };
        let failure = addresses(&host, Duration::from_millis(20)).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Resolve);
        let words = "the name service had not said after 20ms where https://HOST is";
        assert_eq!(failure.message, words);
    }
}
