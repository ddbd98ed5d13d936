//! Why errands failed, for whoever asks.

use std::collections::HashMap;

use securid_ipc::messages::RpcError;
use securid_session::{Event, Key, Session};

/// What disk and keyring last said of each session, where that was a refusal. One place's success
/// says nothing of the other.
#[derive(Default)]
pub(super) struct Troubles {
    disk: HashMap<Key, RpcError>,
    keyring: HashMap<Key, RpcError>,
}

impl Troubles {
    /// Takes down how an errand went.
    pub(super) fn note(&mut self, event: &Event, key: &Key, trouble: Option<RpcError>) {
        let place = match event {
            Event::Written { .. } | Event::Archived { .. } | Event::Removed { .. } => {
                &mut self.disk
            }
            Event::Stored { .. } | Event::Fetched { .. } | Event::Deleted { .. } => {
                &mut self.keyring
            }
            // What the server says, the machine keeps.
            _ => return,
        };
        match trouble {
            Some(trouble) => place.insert(key.clone(), trouble),
            None => place.remove(key),
        };
    }

    pub(super) fn disk(&self, key: &Key) -> Option<&RpcError> {
        self.disk.get(key)
    }

    pub(super) fn keyring(&self, key: &Key) -> Option<&RpcError> {
        self.keyring.get(key)
    }

    /// Why the server cannot even be asked: the token is in the keyring alone.
    pub(super) fn unread(&self, session: &Session) -> Option<&RpcError> {
        self.keyring(session.key()).filter(|_| !session.in_hand())
    }

    /// Nothing of this token is to stay.
    pub(super) fn forget(&mut self, key: &Key) {
        self.disk.remove(key);
        self.keyring.remove(key);
    }
}
