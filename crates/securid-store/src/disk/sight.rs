//! A look at a state folder that changes nothing. It needs no lock, and what it sees may be over a moment later.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use securid_session::{Record, SessionId};

use super::error::{DiskError, DiskErrorKind};
use super::filed;
use super::folder::{self, Loaded};
use super::identity::Identity;
use super::index::Index;

/// What is in a state folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sight {
    /// The path that its secrets are filed under ([`filed_under`](super::filed_under)).
    pub filed_under: PathBuf,
    /// This machine's records.
    pub records: Vec<Record>,
    /// Every session that has a file, whatever is in it.
    pub filed: BTreeSet<SessionId>,
    /// Sessions without a file, and the store that the index names for each.
    pub unrecorded: Vec<(SessionId, String)>,
    /// Other machines' records.
    pub foreign: Vec<PathBuf>,
    /// Records of a newer version of this program.
    pub newer: Vec<PathBuf>,
    /// Files that are no whole records, and what is wrong with each.
    pub damaged: Vec<(PathBuf, String)>,
    /// Files that could not be read.
    pub unreadable: Vec<DiskError>,
    /// How many lines of the index make no sense.
    pub strange_lines: usize,
}

impl Sight {
    /// Looks; none if the folder is not there.
    ///
    /// # Errors
    /// If folder or index cannot be read, or the folder is a copy of one that is still in its place.
    pub fn of(state_dir: &Path, identity: &Identity) -> Result<Option<Self>, DiskError> {
        let filed_under = match filed::look(state_dir, identity) {
            Ok((path, _)) => path,
            Err(error) if error.kind == DiskErrorKind::Gone => return Ok(None),
            Err(error) => return Err(error),
        };
        // The index first: whoever is taken in meanwhile has a record by then, or is not known yet.
        let (index, strange_lines) = Index::look(state_dir, identity)?;
        let mut sight = Self {
            filed_under,
            records: Vec::new(),
            filed: BTreeSet::new(),
            unrecorded: Vec::new(),
            foreign: Vec::new(),
            newer: Vec::new(),
            damaged: Vec::new(),
            unreadable: Vec::new(),
            strange_lines,
        };
        let folder = state_dir.join("sessions");
        let failed = |e| DiskError::new("read", &folder, &e);
        match fs::read_dir(&folder) {
            Ok(files) => {
                for file in files {
                    sight.note(identity, &file.map_err(failed)?.path());
                }
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(failed(e)),
        }
        let unrecorded = index.sessions().filter(|(id, _)| !sight.filed.contains(*id));
        sight.unrecorded = unrecorded.map(|(id, store)| (id.clone(), store.to_owned())).collect();
        Ok(Some(sight))
    }

    fn note(&mut self, identity: &Identity, path: &Path) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let Some(stem) = name.strip_suffix(".json") else { return };
        let loaded = folder::read(identity, path, stem);
        // It was ended and cleared up just now.
        if let Ok(Loaded::Unreadable { why, .. }) = &loaded
            && why.kind == DiskErrorKind::Gone
        {
            return;
        }
        self.filed.extend(SessionId::parse(stem));
        match loaded {
            Ok(Loaded::Record { record, .. }) => self.records.push(record),
            Ok(Loaded::Foreign { path }) => self.foreign.push(path),
            Ok(Loaded::Newer { path, .. }) => self.newer.push(path),
            Ok(Loaded::Unreadable { why, .. }) => self.unreadable.push(why),
            // The others come of the index, or of what is set aside.
            Ok(_) => {}
            Err(why) => self.damaged.push((path.to_owned(), why)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeMap;

    use super::*;
    use crate::RecordFolder;

    fn here() -> Identity {
        Identity { machine: "0123456789abcdef".repeat(2), boot: "boot-1".to_owned() }
    }

    /// Every file below, and what is in it.
    fn all(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        for path in fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()) {
            if path.is_dir() {
                found.extend(all(&path));
            } else {
                found.insert(path.clone(), fs::read(&path).unwrap());
            }
        }
        found
    }

    #[test]
    fn all_sorts_are_seen_and_nothing_is_changed() {
        let home = tempfile::tempdir().unwrap();
        let state = home.path().join("state");
        assert_eq!(Sight::of(&state, &here()).unwrap(), None);
        drop(RecordFolder::open(&state, here()).unwrap());
        let file = |id: u64, text: &str| {
            let name = format!("{}.json", SessionId::from_bits(id));
            fs::write(state.join("sessions").join(name), text).unwrap();
        };
        let machine = here().machine;
        file(1, "{");
        file(2, r#"{"version":1,"machine":"another"}"#);
        file(3, &format!(r#"{{"version":99,"machine":"{machine}"}}"#));
        let index = format!("index-{}", here().short());
        let line =
            |id| format!("{{\"id\":\"{}\",\"keyring\":\"test\"}}\n", SessionId::from_bits(id));
        let lines = format!("{}noise\n{}", line(1), line(4));
        fs::write(state.join(index), lines).unwrap();

        let before = all(&state);
        let sight = Sight::of(&state, &here()).unwrap().unwrap();
        assert_eq!(all(&state), before);
        let counts = [&sight.foreign, &sight.newer].map(Vec::len);
        assert_eq!((counts, sight.damaged.len(), sight.strange_lines), ([1, 1], 1, 1));
        assert_eq!(sight.filed.len(), 3);
        assert_eq!(sight.unrecorded, [(SessionId::from_bits(4), "test".to_owned())]);
        assert_eq!(sight.filed_under, state.canonicalize().unwrap());
    }
}
