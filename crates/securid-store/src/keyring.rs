//! The keyring as the daemon sees it: asynchronous, and never for longer than a deadline.

pub(crate) mod backend;
mod calls;
pub(crate) mod entry;
mod error;
mod kind;
mod name;
mod safekeeping;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use securid_session::{Key, SessionId};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use crate::crash;
use backend::SealedFile;
use calls::{Calls, Work};

pub use backend::{Backend, KeyPlace, SealKey, SealedPlace, SealedTrouble};
pub use entry::Entry;
pub use error::KeyringError;
pub use kind::{Preference, Readiness, StoreKind};
pub use name::{EntryName, Namespace};

/// How long any call may take; the contract's "Keyring: 5 s".
pub const CALL_DEADLINE: Duration = Duration::from_secs(5);

/// How long [`Keyring::choose`] may take if a person may be asked; the contract's 60 s.
pub const INTERACTIVE_DEADLINE: Duration = Duration::from_secs(60);

/// What `auto` grants the system's keyring before it turns to another store, so that both fit into
/// [`CALL_DEADLINE`].
const AUTO_SHARE: Duration = Duration::from_secs(3);

/// A handle to all the stores of one daemon. Clones share everything.
#[derive(Clone)]
pub struct Keyring {
    shared: Arc<Shared>,
}

struct Shared {
    calls: Arc<Calls>,
    namespace: Namespace,
    first: StoreKind,
    fallback: StoreKind,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.calls.close();
    }
}

impl Keyring {
    /// The stores of this machine.
    #[must_use]
    pub fn system(namespace: Namespace, place: SealedPlace) -> Self {
        let has_key = place.key.is_some();
        let fallback = if has_key { StoreKind::SealedFile } else { backend::LAST };
        let sealed = SealedFile::new(place, namespace.clone());
        let connect = move |kind| backend::connect(kind, &sealed);
        Self::new(connect, namespace, backend::FIRST, fallback)
    }

    /// Stores of one's own, of which [`Preference::Auto`] takes those of Linux. `connect` is called in the keyring's threads, again after every failure.
    #[must_use]
    pub fn start(
        connect: impl Fn(StoreKind) -> Result<Box<dyn Backend>, KeyringError> + Send + Sync + 'static,
        namespace: Namespace,
    ) -> Self {
        Self::new(connect, namespace, StoreKind::SecretService, StoreKind::Keyutils)
    }

    fn new(
        connect: impl Fn(StoreKind) -> Result<Box<dyn Backend>, KeyringError> + Send + Sync + 'static,
        namespace: Namespace,
        first: StoreKind,
        fallback: StoreKind,
    ) -> Self {
        let calls = Calls::new(Box::new(connect));
        Self { shared: Arc::new(Shared { calls, namespace, first, fallback }) }
    }

    /// Which store is asked first with this preference.
    #[must_use]
    pub fn first(&self, preference: Preference) -> StoreKind {
        match preference {
            Preference::Auto => self.shared.first,
            Preference::Fixed(kind) => kind,
        }
    }

    /// What [`Preference::Auto`] turns to where that one does not answer. On some systems that is itself, unless there is
    /// a key to a sealed file.
    #[must_use]
    pub fn fallback(&self) -> StoreKind {
        self.shared.fallback
    }

    /// The store for new secrets, which is reachable and unlocked at this moment. With `interactive`
    /// a person may be asked to unlock it, for which there are [`INTERACTIVE_DEADLINE`].
    ///
    /// # Errors
    /// Why there is none. With [`Preference::Auto`] a keyring that answers but is locked is an
    /// error: secrets must not go elsewhere just because somebody has not logged in yet. Nor do they
    /// go to the kernel because the key of a sealed file is not there yet.
    pub async fn choose(
        &self,
        preference: Preference,
        interactive: bool,
    ) -> Result<StoreKind, KeyringError> {
        let began = Instant::now();
        let first = self.first(preference);
        let fallback = self.fallback();
        let has_another = preference == Preference::Auto && fallback != first;
        let share = if has_another { AUTO_SHARE } else { CALL_DEADLINE };
        match self.check(first, began + share).await {
            Ok(()) => Ok(first),
            Err(KeyringError::Locked { .. }) if interactive => {
                self.unlock(first, began + INTERACTIVE_DEADLINE).await.map(|()| first)
            }
            Err(KeyringError::Unavailable { .. } | KeyringError::Unresponsive { .. })
                if has_another =>
            {
                self.check(fallback, began + CALL_DEADLINE).await.map(|()| fallback)
            }
            Err(error) => Err(error),
        }
    }

    /// Stores an entry: when this returns `Ok`, it was stored, read back and compared. After an error
    /// nothing of it stays, even if the store carries it out later.
    ///
    /// # Errors
    /// Why it was not stored.
    pub async fn put(&self, kind: StoreKind, entry: Entry) -> Result<(), KeyringError> {
        let (mine, namespace) = (entry.clone(), self.shared.namespace.clone());
        let undo_namespace = namespace.clone();
        let id = entry.key.id.clone();
        self.call(
            kind,
            Some(id),
            Instant::now() + CALL_DEADLINE,
            move |backend| safekeeping::store(backend, kind, &namespace, &entry),
            move |backend| safekeeping::take_back(backend, &undo_namespace, &mine),
        )
        .await
    }

