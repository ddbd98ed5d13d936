//! Why errands failed, for whoever asks.

use std::collections::HashMap;

use securid_ipc::messages::RpcError;
use securid_session::{Event, Key, Rejection};

use crate::trouble;

/// The last failure of each session at each place. A disk that answers says nothing of the keyring.
#[derive(Default)]
pub(super) struct Troubles {
    keyring: HashMap<Key, RpcError>,
    disk: HashMap<Key, RpcError>,
}

impl Troubles {
    /// An errand came back, with its failure if it failed. Returns whether that is another than before.
    pub(super) fn note(&mut self, event: &Event, key: &Key, failure: Option<RpcError>) -> bool {
        let place = match event {
            event if at_keyring(event) => &mut self.keyring,
            Event::Written { .. } | Event::Archived { .. } | Event::Removed { .. } => {
                &mut self.disk
            }
            _ => return false,
        };
        let before = match &failure {
            Some(failure) => place.insert(key.clone(), failure.clone()),
            None => place.remove(key),
        };
        before != failure
    }

    /// What the keyring last said of this session, if it failed.
    pub(super) fn of_keyring(&self, key: &Key) -> Option<&RpcError> {
        self.keyring.get(key)
    }

    /// Whether no keyring failed for any session when it was last asked about it.
    pub(super) fn keyrings_are_well(&self) -> bool {
        self.keyring.is_empty()
    }

    /// Why a token was not taken in.
    pub(super) fn of_rejection(&self, key: &Key, why: Rejection) -> RpcError {
        let place = match why {
            Rejection::Stopping => return trouble::stopping(),
            Rejection::Disk => &self.disk,
            Rejection::Keyring => &self.keyring,
        };
        place.get(key).cloned().unwrap_or_else(trouble::not_stored)
    }

    /// This token is dead.
    pub(super) fn wipe(&mut self, key: &Key) {
        self.keyring.remove(key);
        self.disk.remove(key);
    }
}

/// Whether an event is the keyring's answer.
pub(super) fn at_keyring(event: &Event) -> bool {
    matches!(event, Event::Stored { .. } | Event::Fetched { .. } | Event::Deleted { .. })
}
