//! The folder of records, a file for each session.

use std::collections::{BTreeSet, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::num::NonZero;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, ScopedJoinHandle};

use securid_session::{About, Record, SessionId, Stage};

use super::document::{self, Head, VERSION};
use super::error::{DiskError, DiskErrorKind};
use super::identity::Identity;
use super::index::Index;
use crate::files;

/// A record is about 1 KiB; what is longer than this is none of ours.
const LONGEST_RECORD: u64 = 256 * 1024;

/// How many threads read records at a start, at most: the processor does half of the work, the kernel the other, and
/// more of them wait for each other there.
const MOST_READERS: usize = 4;

/// A thread for fewer files than these costs more than it spares: reading one takes some ten microseconds.
const WORTH_A_THREAD: usize = 250;

/// The records of one state folder, `sessions/ID.json`.
#[derive(Debug)]
pub struct RecordFolder {
    state_dir: PathBuf,
    folder: PathBuf,
    damaged: PathBuf,
    identity: Identity,
    /// What the names of our temporary files begin with: in a home that machines share, another
    /// one's may be in use.
    temporary: String,
    index: Index,
    /// What people should know of the index.
    about_index: Option<String>,
    /// Whether the folder was made anew since that was last asked.
    made_anew: bool,
    /// Whether the names of the folders themselves survive a power cut, as far as we can see to it.
    folders_are_durable: bool,
}

/// What was found in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loaded {
    /// A record of this machine.
    Record {
        /// The record.
        record: Record,
        /// Whether it is from this boot: only then do its boot-clock times mean anything.
        same_boot: bool,
    },
    /// Another machine's record, in a home that they share. Left alone.
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A record of a newer version of this program. Left alone.
    Newer {
        /// The file.
        path: PathBuf,
        /// The version that it says.
        version: u64,
    },
    /// A file that is no whole record. Set aside, never deleted.
    Damaged(Damage),
    /// No readable record, but the index says that there may be a secret.
    Unrecorded {
        /// The session.
        id: SessionId,
        /// The name of the store.
        keyring: String,
    },
    /// The index is damaged, or cannot be read. What it said of sessions that have a record is known
    /// from that.
    DamagedIndex {
        /// For a person: what is wrong, and what was done about it.
        problem: String,
    },
    /// A file that could not be read just now. Left alone: it may be good.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        why: DiskError,
    },
}

/// A file that is no whole record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Where it was.
    pub path: PathBuf,
    /// Where it is now; or why it is still where it was.
    pub moved_to: Result<PathBuf, DiskError>,
    /// What is wrong with it.
    pub why: String,
}

impl Loaded {
    /// The session that it is about, going by the name of the file.
    #[must_use]
    pub fn id(&self) -> Option<SessionId> {
        let path = match self {
            Self::Record { record, .. } => return Some(record.key.id.clone()),
            Self::Unrecorded { id, .. } => return Some(id.clone()),
            Self::DamagedIndex { .. } => return None,
            Self::Foreign { path }
            | Self::Newer { path, .. }
            | Self::Unreadable { path, .. }
            | Self::Damaged(Damage { path, .. }) => path,
        };
        path.file_stem().and_then(|stem| stem.to_str()).and_then(SessionId::parse)
    }
}

/// A change of one record.
#[derive(Debug, Clone)]
pub(super) enum Change {
    Write(Record),
    Remove(SessionId),
}

impl RecordFolder {
    /// Opens the folder `sessions` in the state folder; makes both (0700) if need be.
    ///
    /// # Errors
    /// If that cannot be done, or if somebody else could write there.
    pub fn open(state_dir: &Path, identity: Identity) -> Result<Self, DiskError> {
        files::find_own_folder(state_dir)?;
        let folder = state_dir.join("sessions");
        files::find_own_folder(&folder)?;
        let damaged = state_dir.join("damaged");
        let (index, about_index) = Index::open(state_dir, &damaged, &identity);
        Ok(Self {
            state_dir: state_dir.to_owned(),
            folder,
            damaged,
            temporary: format!(".tmp-{}-", identity.short()),
            identity,
            index,
            about_index,
            made_anew: false,
            folders_are_durable: false,
        })
    }

