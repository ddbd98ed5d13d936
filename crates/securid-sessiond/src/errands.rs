//! The machine's actions that take time: keyring, disk, server. Each is carried out beside the
//! keeper and answers it with one [`Message::Done`], whatever happens, within a bound.
//!
//! - `attempt`: one attempt at a revocation, by all the settings that there are for the server
//! - `turns`: how many errands are at one place at once

mod attempt;
mod turns;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use securid_api::Token;
use securid_ipc::messages::RpcError;
use securid_secret::{Secret, SecretBytes};
use securid_session::{About, Event, Found, Key, Origin, Record, SessionId, Verdict};
use securid_store::{
    Disk, DiskError, Entry, HistoryLine, HistoryReader, Keyring, Preference, StoreKind, crash,
};
use securid_text::span;
use securid_worker::aside;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tracing::debug;
use turns::Turns;

use crate::audit::{Audit, Handed};
use crate::keeper::{Inbox, Message};
use crate::servers::Servers;
use crate::trouble;

/// How long after its deadline an attempt is given up, whatever it is at. The client keeps the deadline from
/// its own beginning, and says better what had not come by then; but the certificates that it needs are
/// read before, which takes a moment.
const AFTER_ALL: Duration = Duration::from_secs(1);

/// How long the disk may take once it is asked. Beyond it a write counts as failed, so that a revocation is
/// attempted from memory rather than wait for a disk that hangs; the same 5 s that a keyring has.
const DISK_DEADLINE: Duration = Duration::from_secs(5);

/// How many errands may be at the keyring at once. It does one after the other, and its deadline
/// counts from when it is asked: a thousand at once would time out for want of a turn.
const AT_THE_KEYRING: usize = 4;

/// How many errands may be at the disk at once, for the same reason; as many as share one sync.
const AT_THE_DISK: usize = 64;

/// How many may read the history at once: two, so that a short look need not wait for a long one. Each reads up to
/// 50 MB, and takes a thread that is stuck as long as the disk hangs.
const IN_THE_PAST: usize = 2;

/// Where errands go, and to whom they answer.
#[derive(Clone)]
pub(crate) struct Errands {
    pub(crate) keyring: Keyring,
    pub(crate) disk: Disk,
    pub(crate) audit: Audit,
    pub(crate) servers: Arc<Servers>,
    pub(crate) inbox: Inbox,
    keyring_turns: Turns,
    disk_turns: Arc<Semaphore>,
    past_turns: Arc<Semaphore>,
    /// Until when a disk that hung is left alone.
    disk_cools: Arc<Mutex<Option<Instant>>>,
    /// One look at the keyring at a time.
    looking: Arc<Semaphore>,
}

/// The answer to an errand.
pub(crate) struct Done {
    pub(crate) event: Event,
    /// The token that was fetched, which goes into the keeper's memory before the event counts.
    pub(crate) token: Option<Token>,
    /// Why it failed, for whoever waits for it.
    pub(crate) trouble: Option<RpcError>,
}

impl Errands {
    pub(crate) fn new(keyring: Keyring, disk: Disk, audit: Audit, inbox: Inbox) -> Self {
        Self {
            keyring,
            disk,
            audit,
            servers: Arc::new(Servers::new()),
            inbox,
            keyring_turns: Turns::new(AT_THE_KEYRING),
            disk_turns: Arc::new(Semaphore::new(AT_THE_DISK)),
            past_turns: Arc::new(Semaphore::new(IN_THE_PAST)),
            disk_cools: Arc::default(),
            looking: Arc::new(Semaphore::new(1)),
        }
    }

    pub(crate) fn write(&self, record: Record) {
        let (this, key) = (self.clone(), record.key.clone());
        self.send(async move {
            let written = this.at_the_disk(this.disk.write(record)).await;
            Done::of(written, |done| Event::Written { key, done })
        });
    }

    pub(crate) fn archive(&self, record: &Record) {
        let (this, key, line) = (self.clone(), record.key.clone(), HistoryLine::of(record));
        self.send(async move {
            let written = match line {
                Some(line) => this.at_the_disk(this.disk.append(line)).await,
                None => Ok(()),
            };
            Done::of(written, |done| Event::Archived { key, done })
        });
    }

