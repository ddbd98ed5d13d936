//! One wait for all descriptors.

use std::{
    io::{self, ErrorKind, stdout},
    os::fd::AsFd as _,
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGWINCH};

use super::{super::following::Following, Met};
use crate::{
    failure::Failure,
    interrupt::{Caught, obey},
    page::Page,
};

const SIGNALS: [i32; 7] = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH];

/// What wakes us, besides the daemon.
pub(in super::super) struct Inputs {
    signals: Caught,
    /// Keys, as long as somebody can type.
    keys: Option<io::Stdin>,
    typed: bool,
}

impl Inputs {
    pub(in super::super) fn open() -> io::Result<Self> {
        let signals = Caught::begin(SIGNALS)?;
        let keys = Some(io::stdin()).filter(io::IsTerminal::is_terminal);
        Ok(Self { signals, keys, typed: false })
    }

    /// Waits for the daemon, a key or a signal, for at most that long if it is said.
    pub(in super::super) fn wait(
        &mut self,
        following: &Following,
        within: Option<Duration>,
    ) -> io::Result<()> {
        let mut look = vec![PollFd::new(&self.signals, PollFlags::IN)];
        look.extend(following.events().map(|events| PollFd::new(events, PollFlags::IN)));
        let keys = look.len();
        look.extend(
            self.keys.as_ref().map(|keys| PollFd::from_borrowed_fd(keys.as_fd(), PollFlags::IN)),
        );
        let within = within.and_then(|within| Timespec::try_from(within).ok());
        match poll(&mut look, within.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        self.typed = look.get(keys).is_some_and(|keys| !keys.revents().is_empty());
        Ok(())
    }

    /// Does what the signals that came are for.
    pub(in super::super) fn meet(&mut self, page: &mut Page) -> io::Result<Met> {
        let mut met = Met::Nothing;
        for signal in self.signals.pending() {
            met = Met::Something;
            match signal {
                SIGINT => return Ok(Met::Interrupt),
                SIGWINCH => page.forget()?,
                SIGCONT => page.resume()?,
                other => {
                    // It stops, or ends, as it would have without us, on a terminal as it was.
                    page.pause();
                    obey(other)?;
                    page.resume()?;
                }
            }
        }
        Ok(met)
    }

    /// The keys that were typed.
    pub(in super::super) fn take_keys(&mut self) -> Vec<u8> {
        let mut typed = [0; 64];
        let Some(keys) = self.keys.as_ref().filter(|_| self.typed) else { return Vec::new() };
        match rustix::io::read(keys, &mut typed) {
            Ok(n) if n > 0 => typed[..n].to_vec(),
            Err(Errno::INTR) => Vec::new(),
            // Nobody types there any more.
            Ok(_) | Err(_) => {
                self.keys = None;
                Vec::new()
            }
        }
    }
}

/// Waits for more, and sees whether anybody still reads: a reader that goes while nothing happens must not leave
/// us behind.
pub(in super::super) fn wait_for_more(following: &Following) -> Result<(), Failure> {
    let out = stdout();
    let mut look = vec![PollFd::new(&out, PollFlags::empty())];
    look.extend(following.events().map(|events| PollFd::new(events, PollFlags::IN)));
    let within = following.wakes_in().and_then(|within| Timespec::try_from(within).ok());
    match poll(&mut look, within.as_ref()) {
        Ok(_) if look[0].revents().intersects(PollFlags::ERR | PollFlags::NVAL) => {
            Err(Failure::from(io::Error::from(ErrorKind::BrokenPipe)))
        }
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(Failure::from(io::Error::from(error))),
    }
}
