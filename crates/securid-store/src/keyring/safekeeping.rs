//! What storing and fetching mean, over any store.

use securid_session::{Key, SessionId};

use super::backend::Backend;
use super::entry::Entry;
use super::error::KeyringError;
use super::kind::StoreKind;
use super::name::{EntryName, Namespace};
use crate::crash;

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
    let kept = backend.put(name, &label, &sealed).and_then(|()| {
        crash::point("keyring.put", &entry.key.id);
        match backend.get(name)? {
            Some(found) if *found == *sealed => Ok(()),
            _ => Err(KeyringError::NotKept { kind }),
        }
    });
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
