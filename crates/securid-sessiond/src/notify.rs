//! What the service manager is told, and what it asks for. Linux's systemd alone wants to know.

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod linux;

use std::time::Duration;

#[cfg(not(target_os = "linux"))]
use elsewhere::Way;
#[cfg(target_os = "linux")]
use linux::Way;

/// How much longer than the grace a stop may take: handing the last answers over (2 s), a second
/// signal's wait for the disk (2 s), the log.
const STOP_MARGIN: Duration = Duration::from_secs(5);

/// The way to the service manager. Nothing here waits.
#[derive(Clone)]
pub(crate) struct ServiceManager {
    /// None where no manager wants to know.
    way: Option<Way>,
}

impl ServiceManager {
    /// A manager that is told nothing.
    pub(crate) fn none() -> Self {
        Self { way: None }
    }

    /// The one that the environment names. Call it on a tokio runtime.
    pub(crate) fn from_environment() -> Self {
        Self { way: Way::from_environment() }
    }

    /// How long its watchdog waits to hear of the daemon, if there is one.
    pub(crate) fn patience(&self) -> Option<Duration> {
        self.way.as_ref()?.patience()
    }

    /// Whether anybody wants to know.
    pub(crate) fn listens(&self) -> bool {
        self.way.is_some()
    }

    /// Clients are served.
    pub(crate) fn ready(&self) {
        self.tell(Way::ready);
    }

    /// The config is being read anew; [`ServiceManager::ready`] says that it is over.
    pub(crate) fn reloading(&self) {
        self.tell(Way::reloading);
    }

    /// The daemon was seen answering just now.
    pub(crate) fn alive(&self) {
        self.tell(Way::alive);
    }

    /// How things stand, in a line for people.
    pub(crate) fn status(&self, line: &str) {
        self.tell(|way| way.status(line));
    }

    /// The end has begun, and takes so long at most. Said once, for the manager's own patience may be
    /// shorter than the grace that the config gives.
    pub(crate) fn stopping(&self, grace: Duration) {
        self.tell(|way| way.stopping(grace + STOP_MARGIN));
    }

    fn tell(&self, what: impl Fn(&Way)) {
        if let Some(way) = &self.way {
            what(way);
        }
    }
}
