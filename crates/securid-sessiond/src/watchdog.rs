//! The service manager's watchdog: fed as long as the daemon really answers.

use std::path::PathBuf;
use std::time::Duration;

use securid_ipc::server::probe;
use tokio::time::{MissedTickBehavior, interval};
use tracing::warn;

use crate::notify::ServiceManager;

/// How many times it is fed within its patience. Twice would be what systemd advises; three times leave
/// room for one answer that comes late.
const MEALS: u32 = 3;

/// Feeds the watchdog for ever, if the service manager has one; otherwise never wakes.
pub(crate) async fn feed(manager: ServiceManager, socket: PathBuf) {
    match manager.patience() {
        Some(patience) => every(patience / MEALS, &manager, &socket).await,
        None => std::future::pending().await,
    }
}

/// Each time by a round trip over the daemon's own socket, as a client makes it: a timer alone would
/// vouch for a daemon that serves nobody.
async fn every(span: Duration, manager: &ServiceManager, socket: &std::path::Path) {
    let mut meals = interval(span);
    // After a standstill one meal is enough.
    meals.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        meals.tick().await;
        match probe(socket, span).await {
            Ok(()) => manager.alive(),
            Err(error) => {
                warn!(%error, socket = %socket.display(), "the daemon does not answer: its watchdog is not fed");
            }
        }
    }
}
