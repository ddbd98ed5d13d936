//! A table on a terminal, kept up to date.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use securid_ipc::messages::Event;

use super::{
    following::{Following, Said},
    inputs::{Inputs, Met},
    picture::Picture,
};
use crate::{
    failure::Failure,
    interrupt::INTERRUPTED,
    page::{self, Page},
    screen::Screen,
};

/// How soon one drawing may follow another: faster than that nobody reads.
const FRAME: Duration = Duration::from_millis(100);

/// How many events are taken in before keys and signals are looked at again.
const AT_ONCE: usize = 500;

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
        match inputs.meet(&mut page)? {
            Met::Interrupt => return Ok(INTERRUPTED),
            Met::Something => stale = true,
            Met::Nothing => {}
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

fn until_the_next_second() -> Duration {
    let millis = Timestamp::now().subsec_millisecond().rem_euclid(1000);
    Duration::from_millis(1000 - u64::try_from(millis).unwrap_or(0))
}
