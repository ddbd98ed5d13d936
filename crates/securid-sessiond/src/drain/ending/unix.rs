//! SIGINT and SIGTERM.

use std::future::pending;
use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Catches them from now on, and waits for the first: its number.
pub(super) fn signal_to_end() -> impl Future<Output = i32> {
    let [interrupt, terminate] =
        [SignalKind::interrupt(), SignalKind::terminate()].map(|kind| (kind, signal(kind)));
    async {
        tokio::select! {
            number = number_of(interrupt) => number,
            number = number_of(terminate) => number,
        }
    }
}

async fn number_of((kind, caught): (SignalKind, io::Result<Signal>)) -> i32 {
    if let Ok(mut caught) = caught
        && caught.recv().await.is_some()
    {
        return kind.as_raw_value();
    }
    pending().await
}
