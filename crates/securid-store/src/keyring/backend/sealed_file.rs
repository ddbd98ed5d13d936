//! One encrypted file in the state folder, for machines without a Secret Service that are booted
//! again some day. Its key comes from elsewhere: a file, or systemd's credentials.
//!
//! - `key`: the key and where it is kept
//! - `format`: the bytes of the file
//! - `trouble`: what can be in the way
//!
//! A change replaces the whole file, so that a power cut leaves either the old one or the new one; it
//! costs some hundred bytes of writing for each session that there is.
//!
//! What cannot be opened is left as it is, whatever is asked. Nor is it set aside: without the file
//! its secrets would count as absent and their sessions as lost, which is a person's decision.

pub(crate) mod format;
pub(crate) mod key;
mod trouble;

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use securid_secret::SecretBytes;
use securid_session::SessionId;

use self::format::{Fault, Index, Seal};
use super::Backend;
use crate::disk::{DiskError, Identity};
use crate::files::{self, Stamp};
use crate::keyring::error::KeyringError;
use crate::keyring::kind::StoreKind;
use crate::keyring::name::{EntryName, Namespace};

pub use key::{KeyPlace, SealKey};
pub use trouble::SealedTrouble;

/// No file is longer: 10,000 sessions with the longest tokens that there can be (16 KiB) fit in.
const LONGEST_FILE: u64 = 256 * 1024 * 1024;

/// Where the sealed file is, and where its key.
#[derive(Debug, Clone)]
pub struct SealedPlace {
    /// The sealed file.
    pub file: PathBuf,
    /// Its key, if it has one.
    pub key: Option<KeyPlace>,
}

impl SealedPlace {
    /// The sealed file of this state folder. In a home that machines share, each has one of its own.
    #[must_use]
    pub fn new(state_dir: &Path, identity: &Identity, key: Option<KeyPlace>) -> Self {
        Self { file: state_dir.join(format!("secrets-{}.sealed", identity.short())), key }
    }
}

/// The sealed file as all connections of one daemon share it.
pub(in crate::keyring) struct SealedFile {
    place: SealedPlace,
    namespace: Namespace,
    /// Held while the file is read and replaced. A thread that was written off may come back any time:
    /// what it has read before must not replace what another has written since.
    turn: Mutex<()>,
}

impl SealedFile {
    pub(in crate::keyring) fn new(place: SealedPlace, namespace: Namespace) -> Arc<Self> {
        Arc::new(Self { place, namespace, turn: Mutex::new(()) })
    }

    /// Reads the key; the connection keeps it for as long as it lasts.
    pub(super) fn connect(this: &Arc<Self>) -> Result<Connection, KeyringError> {
        let place = this.place.key.as_ref().ok_or(SealedTrouble::NoKey)?;
        let seal = Seal::new(SealKey::read(place)?, &this.namespace);
        Ok(Connection { shared: Arc::clone(this), seal, seen: None })
    }

    fn folder(&self) -> &Path {
        self.place.file.parent().unwrap_or(Path::new("."))
    }

    /// Puts these bytes into the place of the file; on the platter when it returns.
    fn replace(&self, bytes: &[u8]) -> Result<(), SealedTrouble> {
        let name = self.place.file.file_name().unwrap_or_default().to_string_lossy();
        let temporary = format!(".tmp-{name}");
        files::replace(self.folder(), &name, &temporary, bytes, "sealed-file")?;
        Ok(files::sync_folder(self.folder(), "sealed-file")?)
    }

    fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A key, and what the file was like when it was last looked at.
pub(super) struct Connection {
    shared: Arc<SealedFile>,
    seal: Seal,
    /// None if there was no file.
    seen: Option<Seen>,
}

/// One version of the file: what is in it, or what is wrong with it.
struct Seen {
    stamp: Stamp,
    bytes: Vec<u8>,
    index: Result<Index, &'static str>,
}

impl Connection {
    /// Reads the file, unless it is the one that was read last.
    fn look(&mut self) -> Result<(), SealedTrouble> {
        let path = &self.shared.place.file;
        let failed = |error| DiskError::new("read", path, &error);
        let (file, about) = match files::open_regular(path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound && self.shared.folder().is_dir() => {
                self.seen = None;
                return Ok(());
            }
            opened => opened.map_err(failed)?,
        };
        let stamp = Stamp::of(&file, &about).map_err(failed)?;
        if self.seen.as_ref().is_some_and(|seen| seen.stamp == stamp) {
            return Ok(());
        }
        self.seen = None;
        let mut bytes =
            Vec::with_capacity(usize::try_from(about.len().min(LONGEST_FILE)).unwrap_or(0));
        file.take(LONGEST_FILE + 1).read_to_end(&mut bytes).map_err(failed)?;
        let index = match self.seal.index(&bytes) {
            Ok(index) => Ok(index),
            Err(Fault::Damaged(cause)) => Err(cause),
            Err(Fault::WrongKey) => {
                let key = self.shared.place.key.as_ref().map(|place| place.path().to_owned());
                let (file, key) = (path.clone(), key.unwrap_or_default());
                return Err(SealedTrouble::WrongKey { file, key });
            }
            Err(Fault::Elsewhere) => return Err(SealedTrouble::Elsewhere(path.clone())),
            Err(Fault::Newer(version)) => {
                return Err(SealedTrouble::Newer { file: path.clone(), version });
            }
        };
        self.seen = Some(Seen { stamp, bytes, index });
        Ok(())
    }

