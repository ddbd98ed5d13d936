//! Who is connected, and who leaves when one more comes and there is no room.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use tokio::{sync::Notify, time::Instant};

use crate::{
    endpoint::ServerStream,
    envelope::{self, Id},
    messages::{Reply, RpcError},
};

/// The connections whose sockets are open.
#[derive(Default)]
pub(super) struct Seats(Vec<(Arc<Seat>, Weak<ServerStream>)>);

/// What a connection shows of itself to whoever makes room.
pub(super) struct Seat {
    occupied: Mutex<Occupied>,
    leave: Notify,
}

/// How a connection is used.
#[derive(Debug, Clone, Copy)]
enum Occupied {
    /// A call is under way, an answer waits to be read, or it holds a session.
    Busy,
    /// Nothing but its client could miss it.
    IdleSince(Instant),
    /// It was told to leave.
    Leaving,
}

impl Seats {
    /// How many are there.
    pub(super) fn taken(&mut self) -> usize {
        self.0.retain(|(_, stream)| stream.strong_count() > 0);
        self.0.len()
    }

    /// Gives one to a client, whether there is room or not.
    pub(super) fn take(&mut self, socket: &Arc<ServerStream>) -> Arc<Seat> {
        let seat = Arc::new(Seat {
            occupied: Mutex::new(Occupied::IdleSince(Instant::now())),
            leave: Notify::new(),
        });
        self.0.push((Arc::clone(&seat), Arc::downgrade(socket)));
        seat
    }

    /// Tells the one that has been idle for the longest to leave, if there is an idle one whose client
    /// has not just sent something; else one whose client has gone while its call goes on. Returns
    /// whether there is such a one.
    pub(super) fn make_room(&self) -> bool {
        let mut idle: Vec<_> = self
            .0
            .iter()
            .filter_map(|(seat, stream)| match *seat.occupied() {
                Occupied::IdleSince(since) => Some((since, seat, stream)),
                Occupied::Busy | Occupied::Leaving => None,
            })
            .collect();
        idle.sort_by_key(|(since, ..)| *since);
        let silent =
            |stream: &Weak<ServerStream>| stream.upgrade().is_some_and(|stream| !stream.has_sent());
        let gone = |stream: &Weak<ServerStream>| stream.upgrade().is_some_and(|s| s.has_gone());
        let idle = idle.into_iter().find(|(.., stream)| silent(stream)).map(|(_, seat, _)| seat);
        let leaves =
            idle.or_else(|| self.0.iter().find(|(_, stream)| gone(stream)).map(|(seat, _)| seat));
        if let Some(seat) = leaves {
            *seat.occupied() = Occupied::Leaving;
            seat.leave.notify_one();
        }
        leaves.is_some()
    }
}

impl Seat {
    /// Notes whether it is idle now.
    pub(super) fn note(&self, idle: bool) {
        let mut occupied = self.occupied();
        *occupied = match *occupied {
            Occupied::Busy if idle => Occupied::IdleSince(Instant::now()),
            as_before if idle => as_before,
            _ => Occupied::Busy,
        };
    }

    /// Ends when it has to leave. Safe to drop between two polls.
    pub(super) async fn told_to_leave(&self) {
        self.leave.notified().await;
    }

    fn occupied(&self) -> MutexGuard<'_, Occupied> {
        // A panic while it was held cannot have left it half-changed.
        self.occupied.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says to a client why it is let go, if it takes that at once: it is answered under no id, for
/// nothing that it asked is begun any more.
///
/// # Errors
/// If it could not be told.
pub(super) fn let_go(socket: &ServerStream, why: &RpcError) -> io::Result<()> {
    let line = envelope::answer(&Id::null(), Err::<&Reply, _>(why)).map_err(io::Error::other)?;
    socket.say_at_once(line.filled())
}
