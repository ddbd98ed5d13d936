//! A connection to a host, at whichever of its addresses takes it first (as RFC 8305 has it).
//!
//! The addresses are tried in the order in which the system gives them, which knows what may work here. One that
//! does not answer holds up the next by a quarter of a second: behind half a VPN, the first may be dead for ever.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use securid_text::span;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use crate::conversation::Clock;
use crate::names::Host;
use crate::sockets;
use crate::{Failure, FailureKind};

/// How long the addresses of a host are tried, all together. Half of the shortest deadline that is
/// usual (10 s), so that a firewall that drops packets is told from a server that does not answer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long what was sent may go without a sign that it has arrived, which the other machine's system gives at
/// once, however busy its programs are. A kept connection shows by nothing else that its network has gone, and
/// has to fail while whoever asked still listens.
const ARRIVES_WITHIN: Duration = Duration::from_secs(5);

/// How long one address is waited for before the next is tried beside it (RFC 8305, section 5).
const HEAD_START: Duration = Duration::from_millis(250);

/// How many addresses an error names.
const NAMED: usize = 4;

/// Connects to `host`, which errors call `named`: an origin, or a proxy.
pub(crate) async fn dial(host: &Host, named: &str, clock: Clock) -> Result<TcpStream, Failure> {
    let addresses = host.addresses(named, clock).await?;
    let left = clock.left();
    let stream = first(&addresses, CONNECT_TIMEOUT.min(left), TcpStream::connect).await;
    let limit = if left < CONNECT_TIMEOUT { clock.deadline } else { CONNECT_TIMEOUT };
    let stream = stream.map_err(|refusals| in_words(&refusals, named, host.is_named(), limit))?;
    // Requests go out in one piece: there is nothing to wait for.
    let _ = stream.set_nodelay(true);
    sockets::may_take(&stream, ARRIVES_WITHIN);
    Ok(stream)
}

/// What came of one address; no error if nothing had by the end.
type Refusal = (SocketAddr, Option<io::Error>);

/// The first connection that comes about within `limit`, or what came of each address that was tried.
async fn first<C, T>(
    addresses: &[SocketAddr],
    limit: Duration,
    connect: impl Fn(SocketAddr) -> C,
) -> Result<T, Vec<Refusal>>
where
    C: Future<Output = io::Result<T>>,
{
    let end = Instant::now() + limit;
    let mut left = addresses.iter();
    let mut refusals: Vec<Refusal> = Vec::new();
    // Dropped, it ends those that are still trying.
    let mut trying = FuturesUnordered::new();
    loop {
        let next = left.next();
        if let Some(&address) = next {
            refusals.push((address, None));
            let attempt = connect(address);
            trying.push(async move { (address, attempt.await) });
        }
        let until = if left.len() > 0 { end.min(Instant::now() + HEAD_START) } else { end };
        match timeout_at(until, trying.next()).await {
            Ok(Some((_, Ok(stream)))) => return Ok(stream),
            // The next one's turn has come, at once.
            Ok(Some((address, Err(error)))) => {
                if let Some(refusal) =
                    refusals.iter_mut().find(|(at, what)| *at == address && what.is_none())
                {
                    refusal.1 = Some(error);
                }
            }
            Ok(None) => return Err(refusals),
            Err(_) if Instant::now() >= end => return Err(refusals),
            Err(_) => {}
        }
    }
}

/// Why no address took a connection within `limit`. Where a name stands for them, they are told as well.
fn in_words(refusals: &[Refusal], named: &str, by_name: bool, limit: Duration) -> Failure {
    let mut reasons = refusals.iter().map(|(_, error)| Reason::of(error.as_ref()));
    let first = reasons.next().unwrap_or(Reason::Silence);
    let limit = span(limit);
    let message = if reasons.all(|reason| reason == first) {
        let at = if by_name {
            format!(" (at {})", list(refusals, |_| String::new()))
        } else {
            String::new()
        };
        match first {
            Reason::Refused => format!(
                "{named} refuses connections{at}: is it up, and this machine's address allowed?"
            ),
            Reason::Silence => format!(
                "{named} did not take the connection within {limit}{at}: is a firewall or proxy between, or the \
                 VPN not there?"
            ),
            Reason::NoWay(reason) => {
                format!("no way leads to {named}{at}: {reason}; is the network (or VPN) there?")
            }
            Reason::Other(reason) => format!("cannot connect to {named}{at}: {reason}"),
        }
    } else {
        let why = |error: Option<&io::Error>| match Reason::of(error) {
            Reason::Refused => " refuses connections".to_owned(),
            Reason::Silence => format!(" did not answer within {limit}"),
            Reason::NoWay(reason) | Reason::Other(reason) => format!(": {reason}"),
        };
        format!("cannot connect to {named}: {}", list(refusals, why))
    };
    Failure::new(FailureKind::Connect, message)
}

/// What an address that does not take a connection says.
#[derive(PartialEq, Eq)]
enum Reason {
    Refused,
    Silence,
    NoWay(String),
    Other(String),
}

impl Reason {
    fn of(error: Option<&io::Error>) -> Self {
        match error {
            None => Self::Silence,
            Some(error) => match error.kind() {
                io::ErrorKind::ConnectionRefused => Self::Refused,
                io::ErrorKind::TimedOut => Self::Silence,
                io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => {
                    Self::NoWay(error.to_string())
                }
                _ => Self::Other(error.to_string()),
            },
        }
    }
}