    /// What was seen, if the file is whole; `None` if there was definitely no file.
    fn whole(&self) -> Result<Option<(&Index, &[u8])>, SealedTrouble> {
        let Some(seen) = &self.seen else { return Ok(None) };
        match &seen.index {
            Ok(index) => Ok(Some((index, &seen.bytes))),
            Err(cause) => Err(self.damaged(cause)),
        }
    }

    /// The sealed entries of all other sessions.
    fn without(&self, id: &SessionId) -> Result<Vec<&[u8]>, SealedTrouble> {
        let Some((index, bytes)) = self.whole()? else { return Ok(Vec::new()) };
        let others = index.iter().filter(|(other, _)| *other != id);
        Ok(others.filter_map(|(_, range)| bytes.get(range.clone())).collect())
    }

    /// Whether the key is where it was: what is sealed now has to open at the next start, too.
    fn key_is_in_place(&self) -> Result<(), SealedTrouble> {
        let place = self.shared.place.key.as_ref().ok_or(SealedTrouble::NoKey)?;
        if self.seal.is_of(&SealKey::read(place)?) {
            return Ok(());
        }
        let (file, key) = (self.shared.place.file.clone(), place.path().to_owned());
        Err(SealedTrouble::WrongKey { file, key })
    }

    fn replace(&mut self, bytes: &[u8]) -> Result<(), SealedTrouble> {
        // Whatever comes of it: what is there afterwards is read anew.
        self.seen = None;
        self.shared.replace(bytes)
    }

    fn damaged(&self, cause: &'static str) -> SealedTrouble {
        SealedTrouble::Damaged { file: self.shared.place.file.clone(), cause }
    }
}

/// The namespace in the names is always the one that the key is bound to.
impl Backend for Connection {
    fn check(&mut self, _interactive: bool) -> Result<(), KeyringError> {
        let shared = Arc::clone(&self.shared);
        let _turn = shared.turn();
        self.key_is_in_place()?;
        self.look()?;
        self.whole()?;
        Ok(())
    }

    fn put(
        &mut self,
        name: EntryName<'_>,
        _label: &str,
        secret: &[u8],
    ) -> Result<(), KeyringError> {
        let shared = Arc::clone(&self.shared);
        let _turn = shared.turn();
        self.key_is_in_place()?;
        self.look()?;
        let entry = self.seal.entry(name.id, secret).map_err(SealedTrouble::from)?;
        let mut entries = self.without(name.id)?;
        entries.push(&entry);
        let bytes = self.seal.file(&entries).map_err(SealedTrouble::from)?;
        if bytes.len() as u64 > LONGEST_FILE {
            let cause = format!("{} would grow beyond 256 MiB", shared.place.file.display());
            return Err(KeyringError::Full { kind: StoreKind::SealedFile, cause });
        }
        Ok(self.replace(&bytes)?)
    }

    fn get(&mut self, name: EntryName<'_>) -> Result<Option<SecretBytes>, KeyringError> {
        let shared = Arc::clone(&self.shared);
        let _turn = shared.turn();
        self.look()?;
        let Some(seen) = &self.seen else { return Ok(None) };
        let found = match &seen.index {
            Ok(index) => match index.get(name.id).and_then(|range| seen.bytes.get(range.clone())) {
                None => return Ok(None),
                Some(entry) => self.seal.open_entry(name.id, entry).ok_or("an entry does not open"),
            },
            // The rest of the file may be damaged, and this entry good.
            Err(cause) => self.seal.salvage(&seen.bytes, name.id).ok_or(*cause),
        };
        found.map(Some).map_err(|cause| self.damaged(cause).into())
    }

    fn delete(&mut self, name: EntryName<'_>) -> Result<(), KeyringError> {
        let shared = Arc::clone(&self.shared);
        let _turn = shared.turn();
        self.look()?;
        if self.whole()?.is_some_and(|(index, _)| index.contains_key(name.id)) {
            let bytes = self.seal.file(&self.without(name.id)?).map_err(SealedTrouble::from)?;
            return Ok(self.replace(&bytes)?);
        }
        // It may be gone since a moment that a power cut would undo.
        Ok(files::sync_folder(shared.folder(), "sealed-file").map_err(SealedTrouble::from)?)
    }

    fn names(&mut self, _namespace: &Namespace) -> Result<Option<Vec<SessionId>>, KeyringError> {
        let shared = Arc::clone(&self.shared);
        let _turn = shared.turn();
        self.look()?;
        Ok(Some(self.whole()?.map_or_else(Vec::new, |(index, _)| index.keys().cloned().collect())))
    }
}

#[cfg(test)]
mod tests;
