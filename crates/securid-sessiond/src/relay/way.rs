//! A connection to a session's server, by whichever of its ways leads there.

use std::time::Duration;

use securid_api::{FailureKind, Line};
use securid_ipc::messages::RpcError;
use securid_session::Origin;
use tokio::time::{Instant, timeout};

use super::troubles;
use crate::servers::Servers;
use crate::trouble;

/// Connects as an attempt at a revocation does: nothing is sent yet, so a way that leads nowhere costs nothing but
/// time. What is said of several is said of the session's own, the first.
pub(super) async fn line(
    servers: &Servers,
    ways: &[Origin],
    within: Duration,
) -> Result<Line, RpcError> {
    let end = Instant::now() + within;
    let mut errors = Vec::new();
    for way in servers.least_recently_in_vain(ways) {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        let error = match timeout(left, servers.client(way)).await {
            Err(_) => trouble::certificates_hang(),
            Ok(Err(unusable)) => trouble::server(&unusable),
            Ok(Ok(client)) => match client.line(left).await {
                Ok(line) => {
                    servers.led_there(way);
                    return Ok(line);
                }
                Err(failure) => {
                    if failure.kind == FailureKind::Tls {
                        servers.forget(way);
                    }
                    troubles::no_way(&failure)
                }
            },
        };
        servers.in_vain(way);
        errors.push((ways.iter().position(|other| other == way), error));
    }
    let first = errors.into_iter().min_by_key(|(place, _)| *place);
    Err(first.map_or_else(trouble::certificates_hang, |(_, error)| error))
}
