//! Bubbles on the desktop, by whatever serves `org.freedesktop.Notifications` on the session's bus.
//!
//! One call is in flight at most, and the newest word wins: a server that hangs costs nothing but
//! its bubbles. There is a connection only for as long as something is told.

use std::time::Duration;

use securid_bus::{Bus, Connection, Error, Message, PropMap, call, reading};
use securid_text::span;
use tokio::sync::watch;
use tokio::time::timeout;
use tracing::debug;

use crate::desktop::bubbles::{Board, Bubble};

/// How long it may take to show something, from connecting to the last reply.
const DEADLINE: Duration = Duration::from_secs(5);

/// Who shows bubbles, on the bus.
const SERVER: &str = "org.freedesktop.Notifications";

/// When a bubble goes, in the protocol's words: as the person has set it.
const AS_SET: i32 = -1;

/// The bubbles that were shown, by the server's numbers; 0 is none.
#[derive(Debug, Default)]
struct Shown {
    ended: u32,
    pending: u32,
}

/// Shows what is to be seen, for ever.
pub(crate) async fn show(mut board: watch::Receiver<Board>) {
    let (mut shown, mut told) = (Shown::default(), Board::default());
    while board.changed().await.is_ok() {
        let wanted = board.borrow_and_update().clone();
        let done = timeout(DEADLINE, shown.bring_up_to_date(&told, &wanted)).await;
        match done {
            Ok(Ok(())) => {}
            Ok(Err(error)) => debug!("nothing can be shown: {error}"),
            Err(_) => debug!("nothing was shown within {}", span(DEADLINE)),
        }
        // What could not be shown is not news any more when the next is.
        told = wanted;
    }
}

impl Shown {
    async fn bring_up_to_date(&mut self, told: &Board, wanted: &Board) -> Result<(), Error> {
        let mut bus = Connection::open(Bus::Session, DEADLINE).await?;
        match &wanted.pending {
            pending if *pending == told.pending => {}
            Some(bubble) => self.pending = notify(&mut bus, self.pending, bubble).await?,
            None if self.pending == 0 => {}
            None => {
                let shown = std::mem::take(&mut self.pending);
                bus.call(of_server("CloseNotification").append1(shown)).await?;
            }
        }
        if let Some(bubble) =
            wanted.ended.as_ref().filter(|_| wanted.ended_count != told.ended_count)
        {
            self.ended = notify(&mut bus, self.ended, bubble).await?;
        }
        Ok(())
    }
}

async fn notify(bus: &mut Connection, last: u32, bubble: &Bubble) -> Result<u32, Error> {
    let Bubble { summary, body } = bubble;
    let (no_icon, no_actions, no_hints) = ("", Vec::<&str>::new(), PropMap::new());
    let shown = of_server("Notify").append3("securid", last, no_icon);
    let shown = shown.append3(summary, body, no_actions).append2(no_hints, AS_SET);
    let (number,) = reading::all(&bus.call(shown).await?)?;
    Ok(number)
}

fn of_server(method: &str) -> Message {
    call(SERVER, &"/org/freedesktop/Notifications".into(), SERVER, method)
}
