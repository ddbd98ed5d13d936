//! The folder of records, a file for each session.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use securid_session::{Record, SessionId};

use super::document::{self, Head, VERSION};
use super::error::{DiskError, DiskErrorKind};
use super::files;
use super::identity::Identity;

/// A record is about 1 KiB; what is longer than this is none of ours.
const LONGEST_RECORD: u64 = 256 * 1024;

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
        /// The session.
        id: SessionId,
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
        files::own_folder(state_dir)?;
        let folder = state_dir.join("sessions");
        files::own_folder(&folder)?;
        // The folder's own name must survive a power cut too, before anything in it counts.
        files::sync_folder(state_dir)?;
        let short: String = identity.machine.chars().take(8).collect();
        Ok(Self {
            state_dir: state_dir.to_owned(),
            folder,
            damaged: state_dir.join("damaged"),
            identity,
            temporary: format!(".tmp-{short}-"),
        })
    }

    /// Whether a state folder has any record, whoever's. Looks at names alone and changes nothing, so
    /// it needs no lock.
    ///
    /// # Errors
    /// If the folder is there and cannot be read: then nobody knows.
    pub fn any(state_dir: &Path) -> Result<bool, DiskError> {
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

    /// Reads every record; the same order each time. Sets aside what is damaged, and clears away what
    /// a crash left half-written.
    ///
    /// # Errors
    /// If the folder itself cannot be read.
    pub fn load(&self) -> Result<Vec<Loaded>, DiskError> {
        let failed = |e| DiskError::new("read", &self.folder, &e);
        let mut names = Vec::new();
        for file in fs::read_dir(&self.folder).map_err(failed)? {
            names.push(file.map_err(failed)?.file_name());
        }
        names.sort();
        let mut found = Vec::new();
        for name in names {
            let path = self.folder.join(&name);
            let name = name.to_string_lossy();
            if name.starts_with(&self.temporary) {
                // A leftover does no harm; the next write of that session replaces it.
                let _ = fs::remove_file(&path);
            } else if let Some(stem) = name.strip_suffix(".json") {
                found.push(self.load_one(path, stem));
            }
        }
        Ok(found)
    }

    /// Writes records, so that they survive a power cut. The folder is synced once for all of them;
    /// a record that fails does not keep the others from being written. Answers in the same order.
    #[must_use = "a record that was not written must not be acknowledged"]
    pub fn write_batch(&self, records: &[Record]) -> Vec<Result<(), DiskError>> {
        let changes: Vec<_> = records.iter().cloned().map(Change::Write).collect();
        self.apply(&changes)
    }

    /// Removes a record, so that it does not come back after a power cut. It is fine if there is none.
    ///
    /// # Errors
    /// If it may still be there.
    pub fn remove(&self, id: &SessionId) -> Result<(), DiskError> {
        self.apply(&[Change::Remove(id.clone())]).into_iter().collect()
    }

    pub(super) fn path(&self) -> &Path {
        &self.folder
    }

    pub(super) fn apply(&self, changes: &[Change]) -> Vec<Result<(), DiskError>> {
        let mut done: Vec<_> = changes.iter().map(|change| self.apply_one(change)).collect();
        if done.iter().any(Result::is_ok)
            && let Err(error) = files::sync_folder(&self.folder)
        {
            done.iter_mut().filter(|one| one.is_ok()).for_each(|one| *one = Err(error.clone()));
        }
        done
    }

    fn apply_one(&self, change: &Change) -> Result<(), DiskError> {
        match change {
            Change::Write(record) => match self.write(record) {
                // Somebody removed the folder. The records that were in it are gone, but whoever
                // holds them in memory can write them again only if there is a folder. (Not so the
                // state folder: our lock was in it, and another daemon may make its own.)
                Err(error) if error.kind == DiskErrorKind::Gone && self.state_dir.is_dir() => {
                    tracing::warn!(folder = %self.folder.display(), "made the records' folder anew");
                    files::own_folder(&self.folder)?;
                    files::sync_folder(&self.state_dir)?;
                    self.write(record)
                }
                other => other,
            },
            Change::Remove(id) => {
                let path = self.folder.join(file_name(id));
                match fs::remove_file(&path) {
                    Err(e) if e.kind() != io::ErrorKind::NotFound => {
                        Err(DiskError::new("remove", &path, &e))
                    }
                    _ => Ok(()),
                }
            }
        }
    }

    fn write(&self, record: &Record) -> Result<(), DiskError> {
        let name = file_name(&record.key.id);
        let bytes = document::to_bytes(record, &self.identity)
            .map_err(|e| DiskError::new("write", &self.folder.join(&name), &e.into()))?;
        let temporary = format!("{}{}", self.temporary, record.key.id);
        files::replace(&self.folder, &name, &temporary, &bytes)
    }

    fn load_one(&self, path: PathBuf, stem: &str) -> Loaded {
        let read = fs::symlink_metadata(&path).and_then(|about| {
            if about.is_file() { files::read_at_most(&path, LONGEST_RECORD) } else { Ok(None) }
        });
        let understood = match read {
            Err(e) => {
                let why = DiskError::new("read", &path, &e);
                return Loaded::Unreadable { path, why };
            }
            Ok(None) => Err("it is no file, or far too long".to_owned()),
            Ok(Some(bytes)) => self.understand(&path, stem, &bytes),
        };
        understood.unwrap_or_else(|why| {
            let moved_to = self.set_aside(&path);
            Loaded::Damaged(Damage { path, moved_to, why })
        })
    }

    fn understand(&self, path: &Path, stem: &str, bytes: &[u8]) -> Result<Loaded, String> {
        let id = SessionId::parse(stem).ok_or("its name is not a session's")?;
        let head: Head = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
        if head.machine.is_some_and(|machine| machine != self.identity.machine) {
            return Ok(Loaded::Foreign { path: path.to_owned(), id });
        }
        if head.version > VERSION {
            return Ok(Loaded::Newer { path: path.to_owned(), version: head.version });
        }
        if head.version != VERSION {
            return Err(format!("there is no version {}", head.version));
        }
        let (record, boot) = document::from_bytes(bytes)?;
        if record.key.id != id {
            return Err(format!("it is about session {}", record.key.id));
        }
        Ok(Loaded::Record { record, same_boot: boot == self.identity.boot })
    }

    /// Moves a file to `damaged/`, under a name that is free there.
    fn set_aside(&self, path: &Path) -> Result<PathBuf, DiskError> {
        files::own_folder(&self.damaged)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let free = (0_u32..)
            .map(|n| {
                self.damaged.join(if n == 0 { name.to_string() } else { format!("{name}.{n}") })
            })
            .find(|place| fs::symlink_metadata(place).is_err())
            .ok_or_else(|| DiskError::refused(&self.damaged, "it is full of files".to_owned()))?;
        fs::rename(path, &free).map_err(|e| DiskError::new("set aside", path, &e))?;
        files::sync_folder(&self.damaged)?;
        files::sync_folder(&self.folder)?;
        Ok(free)
    }
}

fn file_name(id: &SessionId) -> String {
    format!("{id}.json")
}
