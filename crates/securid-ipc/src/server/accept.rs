//! Taking connections until it is time to stop.

use std::{io, panic, sync::Arc, time::Duration};

use interprocess::local_socket::{tokio::Stream, traits::StreamCommon as _};
use tokio::{
    select,
    sync::watch,
    task::{JoinError, JoinSet},
    time::{sleep, timeout},
};

use super::{ConnectionId, Listener, Service, connection};

/// How long to wait after an accept that failed for want of descriptors or memory: the connection
/// stays in the queue meanwhile, and trying at once would burn the processor.
const SHORTAGE: Duration = Duration::from_millis(100);

/// How long calls in flight may take to be answered once the server stops. The daemon has done
/// its own work by then; what is left is handing over replies.
pub(super) const FAREWELL: Duration = Duration::from_secs(2);

/// How long requests are still read once the server stops. A client sends its first one as soon as it
/// is connected, and must not be left without an answer because the stop came between.
pub(super) const LAST_WORDS: Duration = Duration::from_millis(100);

/// How long the queue of a socket that is unlinked is looked at: it only empties.
const LAST_LOOK: Duration = Duration::from_millis(10);

/// How long a server is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// For clients to come.
    Always,
    /// No longer than somebody is connected.
    WhileConnected,
    /// It is to end.
    NoLonger,
}

/// Serves as long as it is `wanted` (by somebody: until the other end is dropped). Then nobody new is let in, what
/// clients have sent just then is still read, and calls have two seconds to be answered. A call that is not done by then is dropped,
/// unless the server ends for want of clients: then nobody hurries it, and a login that is dropped would lose its token.
///
/// A socket that was bound here is unlinked, and who is in its queue already is served like the others.
/// Of one that was handed over the queue is left alone: it is the next daemon's.
///
/// # Panics
/// With whatever a [`Service`] panicked with.
pub async fn serve<S: Service>(
    mut listener: Listener,
    service: Arc<S>,
    mut wanted: watch::Receiver<Wanted>,
) {
    let (close, closing) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut numbers = (0..).map(ConnectionId);
    loop {
        select! {
            () = is_over(&mut wanted, connections.is_empty()) => break,
            Some(ended) = connections.join_next() => {
                pass_panic_on(ended);
            }
            accepted = listener.accept() => match accepted {
                Ok(stream) if is_ours(&stream) => {
                    let Some(id) = numbers.next() else { break };
                    connections.spawn(connection::run(stream, id, service.clone(), closing.clone()));
                }
                // Somebody else's, root's included. Nothing is said to strangers.
                Ok(_) => {}
                // The client gave up before its turn.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(_) => sleep(SHORTAGE).await,
            },
        }
    }
    if listener.is_bound_here() {
        listener.unlink();
        // The look has to take some time: what the kernel has is seen only when the runtime asks it.
        while let Ok(Ok(stream)) = timeout(LAST_LOOK, listener.accept()).await {
            let Some(id) = numbers.next().filter(|_| is_ours(&stream)) else { continue };
            connections.spawn(connection::run(stream, id, service.clone(), closing.clone()));
        }
    }
    drop(listener);
    close.send_replace(true);
    let all_gone = async {
        while let Some(ended) = connections.join_next().await {
            pass_panic_on(ended);
        }
    };
    // The connections keep the bound themselves; this is for calls that outlive it.
    let out_of_patience = async {
        // An error means that there is nobody to want it.
        let _ = wanted.wait_for(|wanted| *wanted == Wanted::NoLonger).await;
        sleep(FAREWELL + SHORTAGE).await;
    };
    select! {
        () = all_gone => {}
        () = out_of_patience => {}
    }
}

async fn is_over(wanted: &mut watch::Receiver<Wanted>, nobody_connected: bool) {
    let over = |wanted: &Wanted| match wanted {
        Wanted::Always => false,
        Wanted::WhileConnected => nobody_connected,
        Wanted::NoLonger => true,
    };
    // An error means that there is nobody to want it.
    let _ = wanted.wait_for(over).await;
}

/// A task that panicked must not pass for one that ended.
pub(super) fn pass_panic_on<T>(ended: Result<T, JoinError>) -> Option<T> {
    match ended {
        Ok(value) => Some(value),
        Err(error) => match error.try_into_panic() {
            Ok(panic) => panic::resume_unwind(panic),
            // Cancelled: the runtime goes down.
            Err(_) => None,
        },
    }
}

/// Whether the kernel says that our own user is at the other end.
fn is_ours(stream: &Stream) -> bool {
    let us = rustix::process::geteuid().as_raw();
    stream.peer_creds().is_ok_and(|peer| peer.euid() == Some(us))
}