    /// Whether a state folder has any record, whoever's, or its index any session of this machine.
    /// Looks at names alone and changes nothing, so it needs no lock.
    ///
    /// # Errors
    /// If folder or index are there and cannot be read: then nobody knows.
    pub fn any(state_dir: &Path, identity: &Identity) -> Result<bool, DiskError> {
        if Index::any(state_dir, identity)? {
            return Ok(true);
        }
        let folder = state_dir.join("sessions");
        let failed = |e| DiskError::new("read", &folder, &e);
        let files = match fs::read_dir(&folder) {
            Ok(files) => files,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(e) => return Err(failed(e)),
        };
        for file in files {
            if file.map_err(failed)?.path().extension().is_some_and(|end| end == "json") {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Reads every record, and finds out which sessions lack one; the same order each time. Sets aside
    /// what is damaged, and clears away what a crash left half-written.
    ///
    /// # Errors
    /// If the folder itself cannot be read.
    pub fn load(&mut self) -> Result<Vec<Loaded>, DiskError> {
        let failed = |e| DiskError::new("read", &self.folder, &e);
        let mut names = Vec::new();
        for file in fs::read_dir(&self.folder).map_err(failed)? {
            names.push(file.map_err(failed)?.file_name());
        }
        names.sort();
        let mut found = self.load_all(names);
        let mut abouts = HashSet::new();
        for loaded in &mut found {
            if let Loaded::Record { record, .. } = loaded {
                share(&mut abouts, &mut record.about);
            }
        }
        let problem = self.about_index.take();
        found.extend(problem.map(|problem| Loaded::DamagedIndex { problem }));
        self.compare_with_index(&mut found);
        Ok(found)
    }

    /// What is in the files of these names, in their order.
    fn load_all(&self, names: Vec<OsString>) -> Vec<Loaded> {
        let load = |names: &[OsString]| -> Vec<Loaded> {
            names.iter().filter_map(|name| self.load_name(name)).collect()
        };
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let each = names.len().div_ceil(cores.min(MOST_READERS));
        if each < WORTH_A_THREAD {
            return load(&names);
        }
        thread::scope(|scope| {
            let mut shares = names.chunks(each);
            let ours = shares.next().unwrap_or_default();
            let others: Vec<_> = shares
                .map(|names| (names, thread::Builder::new().spawn_scoped(scope, || load(names))))
                .collect();
            let mut found = load(ours);
            for (names, reader) in others {
                // Where there is no thread to be had, it is done here.
                let read = reader.map_or_else(|_| Ok(load(names)), ScopedJoinHandle::join);
                found.extend(read.unwrap_or_else(|panic| resume_unwind(panic)));
            }
            found
        })
    }

    fn load_name(&self, name: &OsStr) -> Option<Loaded> {
        let path = self.folder.join(name);
        let name = name.to_string_lossy();
        if name.starts_with(&self.temporary) {
            // A leftover does no harm; the next write of that session replaces it.
            let _ = files::remove(&path, "leftover");
            return None;
        }
        name.strip_suffix(".json").map(|stem| self.load_one(path, stem))
    }

    /// Finds the sessions that the index knows and no record tells of, and the other way round.
    fn compare_with_index(&mut self, found: &mut Vec<Loaded>) {
        let mut on_disk = BTreeSet::new();
        let mut recorded = Vec::new();
        for loaded in &*found {
            match loaded {
                Loaded::Record { record, .. } => {
                    on_disk.insert(record.key.id.clone());
                    recorded.push((&record.key.id, record.about.keyring.as_str()));
                }
                Loaded::Foreign { .. } | Loaded::Newer { .. } | Loaded::Unreadable { .. } => {
                    on_disk.extend(loaded.id());
                }
                _ => {}
            }
        }
        if let Err(error) = self.index.add(recorded.into_iter()) {
            // The records are there; the next start tries again.
            tracing::warn!(%error, "not every session is in the index");
        }
        let missing = self.index.sessions().filter(|(id, _)| !on_disk.contains(*id));
        found.extend(missing.map(|(id, keyring)| Loaded::Unrecorded {
            id: id.clone(),
            keyring: keyring.to_owned(),
        }));
    }

    /// Writes records, so that they survive a power cut. The folder is synced once for all of them;
    /// a record that fails does not keep the others from being written. Answers in the same order.
    #[must_use = "a record that was not written must not be acknowledged"]
    pub fn write_batch(&mut self, records: &[Record]) -> Vec<Result<(), DiskError>> {
        let changes: Vec<_> = records.iter().cloned().map(Change::Write).collect();
        self.apply(&changes)
    }

    /// Removes a record, so that it does not come back after a power cut. It is fine if there is none.
    ///
    /// # Errors
    /// If it may still be there.
    pub fn remove(&mut self, id: &SessionId) -> Result<(), DiskError> {
        self.apply(&[Change::Remove(id.clone())]).into_iter().collect()
    }

    /// Whether somebody removed the folder, with all records in it, since this was last asked.
    pub(super) fn was_made_anew(&mut self) -> bool {
        std::mem::take(&mut self.made_anew)
    }

    pub(super) fn path(&self) -> &Path {
        &self.folder
    }

    /// An earlier daemon may have died between making a folder and syncing its name. That is seen to before the first
    /// change, and not at the start, which has nothing to lose yet.
    fn make_folders_durable(&mut self) {
        if !std::mem::replace(&mut self.folders_are_durable, true) {
            files::make_folder_durable(&self.state_dir);
            files::make_folder_durable(&self.folder);
        }
    }

    pub(super) fn apply(&mut self, changes: &[Change]) -> Vec<Result<(), DiskError>> {
        self.make_folders_durable();
        let written = changes.iter().filter_map(|change| match change {
            Change::Write(record) => Some((&record.key.id, record.about.keyring.as_str())),
            Change::Remove(_) => None,
        });
        let indexed = self.index.add(written);
        let mut done: Vec<_> =
            changes.iter().map(|change| self.apply_one(change, &indexed)).collect();
        if done.iter().any(Result::is_ok)
            && let Err(error) = files::sync_folder(&self.folder, "records")
        {
            done.iter_mut().filter(|one| one.is_ok()).for_each(|one| *one = Err(error.clone()));
        }
        let is_last = |at: usize, id: &SessionId| {
            let mut later = changes[at + 1..].iter();
            !later.any(|change| matches!(change, Change::Write(record) if record.key.id == *id))
        };
        let removed = changes.iter().zip(&done).enumerate();
        self.index.remove(removed.filter_map(|(at, (change, done))| match change {
            Change::Remove(id) if done.is_ok() && is_last(at, id) => Some(id),
            _ => None,
        }));
        done
    }

    fn apply_one(
        &mut self,
        change: &Change,
        indexed: &Result<(), DiskError>,
    ) -> Result<(), DiskError> {
        match change {
            // What is announced is about to be stored. Of all others the secret is there already, and
            // the record matters more than the index.
            Change::Write(record) if record.stage == Stage::Adding => {
                indexed.clone().and_then(|()| self.write_somewhere(record))
            }
            Change::Write(record) => self.write_somewhere(record),
            Change::Remove(id) => {
                let path = self.folder.join(file_name(id));
                files::remove(&path, "record").map_err(|e| DiskError::new("remove", &path, &e))
            }
        }
    }

    fn write_somewhere(&mut self, record: &Record) -> Result<(), DiskError> {
        match self.write(record) {
            // Somebody removed the folder. Whoever holds in memory what was in it can write it again.
            // (Not so the state folder: our lock was in it, and another daemon may make its own.)
            Err(error) if error.kind == DiskErrorKind::Gone && self.state_dir.is_dir() => {
                tracing::warn!(folder = %self.folder.display(), "made the records' folder anew");
                self.made_anew = true;
                files::own_folder(&self.folder)?;
                // Whoever removed it may have removed the index as well.
                self.index.write_anew();
                self.write(record)
            }
            other => other,
        }
    }

    fn write(&self, record: &Record) -> Result<(), DiskError> {
        let name = file_name(&record.key.id);
        let bytes = document::to_bytes(record, &self.identity)
            .map_err(|e| DiskError::new("write", &self.folder.join(&name), &e.into()))?;
        let temporary = format!("{}{}", self.temporary, record.key.id);
        let what = format!("record-{}", record.stage.name());
        files::replace(&self.folder, &name, &temporary, &bytes, &what)
    }

    fn load_one(&self, path: PathBuf, stem: &str) -> Loaded {
        read(&self.identity, &path, stem).unwrap_or_else(|why| {
            let moved_to = self.set_aside(&path);
            Loaded::Damaged(Damage { path, moved_to, why })
        })
    }

    /// Moves a file to `damaged/`, under a name that is free there.
    fn set_aside(&self, path: &Path) -> Result<PathBuf, DiskError> {
        files::own_folder(&self.damaged)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let free = self.damaged.join(files::free_name(&self.damaged, &name)?);
        files::rename(path, &free, "damaged").map_err(|e| DiskError::new("set aside", path, &e))?;
        files::sync_folder(&self.damaged, "damaged")?;
        files::sync_folder(&self.folder, "records")?;
        Ok(free)
    }
}

/// What is in a file that is called after `stem`; or what is wrong with it, if it is no whole record. Leaves it
/// alone.
pub(super) fn read(identity: &Identity, path: &Path, stem: &str) -> Result<Loaded, String> {
    match files::read_regular(path, LONGEST_RECORD) {
        Err(e) => {
            let why = DiskError::new("read", path, &e);
            Ok(Loaded::Unreadable { path: path.to_owned(), why })
        }
        Ok(None) => Err("it is no file, or far too long".to_owned()),
        Ok(Some(bytes)) => understand(identity, path, stem, &bytes),
    }
}

fn understand(
    identity: &Identity,
    path: &Path,
    stem: &str,
    bytes: &[u8],
) -> Result<Loaded, String> {
    let id = SessionId::parse(stem).ok_or("its name is not a session's")?;
    // Mostly it is a good one of ours; only else it is asked whose and which version's it is.
    if let Ok(found) = document::from_bytes(bytes)
        && found.machine == identity.machine
        && found.record.key.id == id
    {
        let same_boot = found.boot == identity.boot;
        return Ok(Loaded::Record { record: found.record, same_boot });
    }
    let head: Head = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
    if head.machine.is_some_and(|machine| machine != identity.machine) {
        return Ok(Loaded::Foreign { path: path.to_owned() });
    }
    if head.version > VERSION {
        return Ok(Loaded::Newer { path: path.to_owned(), version: head.version });
    }
    if head.version == 0 {
        return Err(format!("there is no version {}", head.version));
    }
    let found = document::from_bytes(bytes)?;
    Err(format!("it is about session {}", found.record.key.id))
}

/// What is the same of many sessions, as it mostly is, is in memory once.
fn share(abouts: &mut HashSet<Arc<About>>, about: &mut Arc<About>) {
    match abouts.get(about) {
        Some(same) => *about = Arc::clone(same),
        None => drop(abouts.insert(Arc::clone(about))),
    }
}

fn file_name(id: &SessionId) -> String {
    format!("{id}.json")
}
