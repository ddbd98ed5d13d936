//! A daemon that cannot serve, and was started because somebody has connected: whoever waits is told
//! why. Without an answer the connection would stay in the socket's queue, and have the next
//! daemon started at once, for ever.

use std::sync::Arc;
use std::time::Duration;

use securid_ipc::messages::{Call, LogoutView, Reply, RpcError};
use securid_ipc::server::{ConnectionId, Listener, Notice, Service, Wanted, serve};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout};

use crate::descriptors;
use crate::signals::Signals;

/// How long nobody may have asked before it is over. Three seconds, because systemd gives a unit up
/// that is started more than five times in ten, and its socket with it.
const QUIET: Duration = Duration::from_secs(3);

/// How long it lasts however many ask: the next start sees whether the fault was mended.
const AT_MOST: Duration = Duration::from_secs(10);

struct Refusal {
    error: RpcError,
    nothing_recorded: bool,
    asked: Arc<Notify>,
}

impl Service for Refusal {
    async fn call(self: Arc<Self>, _: ConnectionId, call: Call) -> Result<Reply, RpcError> {
        self.asked.notify_one();
        match call {
            // A hook at log-off asks for this, and there is nothing to do.
            Call::Logout(_) if self.nothing_recorded => Ok(Reply::Logout(LogoutView::default())),
            _ => Err(self.error.clone()),
        }
    }

    fn undelivered(&self, _: Reply) {}

    fn closed(&self, _: ConnectionId) {}

    fn notice(&self, _: Notice) {}
}

/// Refuses every call until nobody has asked for [`QUIET`], or a signal comes. Where
/// `nothing_recorded`, a logout is no failure.
pub(crate) async fn tell_those_who_wait(
    listener: Listener,
    error: RpcError,
    nothing_recorded: bool,
) {
    let asked = Arc::new(Notify::new());
    let refusal = Refusal { error, nothing_recorded, asked: Arc::clone(&asked) };
    let until = Instant::now() + AT_MOST;
    let quiet =
        async { while Instant::now() < until && timeout(QUIET, asked.notified()).await.is_ok() {} };
    let over = async {
        match Signals::catch() {
            Ok(mut signals) => tokio::select! {
                _ = signals.end(|| {}) => {}
                () = quiet => {}
            },
            Err(_) => quiet.await,
        }
    };
    let (wanted, is_wanted) = watch::channel(Wanted::Always);
    let wanted_until_over = async move {
        over.await;
        drop(wanted);
    };
    let serving = serve(listener, Arc::new(refusal), is_wanted, descriptors::for_clients());
    tokio::join!(serving, wanted_until_over);
}
