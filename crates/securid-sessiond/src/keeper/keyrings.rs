//! Secrets without a record, and secrets that must not grow stale.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use securid_api::Format;
use securid_session::{About, Event, Limits, Moment, Network, Origin, Phase, Reason, SessionId};
use securid_store::{Entry, KeyringError, StoreKind, crash};
use tracing::{debug, warn};

use super::Keeper;
use crate::{clock, errands};

/// How often each secret in the kernel's keyring is looked at. The kernel lets go of a user's
/// persistent keyring after three days without access (`persistent_keyring_expiry`), and a look
/// links the secret to it anew; half a day leaves room for a machine that is asleep at the hour.
pub(super) const FRESHEN_EVERY: Duration = Duration::from_secs(12 * 60 * 60);

/// How long after a store could not be searched it is tried again; then twice as long each time.
const SEARCH_FIRST: Duration = Duration::from_secs(30);

/// At most so long: a desktop's keyring is unlocked some time in the morning, and until then
/// nothing is lost but time.
const SEARCH_MAX: Duration = Duration::from_secs(10 * 60);

/// What is still to be searched for secrets without a record.
#[derive(Debug, Default)]
pub(super) struct Search {
    /// How many stores are being asked.
    listing: usize,
    /// Entries that are being read.
    reading: Vec<(StoreKind, SessionId)>,
    /// Stores that could not be asked yet.
    stores: Vec<StoreKind>,
    /// Entries that could not be read yet.
    suspects: Vec<(StoreKind, SessionId)>,
    /// Those of them that only the index tells of, and the store that it names.
    unrecorded: HashMap<SessionId, StoreKind>,
    /// Entries without a record that are there and cannot be used, or not be looked for by this build.
    unusable: BTreeSet<SessionId>,
    at: Option<Moment>,
    wait: Option<Duration>,
}

impl Search {
    pub(super) fn wakes_at(&self) -> Option<Moment> {
        self.at
    }

    /// Whether no answer is awaited; not that each was of use.
    pub(super) fn is_at_rest(&self) -> bool {
        self.listing == 0 && self.reading.is_empty()
    }

    /// Whether all that is known by name was looked at. A store that cannot be searched is the next
    /// start's as well.
    pub(super) fn is_over(&self) -> bool {
        self.is_at_rest() && self.suspects.is_empty()
    }

    /// Sessions whose secrets were looked for by name without an answer that says anything, or are of
    /// no use.
    pub(super) fn undecided(&self) -> BTreeSet<SessionId> {
        let asked = self.reading.iter().chain(&self.suspects).map(|(_, id)| id);
        asked.chain(&self.unusable).cloned().collect()
    }
}

impl Keeper {
    /// Looks for the secret of a session that has no record, or a damaged one.
    pub(crate) fn look_for(&mut self, kind: StoreKind, id: SessionId) {
        self.search.reading.push((kind, id.clone()));
        self.errands.read_orphan(kind, id);
    }

    /// The same for one that the index knows and no record tells of.
    pub(crate) fn look_for_unrecorded(&mut self, kind: StoreKind, id: SessionId) {
        self.search.unrecorded.insert(id.clone(), kind);
        self.look_for(kind, id);
    }

    /// The index names a keyring for it that this build does not know.
    pub(crate) fn cannot_look_for(&mut self, keyring: &str, id: SessionId) {
        let problem = format!(
            "session {id} has no record, and its secret is in a keyring that this build does not \
             know ({keyring})"
        );
        self.note_problem(&id, problem);
        self.search.unusable.insert(id);
    }

    /// Tells people of something about this session until the daemon ends.
    fn note_problem(&mut self, id: &SessionId, problem: String) {
        warn!(session = %id, "{problem}");
        self.problems.push(problem);
    }

    /// Asks a store for secrets without a record, now and whenever it comes back.
    pub(crate) fn look_for_orphans(&mut self, kind: StoreKind) {
        self.search.listing += 1;
        self.errands.list(kind);
    }

