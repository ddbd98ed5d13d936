//! One attempt at a revocation, by all the settings that there are for the server.

use std::time::Duration;

use securid_api::{Confirmed, Failure, FailureKind, LogoutReply, Token};
use securid_session::{Origin, Outcome, Verdict};
use securid_text::span;
use tokio::time::{Instant, timeout};

use crate::servers::Servers;

/// One attempt. Only where nothing was sent, because the certificates cannot be read or do not fit, or no way leads
/// there, the next settings are tried: a CA file that was moved must not strand a token, nor a proxy that is another
/// now, or is needed now. A way that hangs takes all the time there is, so the next attempt begins with another.
pub(super) async fn by_any_way(
    servers: &Servers,
    ways: &[Origin],
    token: &Token,
    deadline: Duration,
) -> Verdict {
    let end = Instant::now() + deadline;
    let mut unsent = Vec::new();
    for way in servers.least_recently_in_vain(ways) {
        let left = match unsent.len() {
            0 => deadline,
            _ => end.saturating_duration_since(Instant::now()),
        };
        if left.is_zero() {
            break;
        }
        let verdict = match timeout(left, servers.client(way)).await {
            Err(_) => {
                unconfirmed(format!("the certificates had not been read after {}", span(left)))
            }
            Ok(Err(error)) => unconfirmed(error.to_string()),
            Ok(Ok(client)) => match client.logout(token, left).await {
                reply @ LogoutReply::Unconfirmed(Failure { kind: FailureKind::Tls, .. }) => {
                    servers.forget(way);
                    verdict(reply)
                }
                reply @ LogoutReply::Unconfirmed(Failure {
                    kind: FailureKind::Resolve | FailureKind::Connect | FailureKind::Proxy,
                    ..
                }) => verdict(reply),
                reply => {
                    servers.led_there(way);
                    return verdict(reply);
                }
            },
        };
        servers.in_vain(way);
        unsent.push((way, verdict));
    }
    most_telling(ways, unsent)
}

/// What is said of an attempt in which no way led there: the session's own settings before the others'. But where
/// another network would help, that comes first: then its return counts.
fn most_telling(ways: &[Origin], unsent: Vec<(&Origin, Verdict)>) -> Verdict {
    let place = |(way, verdict): &(&Origin, Verdict)| {
        let helps = matches!(verdict, Verdict::Unreached { .. });
        (!helps, ways.iter().position(|other| other == *way))
    };
    let first = unsent.into_iter().min_by_key(place);
    first.map_or_else(|| unconfirmed(String::new()), |(_, verdict)| verdict)
}

pub(super) fn unconfirmed(error: String) -> Verdict {
    Verdict::Unconfirmed { error, retry_after: None }
}

fn verdict(reply: LogoutReply) -> Verdict {
    match reply {
        LogoutReply::Confirmed(confirmation) => Verdict::Dead {
            outcome: match confirmation.how {
                Confirmed::Revoked => Outcome::Revoked,
                Confirmed::AlreadyInvalid => Outcome::AlreadyInvalid,
            },
            evidence: confirmation.evidence,
        },
        // Whoever shows a certificate that does not fit is not the server: a hotel's network, perhaps.
        LogoutReply::Unconfirmed(Failure {
            kind:
                FailureKind::Resolve | FailureKind::Connect | FailureKind::Proxy | FailureKind::Tls,
            message,
            ..
        }) => Verdict::Unreached { error: message },
        LogoutReply::Unconfirmed(Failure { message, retry_after, .. }) => {
            Verdict::Unconfirmed { error: message, retry_after }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use securid_secret::Secret;
    use securid_session::Network;

    use super::*;

    fn way(ca_file: Option<&str>, proxy: Option<String>) -> Origin {
        Origin {
            url: "https://iga.example.com:8443/aveksa".to_owned(),
            format: "json".to_owned(),
            ca_file: ca_file.map(str::to_owned),
            network: Network { proxy, ..Network::default() },
        }
    }

    fn error(verdict: Verdict) -> String {
        match verdict {
            Verdict::Unreached { error } => error,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn after_a_way_that_hangs_the_next_attempt_begins_with_the_other() {
        // It takes connections and says nothing; nobody is at the other.
        let hanging = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let nobody = tokio::net::TcpSocket::new_v4().unwrap();
        nobody.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let [old, new] = [hanging.local_addr().unwrap(), nobody.local_addr().unwrap()]
            .map(|at| way(None, Some(format!("http://{at}"))));
        let (servers, token) = (Servers::new(), Token::new(&Secret::from("t0ken")).unwrap());
        let ways = [old.clone(), new.clone()];
        let attempt = || by_any_way(&servers, &ways, &token, Duration::from_secs(2));
        assert!(error(attempt().await).contains("had not opened the way"));
        assert_eq!(servers.least_recently_in_vain(&ways), [&new, &old]);
        // The words are those of the session's own.
        assert!(error(attempt().await).contains("had not opened the way"));
        assert_eq!(servers.least_recently_in_vain(&ways), [&new, &old]);
        servers.led_there(&old);
        assert_eq!(servers.least_recently_in_vain(&ways), [&old, &new]);
    }

    #[tokio::test]
    async fn a_file_that_is_gone_hides_no_network_that_is() {
        let nobody = tokio::net::TcpSocket::new_v4().unwrap();
        nobody.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let proxy = format!("http://{}", nobody.local_addr().unwrap());
        let ways = [way(Some("/nowhere/ca.pem"), None), way(None, Some(proxy))];
        let (servers, token) = (Servers::new(), Token::new(&Secret::from("t0ken")).unwrap());
        let verdict = by_any_way(&servers, &ways, &token, Duration::from_secs(10)).await;
        assert!(error(verdict).contains("refuses connections"));
        let verdict = by_any_way(&servers, &ways[..1], &token, Duration::from_secs(10)).await;
        assert!(matches!(verdict, Verdict::Unconfirmed { error, .. } if error.contains("ca.pem")));
    }
}
