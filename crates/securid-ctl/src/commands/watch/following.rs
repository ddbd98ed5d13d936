//! A daemon whose events are read, over its end and the next one's beginning.

use std::{
    fmt,
    path::PathBuf,
    time::{Duration, Instant},
};

use securid_ipc::client::{Client, ClientError, Events, LIVE_WITHIN};
use serde::de::DeserializeOwned;

use crate::failure::{Failure, UNREACHABLE};

/// How often another daemon is looked for: each look is a connection that is refused at once, as a rule.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The daemon at these sockets.
pub(super) struct Following {
    sockets: Vec<PathBuf>,
    events: Result<Events, Absent>,
}

/// There is none.
#[derive(Debug, Clone, Copy)]
struct Absent {
    look_at: Instant,
}

/// What is to be told.
#[derive(Debug)]
pub(super) enum Said<T> {
    /// By the daemon. After a [`Said::Gone`] the first comes from another one, which tells all anew.
    Event(T),
    /// The daemon has gone.
    Gone,
}

impl Following {
    /// Follows the daemon that is there.
    pub(super) fn begin(sockets: &[PathBuf]) -> Result<Self, Failure> {
        Ok(Self { sockets: sockets.to_vec(), events: Ok(subscribe(sockets)?) })
    }

    /// What there is to be told already; looks for another daemon, if it is time to.
    pub(super) fn next<T: DeserializeOwned>(&mut self) -> Result<Option<Said<T>>, Failure> {
        if let Err(absent) = self.events {
            if absent.look_at > Instant::now() {
                return Ok(None);
            }
            self.events = match subscribe(&self.sockets) {
                Ok(events) => Ok(events),
                Err(failure) if failure.exit() == UNREACHABLE => Err(Absent::just_now()),
                Err(failure) => return Err(failure),
            };
        }
        let Ok(events) = &mut self.events else { return Ok(None) };
        match events.next(Duration::ZERO) {
            Ok(event) => Ok(event.map(Said::Event)),
            Err(ClientError::Disconnected { .. }) => {
                self.events = Err(Absent::just_now());
                Ok(Some(Said::Gone))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// What tells once there is more, after [`Following::next`] had nothing; none while there is no daemon.
    pub(super) fn events(&self) -> Option<&Events> {
        self.events.as_ref().ok()
    }

    /// After how long [`Following::next`] is to be asked in any case.
    pub(super) fn wakes_in(&self) -> Option<Duration> {
        let absent = self.events.as_ref().err()?;
        Some(absent.look_at.saturating_duration_since(Instant::now()))
    }
}

impl fmt::Debug for Following {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Following").field("sockets", &self.sockets).finish_non_exhaustive()
    }
}

impl Absent {
    fn just_now() -> Self {
        Self { look_at: Instant::now() + LOOK_EVERY }
    }
}

fn subscribe(sockets: &[PathBuf]) -> Result<Events, Failure> {
    // It is answered from memory, as the greeting is.
    Ok(Client::connect(sockets)?.subscribe(LIVE_WITHIN * 2)?)
}