    /// The entry of this token; `None` only if the store definitely has none under its name.
    ///
    /// # Errors
    /// Why that cannot be told, or that something else is there.
    pub async fn fetch(&self, kind: StoreKind, key: &Key) -> Result<Option<Entry>, KeyringError> {
        let (key, namespace) = (key.clone(), self.shared.namespace.clone());
        self.read(kind, move |backend| {
            let found = safekeeping::fetch(backend, kind, &namespace, &key);
            crash::point("keyring.fetched", &key.id);
            found
        })
        .await
    }

    /// Deletes the entry of this session, whatever is in it; it is fine if there is none.
    ///
    /// # Errors
    /// Why it may still be there.
    pub async fn delete(&self, kind: StoreKind, id: &SessionId) -> Result<(), KeyringError> {
        let (id, namespace) = (id.clone(), self.shared.namespace.clone());
        self.call(
            kind,
            Some(id.clone()),
            Instant::now() + CALL_DEADLINE,
            move |backend| {
                let deleted = backend.delete(EntryName { namespace: &namespace, id: &id });
                crash::point("keyring.deleted", &id);
                deleted
            },
            |_| {},
        )
        .await
    }

    /// The sessions of this daemon that have an entry, readable or not; `None` if the store cannot
    /// search. Names alone, because a thousand secrets could not be read within one deadline.
    ///
    /// # Errors
    /// Why that cannot be told.
    pub async fn ids(&self, kind: StoreKind) -> Result<Option<Vec<SessionId>>, KeyringError> {
        let namespace = self.shared.namespace.clone();
        self.read(kind, move |backend| backend.names(&namespace)).await
    }

    /// The same, and what crashes have left that is no entry is deleted. Only for the daemon whose entries they are: what
    /// another process is just storing looks like such leftovers.
    ///
    /// # Errors
    /// Why it cannot be told which there are.
    pub async fn ids_tidied(
        &self,
        kind: StoreKind,
    ) -> Result<Option<Vec<SessionId>>, KeyringError> {
        let namespace = self.shared.namespace.clone();
        self.read(kind, move |backend| {
            let found = backend.names(&namespace)?;
            backend.tidy(&namespace);
            Ok(found)
        })
        .await
    }

    /// The entry of this session, whichever of its tokens it holds; `None` if there definitely is
    /// none.
    ///
    /// # Errors
    /// Why that cannot be told, or what is wrong with the entry.
    pub async fn entry(
        &self,
        kind: StoreKind,
        id: &SessionId,
    ) -> Result<Option<Entry>, KeyringError> {
        let (id, namespace) = (id.clone(), self.shared.namespace.clone());
        self.read(kind, move |backend| safekeeping::open(backend, kind, &namespace, &id)).await
    }

    /// What was last known of a store, without asking it; `None` if it was never asked.
    #[must_use]
    pub fn state(&self, kind: StoreKind) -> Option<Readiness> {
        self.shared.calls.readiness(kind)
    }

    async fn check(&self, kind: StoreKind, deadline: Instant) -> Result<(), KeyringError> {
        self.call(kind, None, deadline, |backend| backend.check(false), |_| {}).await
    }

    async fn unlock(&self, kind: StoreKind, deadline: Instant) -> Result<(), KeyringError> {
        let answer = worker::prompt(Arc::clone(&self.shared.calls), kind)?;
        let _waiting = Waiting(&self.shared.calls);
        match timeout_at(deadline, answer).await {
            Ok(Ok(told)) => told,
            Ok(Err(_)) => Err(thread_ended(kind)),
            Err(_) => Err(KeyringError::locked(kind, "the unlock prompt was not answered")),
        }
    }

    async fn read<T: Send + 'static>(
        &self,
        kind: StoreKind,
        work: impl FnOnce(&mut dyn Backend) -> Result<T, KeyringError> + Send + 'static,
    ) -> Result<T, KeyringError> {
        self.call(kind, None, Instant::now() + CALL_DEADLINE, work, |_| {}).await
    }

    /// Has `work` done by the keyring's thread, and waits until the deadline. If it succeeds when
    /// nobody waits any longer, the same thread calls `undo` right after it.
    async fn call<T: Send + 'static>(
        &self,
        kind: StoreKind,
        writes: Option<SessionId>,
        deadline: Instant,
        work: impl FnOnce(&mut dyn Backend) -> Result<T, KeyringError> + Send + 'static,
        undo: impl FnOnce(&mut dyn Backend) + Send + 'static,
    ) -> Result<T, KeyringError> {
        let (reply, mut answer) = oneshot::channel();
        let calls = Arc::clone(&self.shared.calls);
        let work: Work = Box::new(move |backend| {
            let (result, backend) = match backend {
                Ok(backend) => (work(backend), Some(backend)),
                Err(error) => (Err(error), None),
            };
            let told = result.as_ref().map(drop).map_err(Clone::clone);
            // Before the reply: whoever has it may ask for the state next.
            calls.note(kind, &told);
            if let (Err(Ok(_)), Some(backend)) = (reply.send(result), backend) {
                undo(backend);
            }
            told
        });
        let number = self.shared.calls.submit(kind, writes, work)?;
        match timeout_at(deadline, &mut answer).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(thread_ended(kind)),
            Err(_) => {
                // From here on the thread cannot answer; what it has answered already counts.
                answer.close();
                answer.try_recv().unwrap_or_else(|_| {
                    self.shared.calls.expire(number);
                    Err(KeyringError::unresponsive(kind, "no answer before the deadline"))
                })
            }
        }
    }
}

/// Somebody who waits for a prompt, until he is dropped.
struct Waiting<'a>(&'a Calls);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.give_prompt_up();
    }
}

fn thread_ended(kind: StoreKind) -> KeyringError {
    KeyringError::unavailable(kind, "the keyring's thread ended")
}