    /// What has a record is what it should be; the rest is read, to be revoked.
    pub(super) fn listed(
        &mut self,
        kind: StoreKind,
        found: Result<Option<Vec<SessionId>>, KeyringError>,
    ) {
        self.search.listing = self.search.listing.saturating_sub(1);
        match found {
            Ok(ids) => {
                self.search.wait = None;
                for id in ids.unwrap_or_default() {
                    if !self.is_known(&id) {
                        self.look_for(kind, id);
                    }
                }
            }
            Err(error) => {
                debug!(%error, "cannot look for secrets without a record yet");
                if !self.search.stores.contains(&kind) {
                    self.search.stores.push(kind);
                }
                self.search_later();
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
        let another = |asked: &(StoreKind, SessionId)| (&asked.0, &asked.1) != (&kind, id);
        self.search.reading.retain(another);
        self.search.suspects.retain(another);
        let entry = match read {
            Ok(Some(entry)) if !self.is_known(id) => entry,
            Ok(None) if self.search.unrecorded.get(id) == Some(&kind) && !self.is_known(id) => {
                self.search.unrecorded.remove(id);
                // It stays in the index: a look at each start costs less than a store that was not
                // the one that it was taken for.
                return warn!(session = %id, "neither its record nor its secret is there");
            }
            // Cleared up meanwhile, or taken in.
            Ok(_) => return,
            Err(error @ KeyringError::Damaged { .. }) => {
                self.search.unusable.insert(id.clone());
                return self.note_problem(id, format!("{error}; it has no record"));
            }
            Err(error) => {
                debug!(session = %id, %error, "cannot read a secret without a record yet");
                self.search.suspects.push((kind, id.clone()));
                return self.search_later();
            }
        };
        match errands::token(&entry) {
            Ok(token) => {
                let reason = Reason::Orphan.name();
                warn!(session = %id, reason, "a secret without a record: it is revoked");
                self.tokens.insert(entry.key.clone(), token);
                let about = self.about_orphan(&entry, kind);
                crash::point("orphan.found", id);
                self.event(Event::Orphan { key: entry.key, about });
            }
            Err(error) => {
                self.search.unusable.insert(id.clone());
                let problem = format!(
                    "the keyring ({kind}) has an entry {id} without a record that is no token: \
                     {error}"
                );
                self.note_problem(id, problem);
            }
        }
    }

    fn is_known(&self, id: &SessionId) -> bool {
        self.machine.session(id).is_some() || self.left_alone.contains(id)
    }

    /// A look at the keyring for new secrets is over.
    pub(super) fn keyring_seen(&mut self, seen: Result<StoreKind, KeyringError>) {
        self.keyring_trouble = match &seen {
            // It waits for its person; nothing is wrong with it.
            Ok(_) | Err(KeyringError::Locked { .. }) => None,
            Err(error) => Some(format!("{error}. {}", error.hint())),
        };
        if seen.is_ok() {
            self.search_again();
        }
    }

    /// A store that answered just now may be ready to be searched.
    pub(super) fn search_again(&mut self) {
        self.search.at = None;
        for kind in std::mem::take(&mut self.search.stores) {
            self.look_for_orphans(kind);
        }
        for (kind, id) in std::mem::take(&mut self.search.suspects) {
            self.look_for(kind, id);
        }
    }

    pub(super) fn search_if_due(&mut self) {
        if self.search.at.is_some_and(|at| at.reached(clock::now())) {
            self.search_again();
        }
    }

    fn search_later(&mut self) {
        let wait = self.search.wait.map_or(SEARCH_FIRST, |wait| (wait * 2).min(SEARCH_MAX));
        self.search.wait = Some(wait);
        self.search.at = Some(clock::now().after(wait));
    }

    /// All that an entry tells of its session; how to speak with its server, the config may know.
    fn about_orphan(&self, entry: &Entry, kind: StoreKind) -> Arc<About> {
        let config = self.config.now();
        let same_url = config.instances.values().find(|i| i.endpoint.url() == entry.origin);
        let origin = same_url.map_or_else(
            || Origin {
                url: entry.origin.clone(),
                ca_file: None,
                format: Format::Json.name().to_owned(),
                network: Network::default(),
            },
            |instance| instance.origin(),
        );
        Arc::new(About {
            instance: same_url.map_or_else(|| "unknown".to_owned(), |i| i.name.clone()),
            username: None,
            origin,
            keyring: kind.name().to_owned(),
            limits: Limits { idle: None, lifetime: None },
            tied: false,
        })
    }

    /// Keeps the kernel from letting go of secrets that nobody has asked for, and looks whether what
    /// was lost is back.
    pub(super) fn freshen(&mut self) {
        let now = clock::now();
        if !self.freshen_at.reached(now) {
            return;
        }
        self.freshen_at = now.after(FRESHEN_EVERY);
        let mut lost = Vec::new();
        for session in self.machine.sessions() {
            if session.phase() == Phase::Lost {
                lost.push(session.id().clone());
            } else if session.about().keyring == StoreKind::Keyutils.name() {
                self.errands.freshen(session.key().clone(), session.about());
            }
        }
        for id in lost {
            self.event(Event::Retry { id });
        }
    }
}
