//! The exchange with one client.
//!
//! One task a connection: it reads request lines, runs their calls side by side up to a bound,
//! and writes the answers one at a time, in the order in which the calls end. While the bound is
//! reached nothing is read: further lines wait in the socket. Where it has subscribed, an event goes out
//! whenever no answer waits.
//!
//! A request that is answered at once costs one read and one write, and no timer: what the socket does not
//! take is waited for with a deadline, and only then is there one.

use std::{io, ops::ControlFlow, pin::pin, sync::Arc, time::Duration};

use tokio::{
    select,
    sync::watch,
    time::{Instant, sleep, sleep_until},
};

use super::{
    ConnectionId, Service,
    accept::{FAREWELL, LAST_WORDS},
    calls::{Calls, Done},
    feed::{Feed, next_of},
    outbox::{Answer, Outbox},
    seats::{self, Seat},
    unread::Unread,
};
use crate::{
    endpoint::ServerStream,
    envelope::{self, Asked, Id, Request},
    framing::{LineBuffer, REQUEST_LIMIT},
    messages::{ErrorCode, Reply, RpcError},
};

/// How many requests of one connection are carried out at once, or answered but not yet read by
/// the client. Programs use a handful; the bound keeps one client from filling the memory.
const IN_FLIGHT: usize = 16;

/// How long a line may be half-sent. Clients write a line in one piece.
const LINE_WITHIN: Duration = Duration::from_secs(10);

/// How often it is looked whether a client that asks nothing more is still there to be answered: the system
/// tells it of us only if we ask.
const LOOK_EVERY: Duration = Duration::from_millis(250);

struct Connection<S> {
    id: ConnectionId,
    service: Arc<S>,
    /// False once the client has (half-)closed, sent too long a line, or the server stops.
    reading: bool,
    lines: LineBuffer,
    /// Since when the first line in `lines` has been incomplete while we were reading.
    half_line_since: Option<Instant>,
    calls: Calls,
    outbox: Outbox,
    /// It was granted a hold, which lasts as long as the connection does.
    holds: bool,
    /// What it is told without asking again, once it has subscribed.
    feed: Option<Feed<S>>,
    seat: Arc<Seat>,
    /// When the server stops: until when answers may still go out.
    farewell: Option<Instant>,
}

/// Serves one client to its end.
pub(super) async fn run<S: Service>(
    socket: Arc<ServerStream>,
    seat: Arc<Seat>,
    id: ConnectionId,
    service: Arc<S>,
    unread: Unread,
    closing: watch::Receiver<bool>,
) {
    let mut connection = Connection {
        id,
        service,
        reading: true,
        lines: LineBuffer::new(REQUEST_LIMIT),
        half_line_since: None,
        calls: Calls::default(),
        outbox: Outbox::new(unread),
        holds: false,
        feed: None,
        seat,
        farewell: None,
    };
    // Whether it ended well or the client died: what could not be handed over goes back.
    if connection.exchange(&socket, closing).await.is_err() {
        socket.break_off();
    }
    drop(socket);
    connection.wind_up().await;
}

impl<S: Service> Connection<S> {
    /// Reads, calls and answers until nothing is left to do.
    ///
    /// # Errors
    /// If the client has gone, or is dropped for its slowness, or to make room without its having been told.
    async fn exchange(
        &mut self,
        socket: &ServerStream,
        mut closing: watch::Receiver<bool>,
    ) -> io::Result<()> {
        let seat = Arc::clone(&self.seat);
        let mut told_to_leave = pin!(seat.told_to_leave());
        let mut stop = pin!(closing.wait_for(|closing| *closing));
        loop {
            let open = self.is_open();
            if open && self.take_request().is_continue() {
                continue;
            }
            // Not before all requests that are here have begun: they count even if nobody is there any more to be
            // answered.
            self.outbox.write(socket)?;
            if !open && self.is_open() {
                continue;
            }
            if !self.reading && self.calls.is_empty() && self.outbox.len() == 0 {
                return Ok(());
            }
            self.half_line_since = match self.half_line_since {
                _ if !open || self.lines.is_empty() => None,
                None => Some(Instant::now()),
                since => since,
            };
            let deadlines = [
                self.half_line_since.map(|since| since + LINE_WITHIN),
                self.outbox.deadline(),
                self.farewell,
            ];
            let last_words =
                self.farewell.filter(|_| self.reading).map(|by| by - (FAREWELL - LAST_WORDS));
            self.seat.note(self.is_idle());
            let waits_for_us = !self.reading && !self.calls.is_empty();
            // In an order: what comes seldom is asked first, so that a client that never stops asking cannot
            // put it off, and what its requests bring comes before further ones.
            select! {
                biased;
                () = passed(deadlines) => return Err(io::ErrorKind::TimedOut.into()),
                () = passed([last_words]) => self.stop_reading(),
                () = &mut told_to_leave => {
                    told_to_leave.set(seat.told_to_leave());
                    if self.is_idle() {
                        return seats::let_go(socket, &idle_for_the_longest());
                    }
                    // Else it has got something to do just then, unless nobody is there.
                    if socket.has_gone() {
                        return Err(io::ErrorKind::ConnectionReset.into());
                    }
                }
                stopped = &mut stop, if self.farewell.is_none() => {
                    // An error means that the server is gone, which is as good as its word.
                    let _ = stopped;
                    self.farewell = Some(Instant::now() + FAREWELL);
                }
                done = self.calls.next() => self.done(done, socket),
                writable = socket.writable(), if self.outbox.len() > 0 => writable?,
                event = next_of(&mut self.feed), if self.reading && self.outbox.len() == 0 => match event {
                    Some(event) => self.outbox.push_event(&event)?,
                    None => self.feed = None,
                },
                read = socket.receive(self.lines.space()), if open => match read? {
                    0 => self.end_of_requests(),
                    n => self.lines.advance(n),
                },
                () = sleep(LOOK_EVERY), if waits_for_us => {
                    if socket.has_gone() {
                        return Err(io::ErrorKind::ConnectionReset.into());
                    }
                }
            }
        }
    }

