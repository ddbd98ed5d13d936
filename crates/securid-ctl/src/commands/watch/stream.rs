//! What the daemon tells, a JSON object a line, for programs.

use std::io::{ErrorKind, stdout};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};
use serde::Serialize;
use serde_json::value::RawValue;

use super::following::{Following, Said};
use crate::{failure::Failure, interrupt::Interrupt, screen::Screen};

/// The one line that is not the daemon's.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
enum Ours {
    /// The daemon has gone. What follows is the next one's, from its first event on.
    Disconnected,
}

/// Prints until somebody ends it, or nobody reads any more.
pub(super) fn print(screen: &Screen, mut following: Following) -> Result<u8, Failure> {
    let _interrupt = Interrupt::arm()?;
    loop {
        match following.next::<Box<RawValue>>()? {
            Some(Said::Event(event)) => screen.json(&event)?,
            Some(Said::Gone) => screen.json(&Ours::Disconnected)?,
            None => wait(&following)?,
        }
    }
}

/// Waits for more, and sees whether anybody still reads: a reader that goes while nothing happens must not leave
/// us behind.
fn wait(following: &Following) -> Result<(), Failure> {
    let out = stdout();
    let mut look = vec![PollFd::new(&out, PollFlags::empty())];
    look.extend(following.descriptor().map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)));
    let within = following.wakes_in().and_then(|within| Timespec::try_from(within).ok());
    match poll(&mut look, within.as_ref()) {
        Ok(_) if look[0].revents().intersects(PollFlags::ERR | PollFlags::NVAL) => {
            Err(Failure::from(std::io::Error::from(ErrorKind::BrokenPipe)))
        }
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(Failure::from(std::io::Error::from(error))),
    }
}
