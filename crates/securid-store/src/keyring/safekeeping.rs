//! What storing and fetching mean, over any store.

use securid_session::{Key, SessionId};

use super::backend::{self, Backend};
use super::entry::Entry;
use super::error::KeyringError;
use super::kind::StoreKind;
use super::name::{EntryName, Namespace};
use crate::crash;

/// A change of one session's entry.
#[derive(Debug, Clone)]
pub enum Change {
    /// Stores it, in place of any other.
    Put(Entry),
    /// Deletes it, whatever is in it; it is fine if there is none.
    Delete(SessionId),
}

impl Change {
    /// The session.
    #[must_use]
    pub fn id(&self) -> &SessionId {
        match self {
            Self::Put(entry) => &entry.key.id,
            Self::Delete(id) => id,
        }
    }
}

/// Makes all changes together, and reads back what was stored. If that fails, each is made by itself, so that each
/// has an answer of its own; and an error of all of them is that of the call.
pub(super) fn change(
    backend: &mut dyn Backend,
    kind: StoreKind,
    namespace: &Namespace,
    changes: &[Change],
) -> Result<Vec<Result<(), KeyringError>>, KeyringError> {
    if let [_, _, ..] = changes
        && let Ok(true) = together(backend, changes)
    {
        let kept = changes.iter().map(|change| match change {
            Change::Put(entry) => read_back(backend, kind, namespace, entry),
            Change::Delete(id) => {
                crash::point("keyring.deleted", id);
                Ok(())
            }
        });
        return Ok(kept.collect());
    }
    let done: Vec<_> = changes
        .iter()
        .map(|change| match change {
            Change::Put(entry) => store(backend, kind, namespace, entry),
            Change::Delete(id) => delete(backend, namespace, id),
        })
        .collect();
    match done.first() {
        Some(Err(error)) if done.iter().all(Result::is_err) => Err(error.clone()),
        _ => Ok(done),
    }
}

fn together(backend: &mut dyn Backend, changes: &[Change]) -> Result<bool, KeyringError> {
    let sealed: Vec<_> = changes
        .iter()
        .map(|change| match change {
            Change::Put(entry) => (&entry.key.id, Some(entry.seal())),
            Change::Delete(id) => (id, None),
        })
        .collect();
    let changes: Vec<_> = sealed
        .iter()
        .map(|(id, secret)| backend::Change { id, secret: secret.as_deref() })
        .collect();
    backend.change(&changes)
}

/// Deletes the entry of this session.
pub(super) fn delete(
    backend: &mut dyn Backend,
    namespace: &Namespace,
    id: &SessionId,
) -> Result<(), KeyringError> {
    let deleted = backend.delete(EntryName { namespace, id });
    crash::point("keyring.deleted", id);
    deleted
}

/// Stores an entry and reads it back; if either fails, nothing of it is left where that can be helped.
pub(super) fn store(
    backend: &mut dyn Backend,
    kind: StoreKind,
    namespace: &Namespace,
    entry: &Entry,
) -> Result<(), KeyringError> {
    let name = EntryName { namespace, id: &entry.key.id };
    let sealed = entry.seal();
    let label = format!("securid session {} ({})", entry.key.id, entry.origin);
    let put = backend.put(name, &label, &sealed);
    if put.is_err() {
        crash::point("keyring.read-back", &entry.key.id);
        take_back(backend, namespace, entry);
        return put;
    }
    read_back(backend, kind, namespace, entry)
}

/// Compares what the store has now with what it was given; if it has something else, nothing of it is left where that can
/// be helped.
fn read_back(
    backend: &mut dyn Backend,
    kind: StoreKind,
    namespace: &Namespace,
    entry: &Entry,
) -> Result<(), KeyringError> {
    crash::point("keyring.put", &entry.key.id);
    let kept = match backend.get(EntryName { namespace, id: &entry.key.id }) {
        Ok(Some(found)) if *found == *entry.seal() => Ok(()),
        Ok(_) => Err(KeyringError::NotKept { kind }),
        Err(error) => Err(error),
    };
    crash::point("keyring.read-back", &entry.key.id);
    if kept.is_err() {
        take_back(backend, namespace, entry);
    }
    kept
}

/// Deletes an entry that nobody was told of. Only if it is that very one: whatever else stands under
/// its name may have been acknowledged.
pub(super) fn take_back(backend: &mut dyn Backend, namespace: &Namespace, entry: &Entry) {
    let name = EntryName { namespace, id: &entry.key.id };
    let undone = match backend.get(name) {
        Ok(Some(found)) if *found == *entry.seal() => backend.delete(name),
        Ok(_) => Ok(()),
        Err(e) => Err(e),
    };
    crash::point("keyring.taken-back", &entry.key.id);
    if let Err(error) = undone {
        tracing::warn!(session = %entry.key.id, %error, "a half-stored secret may be left behind");
    }
}

/// The entry of this token; `None` if the store definitely has none of that name.
pub(super) fn fetch(
    backend: &mut dyn Backend,
    kind: StoreKind,
    namespace: &Namespace,
    key: &Key,
) -> Result<Option<Entry>, KeyringError> {
    let Some(entry) = open(backend, kind, namespace, &key.id)? else { return Ok(None) };
    if entry.key == *key {
        Ok(Some(entry))
    } else {
        Err(KeyringError::Mismatch { kind, asked: key.clone(), found: entry.key })
    }
}

/// The entry of that name, whichever token it holds.
pub(super) fn open(
    backend: &mut dyn Backend,
    kind: StoreKind,
    namespace: &Namespace,
    id: &SessionId,
) -> Result<Option<Entry>, KeyringError> {
    let Some(bytes) = backend.get(EntryName { namespace, id })? else { return Ok(None) };
    let damaged = |cause| KeyringError::Damaged { kind, id: id.clone(), cause };
    let entry = Entry::open(&bytes).map_err(damaged)?;
    if entry.key.id == *id { Ok(Some(entry)) } else { Err(damaged("it is another session's")) }
}
