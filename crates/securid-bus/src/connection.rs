//! A connection for tasks.

use std::time::Duration;

use dbus::Message;
use securid_worker::aside;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::address::Bus;
use crate::call_of_bus;
use crate::error::Error;
use crate::line::Line;

/// How many threads may be on the way to each bus. One that takes nobody holds them for as long as it does
/// so, and then there are no more of them.
const AT_ONCE: usize = 2;
static TO_THE_SESSIONS: Semaphore = Semaphore::const_new(AT_ONCE);
static TO_THE_MACHINES: Semaphore = Semaphore::const_new(AT_ONCE);

/// A connection to a bus, which does its work in whoever calls it. Dropped, it is closed.
pub struct Connection {
    line: Line,
    limit: Duration,
}

impl Connection {
    /// Connects, and says hello. That may take as long as `limit`, and so may each call then.
    ///
    /// # Errors
    /// If there is no such bus, or it refuses or does not answer in time.
    pub async fn open(bus: Bus, limit: Duration) -> Result<Self, Error> {
        let opened = async {
            let mut connection = Self { line: on_a_thread(bus).await?, limit };
            connection.call(call_of_bus("Hello")).await?;
            Ok(connection)
        };
        timeout(limit, opened).await.map_err(|_| Error::Silent(limit))?
    }

    /// Asks, and waits for the reply.
    ///
    /// # Errors
    /// What was replied instead, or why there was no reply in time.
    pub async fn call(&mut self, message: Message) -> Result<Message, Error> {
        let limit = self.limit;
        let call = self.line.send(message)?;
        let reply = async {
            loop {
                let ended = self.line.advance(Some(Duration::ZERO)).err();
                if let Some(reply) = self.line.reply_to(call)? {
                    return Ok(reply);
                }
                ended.map_or(Ok(()), Err)?;
                ready(&mut self.line).await?;
            }
        };
        timeout(limit, reply).await.map_err(|_| Error::Silent(limit))?
    }

    /// Listens to what this rule describes, from now on.
    ///
    /// # Errors
    /// As for [`Connection::call`].
    pub async fn listen(&mut self, rule: &str) -> Result<(), Error> {
        self.line.listens = true;
        self.call(call_of_bus("AddMatch").append1(rule)).await.map(drop)
    }

    /// Listens to that no more.
    ///
    /// # Errors
    /// As for [`Connection::call`].
    pub async fn ignore(&mut self, rule: &str) -> Result<(), Error> {
        self.call(call_of_bus("RemoveMatch").append1(rule)).await.map(drop)
    }

    /// What is heard next, however long that takes. It may be anybody's word: look who sent it. Nothing
    /// is lost if it is not waited for to the end.
    ///
    /// # Errors
    /// If the connection ends before.
    pub async fn hear(&mut self) -> Result<Message, Error> {
        loop {
            let ended = self.line.advance(Some(Duration::ZERO)).err();
            if let Some(message) = self.line.hear()? {
                return Ok(message);
            }
            ended.map_or(Ok(()), Err)?;
            ready(&mut self.line).await?;
        }
    }
}

/// Connects on a thread of its own, which is given up with its bus if that takes nobody.
async fn on_a_thread(bus: Bus) -> Result<Line, Error> {
    let on_the_way = match bus {
        Bus::Session => &TO_THE_SESSIONS,
        Bus::System => &TO_THE_MACHINES,
    };
    let turn = on_the_way.acquire().await;
    let connected = aside("bus", move || {
        let line = Line::open(bus);
        drop(turn);
        line
    });
    let connected =
        connected.map_err(|e| Error::Unreachable(format!("no thread to be had: {e}")))?;
    connected.await.map_err(|_| Error::Ended)?
}

/// Waits until there is something to read, or room for what is to be written.
///
/// It is watched anew each time: libdbus does not tell whether it has read everything, and a socket that
/// was watched all along would tell of what is left only when there is more.
async fn ready(line: &mut Line) -> Result<(), Error> {
    let watch = line.watch();
    let interest =
        if watch.write { Interest::READABLE | Interest::WRITABLE } else { Interest::READABLE };
    let unreachable = |e: std::io::Error| Error::Unreachable(e.to_string());
    #[expect(
        deprecated,
        reason = "the other way is unsafe: nobody knows how long the number is that socket's. \
                                   Here it is: the line, which closes it, is borrowed for so long"
    )]
    let socket = AsyncFd::with_interest(watch.fd, interest).map_err(unreachable)?;
    socket.ready(interest).await.map(drop).map_err(unreachable)
}
