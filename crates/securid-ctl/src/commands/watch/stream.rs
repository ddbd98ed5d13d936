//! What the daemon tells, a JSON object a line, for programs.

use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    following::{Following, Said},
    inputs::wait_for_more,
};
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
            None => wait_for_more(&following)?,
        }
    }
}
