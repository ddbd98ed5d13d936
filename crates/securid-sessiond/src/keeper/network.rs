//! When the network is listened to: as long as there is something that another one could bring on.

use securid_session::{Event, Phase};
use tokio::sync::watch;
use tracing::debug;

use super::Keeper;

/// How things stand with the network.
#[derive(Default)]
pub(super) struct Network {
    wanted: watch::Sender<bool>,
}

impl Keeper {
    /// Where it is told whether changes of the network are wanted.
    pub(crate) fn wants_of_network(&self) -> watch::Receiver<bool> {
        self.network.wanted.subscribe()
    }

    /// Has the network listened to from the first attempt on: it may change before that has failed.
    pub(super) fn mind_network(&mut self) {
        let wanted = self.machine.count(Phase::Revoking) > 0;
        self.network.wanted.send_if_modified(|told| std::mem::replace(told, wanted) != wanted);
    }

    /// The network is another than before.
    pub(super) fn network_changed(&mut self) {
        debug!("the network has changed: what could not be reached is tried soon");
        self.event(Event::NetworkChanged);
    }
}