/// The addresses with what is to be said of each, the first [`NAMED`] of them.
fn list(refusals: &[Refusal], what: impl Fn(Option<&io::Error>) -> String) -> String {
    let told = refusals.iter().take(NAMED);
    let told: Vec<String> =
        told.map(|(at, error)| format!("{}{}", at.ip(), what(error.as_ref()))).collect();
    let told = told.join(", ");
    match refusals.len().saturating_sub(NAMED) {
        0 => told,
        more => format!("{told} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::sockets::UNREACHABLE;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// How an address behaves: what it says, and after how long.
    #[derive(Clone, Copy)]
    enum Is {
        There(u64),
        Refusing(u64),
        Unreachable,
        Dead,
    }

    /// What comes of hosts with such addresses, after how long, and how many were tried.
    async fn meet(hosts: &[Is]) -> (Result<SocketAddr, Failure>, u128, usize) {
        let addresses: Vec<SocketAddr> =
            (0..hosts.len()).map(|n| address(u8::try_from(n).unwrap())).collect();
        let tried = Arc::new(AtomicUsize::new(0));
        let hosts = hosts.to_vec();
        let connect = |at: SocketAddr| {
            tried.fetch_add(1, Ordering::Relaxed);
            let is = addresses.iter().position(|a| *a == at).map(|n| hosts[n]).unwrap();
            async move {
                let wait = |ms| tokio::time::sleep(Duration::from_millis(ms));
                match is {
                    Is::There(after) => wait(after).await,
                    Is::Refusing(after) => {
                        wait(after).await;
                        return Err(io::ErrorKind::ConnectionRefused.into());
                    }
                    Is::Unreachable => return Err(io::Error::from_raw_os_error(UNREACHABLE)),
                    Is::Dead => std::future::pending().await,
                }
                Ok(at)
            }
        };
        let began = Instant::now();
        let met = first(&addresses, CONNECT_TIMEOUT, connect).await;
        let took = began.elapsed().as_millis();
        let met = met
            .map_err(|all| in_words(&all, "https://iga.example.com:8443", true, CONNECT_TIMEOUT));
        (met, took, tried.load(Ordering::Relaxed))
    }

    fn address(number: u8) -> SocketAddr {
        // Both families, in turn.
        match number % 2 {
            0 => SocketAddr::from(([192, 0, 2, number], 8443)),
            _ => SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, u16::from(number)], 8443)),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_dead_address_holds_up_the_next_by_a_quarter_of_a_second() {
        for (hosts, winner, after, tried) in [
            (&[Is::There(80)][..], 0, 80, 1),
            (&[Is::There(80), Is::There(0)], 0, 80, 1),
            (&[Is::Dead, Is::There(80)], 1, 330, 2),
            (&[Is::Dead, Is::Dead, Is::Dead, Is::There(80)], 3, 830, 4),
            // Slow is not dead: whoever is first, wins.
            (&[Is::There(600), Is::There(10)], 1, 260, 2),
            (&[Is::There(300), Is::There(600)], 0, 300, 2),
            // One that says no is not waited for.
            (&[Is::Refusing(10), Is::There(80)], 1, 90, 2),
            (&[Is::Unreachable, Is::Unreachable, Is::There(5)], 2, 5, 3),
            (&[Is::Dead, Is::Refusing(10), Is::There(80)], 2, 340, 3),
        ] {
            let (met, took, count) = meet(hosts).await;
            assert_eq!(met.unwrap(), address(winner));
            assert!((after..after + 20).contains(&took), "{took} instead of {after}");
            assert_eq!(count, tried);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn all_dead_are_told_with_their_addresses_in_one_time_limit() {
        let refused = "https://iga.example.com:8443 refuses connections";
        let allowed = "is it up, and this machine's address allowed?";
        for (hosts, limit, words) in [
            (
                &[Is::Refusing(1), Is::Refusing(1)][..],
                0,
                format!("{refused} (at 192.0.2.0, 2001:db8::1): {allowed}"),
            ),
            (
                &[Is::Dead, Is::Dead],
                5000,
                "https://iga.example.com:8443 did not take the connection within 5s \
                (at 192.0.2.0, 2001:db8::1): is a firewall or proxy between, or the VPN not there?"
                    .to_owned(),
            ),
            (
                &[Is::Unreachable],
                0,
                format!(
                    "no way leads to https://iga.example.com:8443 (at 192.0.2.0): {}; \
                     is the network (or VPN) there?",
                    io::Error::from_raw_os_error(UNREACHABLE)
                ),
            ),
            (
                &[Is::Dead, Is::Refusing(1)],
                5000,
                "cannot connect to https://iga.example.com:8443: 192.0.2.0 did not answer \
                within 5s, 2001:db8::1 refuses connections"
                    .to_owned(),
            ),
            (
                &[Is::Refusing(0); 6],
                0,
                format!(
                    "{refused} (at 192.0.2.0, 2001:db8::1, 192.0.2.2, 2001:db8::3 and 2 more): {allowed}"
                ),
            ),
        ] {
            let (met, took, _) = meet(hosts).await;
            let failure = met.unwrap_err();
            assert_eq!((failure.kind, failure.message), (FailureKind::Connect, words));
            assert!((limit..limit + 20).contains(&took), "{took}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn of_very_many_addresses_those_are_tried_for_which_there_is_time() {
        let (met, took, tried) = meet(&[Is::Dead; 100]).await;
        let message = met.unwrap_err().message;
        assert!(message.contains("2001:db8::3 and 16 more)"), "{message}");
        assert_eq!((took / 10, tried), (500, 20));
    }
}
