//! The state folder at a start: its lock, and what an earlier daemon left there.

use std::path::{Path, PathBuf};

use securid_session::{Record, SessionId};
use securid_store::{
    Damage, Identity, Loaded, Namespace, RecordFolder, SealedPlace, StateLock, crash, filed_under,
};
use tracing::warn;

use crate::failure::Failure;

/// The folder of records that were set aside.
pub(crate) const DAMAGED: &str = "damaged";

/// The state folder; no other daemon uses it as long as this lives.
pub(crate) struct State {
    pub(crate) namespace: Namespace,
    /// The sealed file. Where its key is, the config says.
    pub(crate) sealed: SealedPlace,
    pub(crate) records: RecordFolder,
    /// Where all of it is.
    pub(crate) folder: PathBuf,
    pub(crate) found: Found,
    pub(crate) lock: StateLock,
}

/// What was found there.
#[derive(Default)]
pub(crate) struct Found {
    /// The records, and whether each is of this boot.
    pub(crate) records: Vec<(Record, bool)>,
    /// Sessions whose records are or were damaged: their secrets may be found by name. Those of
    /// earlier starts count as well, for nobody knows how far such a start came.
    pub(crate) damaged: Vec<SessionId>,
    /// Sessions without a readable record, and the store that the index names for each.
    pub(crate) unrecorded: Vec<(SessionId, String)>,
    /// Sessions whose records this version leaves alone.
    pub(crate) left_alone: Vec<SessionId>,
    /// How many of these are this machine's, and could not be read by this version, or not at all.
    pub(crate) unreadable: usize,
    /// For people: records left alone, files set aside.
    pub(crate) problems: Vec<String>,
}

impl State {
    /// Whether anything is recorded there, whoever's it is; by names alone, and without the lock.
    ///
    /// # Errors
    /// If the folder is there and cannot be read: then nobody knows.
    pub(crate) fn is_anything_in(folder: &Path) -> Result<bool, Failure> {
        Ok(RecordFolder::any(folder, &Identity::read()?)? || !set_aside(folder).is_empty())
    }

    /// Takes the lock and reads all records.
    ///
    /// # Errors
    /// If another daemon has the lock, or the folder cannot be used.
    pub(crate) fn open(folder: &Path) -> Result<Self, Failure> {
        let lock = StateLock::take(folder)?;
        crash::point("load.locked", "");
        let identity = Identity::read()?;
        let namespace = Namespace::new(&identity.machine, &filed_under(folder, &identity)?);
        let sealed = SealedPlace::new(folder, &identity, None);
        let mut records = RecordFolder::open(folder, identity)?;
        let mut found = Found::default();
        for loaded in records.load()? {
            found.note(loaded);
        }
        let aside = set_aside(folder);
        if !aside.is_empty() {
            let (place, files) = (folder.join(DAMAGED), aside.len());
            found.problems.push(format!(
                "{} has {files} damaged files: look at them, then remove them",
                place.display()
            ));
        }
        found.damaged.extend(aside.iter().filter_map(|path| id_of(path)));
        found.damaged.sort();
        found.damaged.dedup();
        for problem in &found.problems {
            warn!("{problem}");
        }
        found.damaged.retain(|id| found.unrecorded.iter().all(|(other, _)| other != id));
        crash::point("load.read", found.records.len());
        let folder = folder.to_owned();
        Ok(Self { namespace, sealed, records, folder, found, lock })
    }
}

impl Found {
    /// Whether there is nothing that this daemon could revoke.
    pub(crate) fn is_nothing(&self) -> bool {
        self.records.is_empty() && self.damaged.is_empty() && self.unrecorded.is_empty()
    }

    fn note(&mut self, loaded: Loaded) {
        let id = loaded.id();
        let problem = match loaded {
            Loaded::Record { record, same_boot } => {
                return self.records.push((record, same_boot));
            }
            Loaded::Unrecorded { id, keyring } => return self.unrecorded.push((id, keyring)),
            Loaded::DamagedIndex { problem } => problem,
            Loaded::Foreign { path } => {
                self.left_alone.extend(id);
                format!("{} is another machine's record: left alone", path.display())
            }
            Loaded::Newer { path, version } => {
                self.left_alone.extend(id);
                self.unreadable += 1;
                format!("{} is of a newer version ({version}): left alone", path.display())
            }
            Loaded::Unreadable { why, .. } => {
                self.left_alone.extend(id);
                self.unreadable += 1;
                format!("{why}: left alone")
            }
            Loaded::Damaged(damage) => {
                self.damaged.extend(id);
                told(&damage)
            }
        };
        self.problems.push(problem);
    }
}

fn told(damage: &Damage) -> String {
    let now = match &damage.moved_to {
        Ok(place) => format!("set aside as {}", place.display()),
        Err(error) => format!("left where it is, for {error}"),
    };
    format!("{} is damaged ({}): {now}", damage.path.display(), damage.why)
}

/// The records that were set aside, until a person has looked at them and removed them.
pub(crate) fn set_aside(state_dir: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(state_dir.join(DAMAGED)).into_iter().flatten();
    files.filter_map(|file| Some(file.ok()?.path())).collect()
}

/// The session that a record's file is named after: `ID.json`, or `ID.json.1` where that was set
/// aside before.
fn id_of(path: &Path) -> Option<SessionId> {
    let (id, _) = path.file_name()?.to_str()?.split_once('.')?;
    SessionId::parse(id)
}
