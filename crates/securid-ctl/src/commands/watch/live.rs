//! A table on a terminal, kept up to date.

use std::{
    io,
    os::fd::AsFd as _,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};
use securid_ipc::messages::Event;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGWINCH};

use super::{
    following::{Following, Said},
    picture::Picture,
};
use crate::{
    failure::Failure,
    interrupt::{Caught, INTERRUPTED, obey},
    page::{self, Page},
    screen::Screen,
};

/// How soon one drawing may follow another: faster than that nobody reads.
const FRAME: Duration = Duration::from_millis(100);

/// How many events are taken in before keys and signals are looked at again.
const AT_ONCE: usize = 500;

const SIGNALS: [i32; 7] = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH];

/// Draws until somebody ends it; what it returns is the exit status.
pub(super) fn show(screen: &Screen, mut following: Following) -> Result<u8, Failure> {
    let mut picture = Picture::default();
    let mut inputs = Inputs::open()?;
    let mut page = Page::begin()?;
    let (mut stale, mut next_frame) = (true, Instant::now());
    loop {
        let more = take_in(&mut following, &mut picture, &mut stale)?;
        let now = Instant::now();
        if stale && now >= next_frame {
            page.draw(picture.lines(screen, page::size(), now))?;
            (stale, next_frame) = (false, now + FRAME);
        }
        let within = match (more, stale) {
            (true, _) => Some(Duration::ZERO),
            (false, true) => Some(next_frame.saturating_duration_since(Instant::now())),
            (false, false) => picture.counts().then(until_the_next_second),
        };
        let within = [within, following.wakes_in()].into_iter().flatten().min();
        inputs.wait(&following, within)?;
        // What counts down is seen from the clock, each time.
        stale |= picture.counts();
        for signal in inputs.signals.pending() {
            match signal {
                SIGINT => return Ok(INTERRUPTED),
                SIGWINCH => page.forget()?,
                SIGCONT => page.resume()?,
                other => {
                    // It stops, or ends, as it would have without us, on a terminal as it was.
                    page.pause();
                    obey(other)?;
                    page.resume()?;
                }
            }
            stale = true;
        }
        if inputs.take_keys().contains(&b'q') {
            return Ok(0);
        }
    }
}

/// Takes in what there is to be told, up to a bound; returns whether there may be more.
fn take_in(
    following: &mut Following,
    picture: &mut Picture,
    stale: &mut bool,
) -> Result<bool, Failure> {
    for _ in 0..AT_ONCE {
        match following.next()? {
            Some(Said::Event(Event { news, .. })) => picture.news(news, Instant::now()),
            Some(Said::Gone) => picture.gone(Instant::now()),
            None => return Ok(false),
        }
        *stale = true;
    }
    Ok(true)
}

/// What wakes us, besides the daemon.
struct Inputs {
    signals: Caught,
    /// Keys, as long as somebody can type.
    keys: Option<io::Stdin>,
    typed: bool,
}

impl Inputs {
    fn open() -> io::Result<Self> {
        let signals = Caught::begin(SIGNALS)?;
        let keys = Some(io::stdin()).filter(io::IsTerminal::is_terminal);
        Ok(Self { signals, keys, typed: false })
    }

    /// Waits for the daemon, a key or a signal, for at most that long if it is said.
    fn wait(&mut self, following: &Following, within: Option<Duration>) -> io::Result<()> {
        let mut look = vec![PollFd::new(&self.signals, PollFlags::IN)];
        look.extend(following.descriptor().map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)));
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

    /// The keys that were typed.
    fn take_keys(&mut self) -> Vec<u8> {
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

fn until_the_next_second() -> Duration {
    let millis = Timestamp::now().subsec_millisecond().rem_euclid(1000);
    Duration::from_millis(1000 - u64::try_from(millis).unwrap_or(0))
}
