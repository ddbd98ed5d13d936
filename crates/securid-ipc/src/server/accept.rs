//! Taking connections until it is time to stop.

use std::{
    io, panic,
    sync::{Arc, atomic::AtomicUsize},
    time::Duration,
};

use tokio::{
    select,
    sync::watch,
    task::{JoinError, JoinSet},
    time::{Instant, sleep, timeout},
};

use super::{
    ConnectionId, Listener, Notice, Room, Service, connection,
    seats::{self, Seats},
    unread::Unread,
};
use crate::{
    endpoint::ServerStream,
    messages::{ErrorCode, RpcError},
};

/// How long to wait after an accept that failed for want of descriptors or memory: the connection
/// stays in the queue meanwhile, and trying at once would burn the processor.
const SHORTAGE: Duration = Duration::from_millis(100);

/// How often the same trouble is told of: as long as it lasts it comes back many times a second.
const QUIET: Duration = Duration::from_secs(60);

/// How long calls in flight may take to be answered once the server stops. The daemon has done
/// its own work by then; what is left is handing over replies.
pub(super) const FAREWELL: Duration = Duration::from_secs(2);

/// How long requests are still read once the server stops. A client sends its first one as soon as it
/// is connected, and must not be left without an answer because the stop came between.
pub(super) const LAST_WORDS: Duration = Duration::from_millis(100);

/// How long the queue of a socket that is unlinked is looked at: it only empties.
const LAST_LOOK: Duration = Duration::from_millis(10);

/// So many connections at once are a crowd: more than a person and his programs have. What a crowd leaves behind
/// in memory is worth the while to give it back.
const CROWD: usize = 8;

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
/// There are at most as many connections at once as there is `room` for. Where one more comes, the one that has been idle for the
/// longest is closed; where none is idle, the new one. Either is told why.
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
    room: Room,
) {
    let (close, closing) = watch::channel(false);
    let mut door = Door {
        service,
        closing,
        numbers: 0,
        seats: Seats::default(),
        room,
        unread: Arc::default(),
        connections: JoinSet::new(),
        at_once: 0,
        crowd_told: None,
        shortage_told: None,
    };
    loop {
        let over_full = door.seats.taken() > room.most;
        select! {
            () = is_over(&mut wanted, door.connections.is_empty()) => break,
            Some(ended) = door.connections.join_next() => {
                pass_panic_on(ended);
                door.clear_up_after_a_crowd();
            }
            // Who was told to leave may have got something to do just then.
            () = sleep(SHORTAGE), if over_full => {
                door.seats.make_room();
            }
            accepted = listener.accept(), if !over_full => match accepted {
                Ok(client) => client.into_iter().for_each(|client| door.let_in(client)),
                // The client gave up before its turn.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    door.tell_of_shortage(error);
                    sleep(SHORTAGE).await;
                }
            },
        }
    }
    if listener.is_bound_here() {
        listener.unlink();
        // The look has to take some time: what the kernel has is seen only when the runtime asks it.
        while let Ok(Ok(client)) = timeout(LAST_LOOK, listener.accept()).await {
            client.into_iter().for_each(|client| door.let_in(client));
        }
    }
    drop(listener);
    close.send_replace(true);
    let all_gone = async {
        while let Some(ended) = door.connections.join_next().await {
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

/// Where clients come in.
struct Door<S> {
    service: Arc<S>,
    closing: watch::Receiver<bool>,
    /// Of the next connection.
    numbers: u64,
    seats: Seats,
    room: Room,
    /// How much waits for all clients to read it, in bytes.
    unread: Arc<AtomicUsize>,
    connections: JoinSet<()>,
    /// The most connections at once since the last crowd has gone.
    at_once: usize,
    /// When it was last said that there are too many.
    crowd_told: Option<Instant>,
    /// The same of accepts that fail.
    shortage_told: Option<Instant>,
}

impl<S: Service> Door<S> {
    fn let_in(&mut self, socket: ServerStream) {
        let always = socket.pid().is_some() && socket.pid() == self.room.always_for;
        let most = self.room.most;
        if self.seats.taken() >= most && !always {
            if is_due(&mut self.crowd_told) {
                self.service.notice(Notice::Crowded { most });
            }
            if !self.seats.make_room() {
                if seats::let_go(&socket, &all_in_use(most)).is_err() {
                    socket.break_off();
                }
                return;
            }
        }
        let socket = Arc::new(socket);
        let seat = self.seats.take(&socket);
        let id = ConnectionId(self.numbers);
        self.numbers += 1;
        let (service, closing) = (self.service.clone(), self.closing.clone());
        let unread = Unread::together_with(&self.unread);
        self.connections.spawn(connection::run(socket, seat, id, service, unread, closing));
        self.at_once = self.at_once.max(self.connections.len());
    }

    /// Gives its memory back once most of it have gone.
    fn clear_up_after_a_crowd(&mut self) {
        if self.at_once >= CROWD && self.connections.len() <= self.at_once / 4 {
            self.at_once = self.connections.len();
            securid_secret::give_back_what_is_free();
        }
    }

    fn tell_of_shortage(&mut self, error: io::Error) {
        if is_due(&mut self.shortage_told) {
            self.service.notice(Notice::CannotAccept(error));
        }
    }
}

/// Whether something is to be said, which goes on as long as it likes and is said once in [`QUIET`].
fn is_due(told: &mut Option<Instant>) -> bool {
    let due = told.is_none_or(|at| at.elapsed() >= QUIET);
    if due {
        *told = Some(Instant::now());
    }
    due
}

fn all_in_use(most: usize) -> RpcError {
    let message =
        format!("the daemon has {most} connections, as many as it may, and all are in use");
    RpcError::new(ErrorCode::LimitExceeded, message).with_hint(
        "Nothing was done. Try again when some of them have ended: each runs a call, holds a session, \
         watches, or leaves its answers unread.",
    )
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
fn pass_panic_on<T>(ended: Result<T, JoinError>) -> Option<T> {
    match ended {
        Ok(value) => Some(value),
        Err(error) => match error.try_into_panic() {
            Ok(panic) => panic::resume_unwind(panic),
            // Cancelled: the runtime goes down.
            Err(_) => None,
        },
    }
}