    /// Removes a record as soon as the audit has this line: until then it is the only thing that the
    /// next daemon could tell the end from.
    pub(crate) fn remove(&self, key: Key, end: Option<Handed>) {
        let (this, audited) = (self.clone(), self.audit.written(end));
        self.send(async move {
            let removed = match audited.await {
                Ok(()) => this.at_the_disk(this.disk.remove(key.id.clone())).await,
                Err(why) => Err(trouble::unaudited(why)),
            };
            Done::of(removed, |done| Event::Removed { key, done })
        });
    }

    /// Looks into the history, beside the thread that writes: it holds no record up.
    ///
    /// # Errors
    /// If it cannot be read, or not in time.
    pub(crate) async fn past<T: Send + 'static>(
        &self,
        look: impl FnOnce(&HistoryReader) -> Result<T, DiskError> + Send + 'static,
    ) -> Result<T, RpcError> {
        let (past, turns) = (self.disk.past().clone(), Arc::clone(&self.past_turns));
        let looked = async {
            // It is never closed.
            let turn = turns.acquire_owned().await;
            let look = aside("history", move || {
                let _turn = turn;
                look(&past)
            });
            look.map_err(|error| trouble::no_thread(&error))?.await.map_err(|_| trouble::stopping())
        };
        match timeout(DISK_DEADLINE, looked).await {
            Ok(done) => done?.map_err(|error| trouble::disk(&error)),
            Err(_) => Err(trouble::disk_hangs()),
        }
    }

    pub(crate) fn store(&self, key: Key, about: &About, token: &Token) {
        let (keyring, kind) = (self.keyring.clone(), kind(about));
        let entry = Entry {
            key: key.clone(),
            origin: about.origin.url.clone(),
            token: SecretBytes::from(token.expose().as_bytes()),
        };
        self.to_keyring(move || async move {
            let stored = match kind {
                Ok(kind) => keyring.put(kind, entry).await.map_err(|e| trouble::keyring(&e)),
                Err(unknown) => Err(unknown),
            };
            Done::of(stored, |done| Event::Stored { key, done })
        });
    }

    pub(crate) fn delete(&self, key: Key, about: &About) {
        let (keyring, kind) = (self.keyring.clone(), kind(about));
        self.to_keyring(move || async move {
            let deleted = match kind {
                Ok(kind) => keyring.delete(kind, &key.id).await.map_err(|e| trouble::keyring(&e)),
                Err(unknown) => Err(unknown),
            };
            Done::of(deleted, |done| Event::Deleted { key, done })
        });
    }

    pub(crate) fn fetch(&self, key: Key, about: &Arc<About>) {
        let (keyring, about) = (self.keyring.clone(), Arc::clone(about));
        self.to_keyring(move || async move {
            let (found, token, trouble) = match fetched(&keyring, &key, &about).await {
                Ok(Some(token)) => (Found::Here, Some(token), None),
                Ok(None) => (Found::Nowhere, None, None),
                Err(error) => (Found::Unreachable, None, Some(error)),
            };
            Done { event: Event::Fetched { key, found }, token, trouble }
        });
    }

    /// Looks at a secret for the sake of looking.
    pub(crate) fn freshen(&self, key: Key, about: &Arc<About>) {
        let (keyring, about) = (self.keyring.clone(), Arc::clone(about));
        self.keyring_turns.take(move || async move {
            if let Err(error) = fetched(&keyring, &key, &about).await {
                debug!(session = %key.id, %error, "could not look at its secret");
            }
        });
    }

    /// Asks the server to revoke the token. `ways` are settings for the same URL, the session's own
    /// first.
    pub(crate) fn attempt(&self, key: Key, ways: Vec<Origin>, token: Token, deadline: Duration) {
        let servers = Arc::clone(&self.servers);
        self.send(async move {
            crash::point("attempt.begun", &key.id);
            let attempt = attempt::by_any_way(&servers, &ways, &token, deadline);
            let verdict = timeout(deadline + AFTER_ALL, attempt).await.unwrap_or_else(|_| {
                attempt::unconfirmed(format!(
                    "nothing came of the attempt within {}",
                    span(deadline)
                ))
            });
            match verdict {
                Verdict::Dead { .. } => crash::point("attempt.confirmed", &key.id),
                Verdict::Unreached { .. } | Verdict::Unconfirmed { .. } => {
                    crash::point("attempt.unconfirmed", &key.id);
                }
            }
            Done { event: Event::Answered { key, verdict }, token: None, trouble: None }
        });
    }

    /// Looks how the keyring for new secrets is, or waits for whoever is looking already, and tells
    /// the keeper. The look goes on to its own deadline even if nobody waits for it.
    pub(crate) fn look_at_keyring(&self, preference: Preference) -> JoinHandle<()> {
        let this = self.clone();
        tokio::spawn(async move {
            let Ok(_turn) = this.looking.try_acquire() else {
                // What he sees is told before his turn is over.
                let _ = this.looking.acquire().await;
                return;
            };
            let seen = this.keyring.choose(preference, false).await;
            let _ = this.inbox.send(Message::KeyringSeen(seen));
        })
    }

    /// Asks a store which sessions have a secret in it, once; and has it tidied.
    pub(crate) fn list(&self, kind: StoreKind) {
        let (keyring, inbox) = (self.keyring.clone(), self.inbox.clone());
        tokio::spawn(async move {
            let found = keyring.ids_tidied(kind).await;
            let _ = inbox.send(Message::Listed(kind, found));
        });
    }

    /// Reads the secret of a session that has no record.
    pub(crate) fn read_orphan(&self, kind: StoreKind, id: SessionId) {
        let (keyring, inbox) = (self.keyring.clone(), self.inbox.clone());
        self.keyring_turns.take(move || async move {
            let read = keyring.entry(kind, &id).await;
            let _ = inbox.send(Message::Orphan(kind, id, read));
        });
    }

    fn to_keyring<E: Future<Output = Done> + Send + 'static>(
        &self,
        errand: impl FnOnce() -> E + Send + 'static,
    ) {
        let inbox = self.inbox.clone();
        self.keyring_turns.take(move || async move {
            // The keeper is gone only when the daemon is.
            let _ = inbox.send(Message::Done(Box::new(errand().await)));
        });
    }

    fn send(&self, errand: impl Future<Output = Done> + Send + 'static) {
        let inbox = self.inbox.clone();
        tokio::spawn(async move {
            // The keeper is gone only when the daemon is.
            let _ = inbox.send(Message::Done(Box::new(errand.await)));
        });
    }

    /// Does it when it is its turn, within [`DISK_DEADLINE`]. After a disk has hung, what follows
    /// fails at once for as long: a thousand intents must not wait for it one after the other.
    async fn at_the_disk<T>(
        &self,
        work: impl Future<Output = Result<T, DiskError>>,
    ) -> Result<T, RpcError> {
        // It is never closed.
        let _turn = self.disk_turns.acquire().await;
        if self.disk_cools().is_some_and(|until| Instant::now() < until) {
            return Err(trouble::disk_hangs());
        }
        match timeout(DISK_DEADLINE, work).await {
            Ok(done) => done.map_err(|error| trouble::disk(&error)),
            Err(_) => {
                *self.disk_cools() = Some(Instant::now() + DISK_DEADLINE);
                Err(trouble::disk_hangs())
            }
        }
    }

    fn disk_cools(&self) -> MutexGuard<'_, Option<Instant>> {
        self.disk_cools.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Done {
    fn of(result: Result<(), RpcError>, event: impl FnOnce(bool) -> Event) -> Self {
        Self { event: event(result.is_ok()), token: None, trouble: result.err() }
    }
}

/// An entry whose origin is not the record's is never used: a token goes to its own origin alone.
async fn fetched(keyring: &Keyring, key: &Key, about: &About) -> Result<Option<Token>, RpcError> {
    let entry = keyring.fetch(kind(about)?, key).await.map_err(|e| trouble::keyring(&e))?;
    let Some(entry) = entry else { return Ok(None) };
    if entry.origin != about.origin.url {
        return Err(trouble::other_origin(&key.id, &entry.origin, &about.origin.url));
    }
    token(&entry).map(Some)
}

/// The token in an entry.
pub(crate) fn token(entry: &Entry) -> Result<Token, RpcError> {
    let text = Secret::from(std::str::from_utf8(&entry.token).unwrap_or_default());
    Token::new(&text).map_err(trouble::token)
}

/// The store that a record names; another build may have known more of them.
fn kind(about: &About) -> Result<StoreKind, RpcError> {
    StoreKind::from_name(&about.keyring).ok_or_else(|| trouble::unknown_store(&about.keyring))
}