    /// Whether further requests are taken.
    fn is_open(&self) -> bool {
        self.reading && self.calls.len() + self.outbox.len() < IN_FLIGHT
    }

    /// Takes one whole line out of what was read, if there is one, and begins what it asks for.
    fn take_request(&mut self) -> ControlFlow<()> {
        match self.lines.take_line(Request::parse) {
            Ok(None) => return ControlFlow::Break(()),
            Ok(Some(request)) => {
                self.half_line_since = None;
                self.begin(request);
            }
            // Where the next request begins cannot be known.
            Err(too_long) => {
                let error = RpcError::new(ErrorCode::Request, too_long.to_string());
                self.say(&Id::null(), Answer::Error(error));
                self.stop_reading();
            }
        }
        ControlFlow::Continue(())
    }

    fn begin(&mut self, request: Request) {
        match request.asked {
            Ok(Asked::Call(call)) => {
                self.calls.begin(request.id, self.service.clone().call(self.id, call));
            }
            Ok(Asked::Hello) => {
                if let Some(id) = request.id {
                    self.say(&id, Answer::Hello(envelope::hello()));
                }
            }
            Err(error) => self.answer(request.id, Err(error)),
        }
    }

    fn done(&mut self, (id, outcome): Done, socket: &ServerStream) {
        if matches!(outcome, Ok(Reply::Subscribed(_))) {
            self.feed = Some(Feed::begin(socket, self.service.clone(), self.id));
        }
        self.answer(id, outcome);
    }

    /// Whether nothing but a client that may never ask again would miss it.
    fn is_idle(&self) -> bool {
        let is_told_nothing = self.calls.is_empty() && self.outbox.len() == 0;
        is_told_nothing && !self.holds && self.feed.is_none() && !self.service.has_work(self.id)
    }

    fn answer(&mut self, id: Option<Id>, outcome: Result<Reply, RpcError>) {
        self.holds |= outcome.as_ref().is_ok_and(Reply::holds);
        match (id, outcome) {
            (Some(id), Ok(reply)) => self.say(&id, Answer::Reply(Box::new(reply))),
            (Some(id), Err(error)) => self.say(&id, Answer::Error(error)),
            (None, Ok(reply)) => self.service.undelivered(reply),
            (None, Err(_)) => {}
        }
    }

    fn say(&mut self, id: &Id, answer: Answer) {
        if let Some(reply) = self.outbox.push(id, answer) {
            self.service.undelivered(*reply);
        }
    }

    /// The client has closed or half-closed; which of them, only writing will tell.
    fn end_of_requests(&mut self) {
        if !self.lines.is_empty() {
            let message = "the last line was cut off: it has no newline at its end";
            self.answer(Some(Id::null()), Err(RpcError::new(ErrorCode::Parse, message)));
        }
        self.stop_reading();
    }

    /// It is told nothing more either.
    fn stop_reading(&mut self) {
        self.reading = false;
        self.outbox.urge();
        self.lines = LineBuffer::new(REQUEST_LIMIT);
    }

    /// Gives back what was not handed over, and lets the calls come to their ends: a login that is
    /// dropped half-way would lose its token.
    async fn wind_up(mut self) {
        self.service.gone(self.id);
        for reply in self.outbox.into_undelivered() {
            self.service.undelivered(reply);
        }
        while !self.calls.is_empty() {
            if let (_, Ok(reply)) = self.calls.next().await {
                self.service.undelivered(reply);
            }
        }
        self.service.closed(self.id);
    }
}

fn idle_for_the_longest() -> RpcError {
    let message = "the daemon needed this connection for another client: of all it had been idle for the longest";
    RpcError::new(ErrorCode::LimitExceeded, message).with_hint(
        "Connect anew. What was answered counts; whatever was asked after that was not begun.",
    )
}

/// Ends when the earliest of the deadlines is over; never, if there is none.
async fn passed<const N: usize>(deadlines: [Option<Instant>; N]) {
    match deadlines.into_iter().flatten().min() {
        Some(earliest) => sleep_until(earliest).await,
        None => std::future::pending().await,
    }
}
