//! Secrets without a record, and secrets that must not grow stale.

use std::sync::Arc;
use std::time::Duration;

use securid_api::Format;
use securid_session::{About, Event, Limits, Origin, SessionId};
use securid_store::{Entry, KeyringError, StoreKind};
use tracing::{debug, warn};

use super::Keeper;
use crate::{clock, errands};

/// How often each secret in the kernel's keyring is looked at. The kernel lets go of a user's
/// persistent keyring after three days without access (`persistent_keyring_expiry`), and a look
/// links the secret to it anew; half a day leaves room for a machine that is asleep at the hour.
pub(super) const FRESHEN_EVERY: Duration = Duration::from_secs(12 * 60 * 60);

impl Keeper {
    /// Asks a store for secrets without a record, now and whenever it comes back.
    pub(crate) fn look_for_orphans(&mut self, kind: StoreKind) {
        self.errands.list(kind);
    }

    /// What has a record is what it should be; the rest is read, to be revoked.
    pub(super) fn listed(
        &mut self,
        kind: StoreKind,
        found: Result<Option<Vec<SessionId>>, KeyringError>,
    ) {
        match found {
            Ok(ids) => {
                for id in ids.unwrap_or_default() {
                    if !self.is_known(&id) {
                        self.errands.read_orphan(kind, id);
                    }
                }
            }
            Err(error) => {
                debug!(%error, "cannot look for secrets without a record yet");
                self.search_later(kind);
            }
        }
    }

    /// A secret without a record is revoked.
    pub(super) fn orphan(
        &mut self,
        kind: StoreKind,
        id: &SessionId,
        read: Result<Option<Entry>, KeyringError>,
    ) {
        let entry = match read {
            Ok(Some(entry)) if !self.is_known(id) => entry,
            // Cleared up meanwhile, or taken in.
            Ok(_) => return,
            Err(error @ KeyringError::Damaged { .. }) => {
                return self.problems.push(format!("{error}; it has no record"));
            }
            Err(error) => {
                debug!(%error, "cannot read a secret without a record yet");
                return self.search_later(kind);
            }
        };
        match errands::token(&entry) {
            Ok(token) => {
                warn!(session = %id, "a secret without a record: it is revoked");
                self.tokens.insert(entry.key.clone(), token);
                let about = self.about_orphan(&entry, kind);
                self.event(Event::Orphan { key: entry.key, about });
            }
            Err(error) => self.problems.push(format!(
                "the keyring ({kind}) has an entry {id} without a record that is no token: {error}"
            )),
        }
    }

    fn is_known(&self, id: &SessionId) -> bool {
        self.machine.session(id).is_some() || self.left_alone.contains(id)
    }

    fn search_later(&mut self, kind: StoreKind) {
        if !self.unsearched.contains(&kind) {
            self.unsearched.push(kind);
        }
    }

    /// A store that answered just now may be ready to be searched.
    pub(super) fn search_again(&mut self) {
        for kind in std::mem::take(&mut self.unsearched) {
            self.errands.list(kind);
        }
    }

    /// All that an entry tells of its session; how to speak with its server, the config may know.
    fn about_orphan(&self, entry: &Entry, kind: StoreKind) -> Arc<About> {
        let same_url = self.config.instances.values().find(|i| i.endpoint.url() == entry.origin);
        let origin = same_url.map_or_else(
            || Origin {
                url: entry.origin.clone(),
                ca_file: None,
                format: Format::Json.name().to_owned(),
            },
            |instance| instance.origin(),
        );
        Arc::new(About {
            instance: same_url.map_or_else(|| "unknown".to_owned(), |i| i.name.clone()),
            username: None,
            origin,
            keyring: kind.name().to_owned(),
            limits: Limits { idle: None, lifetime: None },
        })
    }

    /// Keeps the kernel from letting go of secrets that nobody has asked for.
    pub(super) fn freshen(&mut self) {
        let now = clock::now();
        if !self.freshen_at.reached(now) {
            return;
        }
        self.freshen_at = now.after(FRESHEN_EVERY);
        for session in self.machine.sessions() {
            if session.about().keyring == StoreKind::Keyutils.name() {
                self.errands.freshen(session.key().clone(), session.about());
            }
        }
    }
}
