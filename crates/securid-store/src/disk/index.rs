//! Which sessions may have a secret, and in which store: kept beside the records, because not every
//! store can be searched, and a secret whose record is gone has to be found all the same.
//!
//! Lines of JSON, only ever added: `{"id":…,"keyring":…}` before the secret can be there, and
//! `{"id":…,"gone":true}` after it has gone. One of the latter that is lost costs a look into the
//! keyring at each start; the former are synced before they count.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use securid_session::SessionId;
use serde::{Deserialize, Serialize};

use super::error::DiskError;
use super::identity::Identity;
use crate::files;

/// More lines than this that tell of nothing any more, and more than those that do, and the file is
/// written anew: some 60 KiB, which is read in no time.
const IDLE_LINES: usize = 1_000;

/// 10,000 sessions and as many idle lines are about 1 MiB; a file beyond this is none of ours.
const LONGEST: u64 = 16 * 1024 * 1024;

/// The index of one machine in one state folder.
#[derive(Debug)]
pub(super) struct Index {
    state_dir: PathBuf,
    name: String,
    /// The sessions, and the store of each: there are few, and their names are in memory once.
    live: BTreeMap<SessionId, Arc<str>>,
    stores: BTreeSet<Arc<str>>,
    /// How many lines of the file tell of nothing any more.
    idle: usize,
    /// Whether the file's own name survives a power cut.
    name_is_durable: bool,
    /// Why it cannot be read: then it is not written either.
    unusable: Option<DiskError>,
    /// Whether it has damaged lines of which there is no copy: then it is only added to.
    is_left_alone: bool,
}

impl Index {
    /// Reads it; there is none yet at first. Gives back, too, what people should know of it. Whatever
    /// is wrong with it, the records count, so that is no reason not to start: damage is copied to
    /// `damaged`, or else left where it is.
    pub(super) fn open(
        state_dir: &Path,
        damaged: &Path,
        identity: &Identity,
    ) -> (Self, Option<String>) {
        let mut index = Self::new(state_dir, identity);
        let text = match index.text() {
            Ok(text) => text,
            Err(error) => {
                let problem = format!("the index of sessions: {error}; nothing new is taken in");
                index.unusable = Some(error);
                return (index, Some(problem));
            }
        };
        let whole = whole(&text);
        let strange = index.take_all(whole);
        let problem = (strange > 0).then(|| {
            let kept = match index.set_aside(damaged, &text) {
                Ok(place) => format!("a copy is {}", place.display()),
                Err(error) => {
                    index.is_left_alone = true;
                    format!("they stay where they are, for {error}")
                }
            };
            let lines = match strange {
                1 => "a line of the index of sessions is".to_owned(),
                lines => format!("{lines} lines of the index of sessions are"),
            };
            format!("{lines} damaged: {kept}")
        });
        if (strange > 0 || whole.len() < text.len()) && !index.is_left_alone {
            index.write_anew();
        }
        (index, problem)
    }

    /// Copies the damaged file, under a name that is free there.
    fn set_aside(&self, damaged: &Path, text: &[u8]) -> Result<PathBuf, DiskError> {
        files::own_folder(damaged)?;
        let name = files::free_name(damaged, &self.name)?;
        files::replace(damaged, &name, &format!(".tmp-{name}"), text, "damaged")?;
        files::sync_folder(damaged, "damaged")?;
        Ok(damaged.join(name))
    }

    /// Whether it knows any session. Changes nothing, whatever is in it.
    ///
    /// # Errors
    /// If it is there and cannot be read.
    pub(super) fn any(state_dir: &Path, identity: &Identity) -> Result<bool, DiskError> {
        let (index, strange) = Self::look(state_dir, identity)?;
        // Nobody knows what a line was about that makes no sense.
        Ok(strange > 0 || !index.live.is_empty())
    }

    /// What is in it, and how many lines make no sense. Changes nothing.
    ///
    /// # Errors
    /// If it is there and cannot be read.
    pub(super) fn look(state_dir: &Path, identity: &Identity) -> Result<(Self, usize), DiskError> {
        let mut index = Self::new(state_dir, identity);
        let text = index.text()?;
        let strange = index.take_all(whole(&text));
        Ok((index, strange))
    }

    fn new(state_dir: &Path, identity: &Identity) -> Self {
        Self {
            state_dir: state_dir.to_owned(),
            // In a home that machines share, each has its own.
            name: format!("index-{}", identity.short()),
            live: BTreeMap::new(),
            stores: BTreeSet::new(),
            idle: 0,
            name_is_durable: false,
            unusable: None,
            is_left_alone: false,
        }
    }

    /// What is in the file; nothing if there is none.
    fn text(&self) -> Result<Vec<u8>, DiskError> {
        let path = self.path();
        let failed = |e| DiskError::new("read", &path, &e);
        match files::read_at_most(&path, LONGEST) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(e) => Err(failed(e)),
            Ok(None) => Err(failed(io::Error::other("it is far too long"))),
            Ok(Some(text)) => Ok(text),
        }
    }

    /// The sessions that it knows, and the store of each.
    pub(super) fn sessions(&self) -> impl Iterator<Item = (&SessionId, &str)> {
        self.live.iter().map(|(id, keyring)| (id, &**keyring))
    }

    /// Notes those that it does not know yet; they are on disk when this returns.
    ///
    /// # Errors
    /// If they may not be.
    pub(super) fn add<'a>(
        &mut self,
        sessions: impl Iterator<Item = (&'a SessionId, &'a str)>,
    ) -> Result<(), DiskError> {
        let new: BTreeMap<_, _> = sessions.filter(|(id, _)| !self.live.contains_key(id)).collect();
        if new.is_empty() {
            return Ok(());
        }
        if let Some(error) = &self.unusable {
            return Err(error.clone());
        }
        if !self.path().exists() {
            self.name_is_durable = false;
        }
        self.append(new.iter().map(|(id, keyring)| Line::there(id, keyring)), true)?;
        if !self.name_is_durable {
            files::sync_folder(&self.state_dir, "index")?;
            self.name_is_durable = true;
        }
        for (id, keyring) in new {
            self.note(id.clone(), keyring);
        }
        Ok(())
    }

    fn note(&mut self, id: SessionId, keyring: &str) {
        let known = self.stores.get(keyring).map(Arc::clone);
        let store = known.unwrap_or_else(|| {
            let store = Arc::from(keyring);
            self.stores.insert(Arc::clone(&store));
            store
        });
        self.live.insert(id, store);
    }

    /// Forgets sessions whose secret is gone. If that fails, or a power cut undoes it, each later
    /// start asks the keyring in vain.
    pub(super) fn remove<'a>(&mut self, ids: impl Iterator<Item = &'a SessionId>) {
        let gone: Vec<_> = ids.filter(|id| self.live.remove(id).is_some()).collect();
        if gone.is_empty() {
            return;
        }
        self.idle += 2 * gone.len();
        if self.idle > IDLE_LINES && self.idle > self.live.len() && !self.is_left_alone {
            self.write_anew();
        } else if self.unusable.is_none()
            && let Err(error) = self.append(gone.into_iter().map(Line::gone), false)
        {
            tracing::debug!(%error, "the index still names sessions that are gone");
        }
    }

    /// Writes what it knows in place of the file. If that fails, the file stays as it is.
    pub(super) fn write_anew(&mut self) {
        if self.unusable.is_none()
            && let Err(error) = self.rewrite()
        {
            tracing::warn!(%error, "the index of sessions could not be written anew");
        }
    }

    fn path(&self) -> PathBuf {
        self.state_dir.join(&self.name)
    }

    fn append(&self, lines: impl Iterator<Item = Line>, synced: bool) -> Result<(), DiskError> {
        let path = self.path();
        let failed = |e| DiskError::new("write", &path, &e);
        let text = text(lines).map_err(failed)?;
        files::append(&path, &text, synced, "index").map_err(failed)
    }

    fn rewrite(&mut self) -> Result<(), DiskError> {
        let lines = self.sessions().map(|(id, keyring)| Line::there(id, keyring));
        let text = text(lines).map_err(|e| DiskError::new("write", &self.path(), &e))?;
        let temporary = format!(".tmp-{}", self.name);
        self.name_is_durable = false;
        files::replace(&self.state_dir, &self.name, &temporary, &text, "index")?;
        files::sync_folder(&self.state_dir, "index")?;
        self.name_is_durable = true;
        self.idle = 0;
        Ok(())
    }

    /// Takes lines in; how many of them make no sense.
    fn take_all(&mut self, whole: &[u8]) -> usize {
        whole.split(|&b| b == b'\n').filter(|line| !self.take(line)).count()
    }

    /// Takes a line in; not if it makes no sense.
    fn take(&mut self, line: &[u8]) -> bool {
        if line.is_empty() {
            return true;
        }
        let Ok(line) = serde_json::from_slice::<Line>(line) else { return false };
        let Some(id) = SessionId::parse(&line.id) else { return false };
        match (line.keyring, line.gone) {
            (Some(keyring), false) => self.note(id, &keyring),
            (None, true) => {
                self.live.remove(&id);
                self.idle += 2;
            }
            _ => return false,
        }
        true
    }
}

/// What was written to its end. A crash may leave part of a line, or zeros where one was to be: that
/// is no damage, for whatever counts was synced.
fn whole(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
    let (lines, rest) = text.split_at(end);
    let rest = rest.split(|&b| b == 0).next().unwrap_or_default();
    if serde_json::from_slice::<Line>(rest).is_ok() { &text[..end + rest.len()] } else { lines }
}

fn text(lines: impl Iterator<Item = Line>) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    for line in lines {
        serde_json::to_writer(&mut text, &line)?;
        text.push(b'\n');
    }
    Ok(text)
}

/// A line of the file: a session and its store, or that it is gone.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keyring: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    gone: bool,
}

impl Line {
    fn there(id: &SessionId, keyring: &str) -> Self {
        Self { id: id.to_string(), keyring: Some(keyring.to_owned()), gone: false }
    }

    fn gone(id: &SessionId) -> Self {
        Self { id: id.to_string(), keyring: None, gone: true }
    }
}

#[cfg(any(fuzzing, test))]
pub(crate) mod fuzz;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use std::fs;

    use proptest::prelude::*;

    use super::*;

    fn here() -> Identity {
        Identity { machine: "0123456789abcdef".repeat(2), boot: "boot-1".to_owned() }
    }

    fn open(state_dir: &Path) -> (Index, Option<String>) {
        Index::open(state_dir, &state_dir.join("damaged"), &here())
    }

    fn known(state_dir: &Path) -> Vec<(SessionId, String)> {
        let (index, problem) = open(state_dir);
        assert_eq!(problem, None);
        index.sessions().map(|(id, keyring)| (id.clone(), keyring.to_owned())).collect()
    }

    fn add(index: &mut Index, ids: std::ops::Range<u64>) {
        let ids: Vec<_> = ids.map(SessionId::from_bits).collect();
        index.add(ids.iter().map(|id| (id, "keyutils"))).unwrap();
    }

    fn private_folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    #[test]
    fn it_knows_after_a_restart_what_it_was_told() {
        let state = private_folder();
        let (mut index, _) = open(state.path());
        add(&mut index, 0..3);
        add(&mut index, 1..4);
        index.remove([SessionId::from_bits(1)].iter());
        let ids: Vec<_> = known(state.path()).into_iter().map(|(id, _)| id).collect();
        assert_eq!(ids, [0, 2, 3].map(SessionId::from_bits));
        let lines = fs::read_to_string(index.path()).unwrap().lines().count();
        assert_eq!(lines, 5, "what is known is not written again");
    }

    #[test]
    fn it_does_not_grow_for_ever() {
        let state = private_folder();
        let (mut index, _) = open(state.path());
        add(&mut index, 0..2);
        for n in 10..1_000 {
            add(&mut index, n..n + 1);
            index.remove([SessionId::from_bits(n)].iter());
        }
        let lines = fs::read_to_string(index.path()).unwrap().lines().count();
        assert!(lines <= IDLE_LINES + 2, "{lines}");
        assert_eq!(known(state.path()).len(), 2);
    }

    #[test]
    fn damage_that_cannot_be_copied_stays() {
        let state = private_folder();
        let (mut index, _) = open(state.path());
        add(&mut index, 0..2);
        let mut text = fs::read(index.path()).unwrap();
        text.extend_from_slice(b"noise\n");
        fs::write(index.path(), &text).unwrap();
        // In the way of the folder.
        fs::write(state.path().join("damaged"), "").unwrap();
        let (mut index, problem) = open(state.path());
        assert!(problem.unwrap().contains("stay where they are"));
        assert_eq!(fs::read(index.path()).unwrap(), text);
        add(&mut index, 2..3);
        index.remove([SessionId::from_bits(1)].iter());
        assert_eq!(index.sessions().count(), 2);
        assert!(fs::read(index.path()).unwrap().starts_with(&text));
    }

    #[test]
    fn one_that_cannot_be_read_takes_nothing_in() {
        let state = private_folder();
        fs::create_dir(open(state.path()).0.path()).unwrap();
        let (mut index, problem) = open(state.path());
        assert!(problem.unwrap().contains("nothing new is taken in"));
        let id = SessionId::from_bits(1);
        assert!(index.add([(&id, "keyutils")].into_iter()).is_err());
    }

    #[test]
    fn a_line_that_a_crash_cut_off_is_no_damage() {
        let state = private_folder();
        let (mut index, _) = open(state.path());
        add(&mut index, 0..2);
        let before = fs::read(index.path()).unwrap();
        add(&mut index, 2..3);
        let after = fs::read(index.path()).unwrap();
        for cut in before.len()..=after.len() {
            for zeros in [0, after.len() - cut, 4096] {
                let mut text = after[..cut].to_vec();
                text.resize(cut + zeros, 0);
                fs::write(index.path(), text).unwrap();
                let known = known(state.path()).len();
                assert_eq!(known, 2 + usize::from(cut + 1 >= after.len()), "{cut} and {zeros}");
                assert!(!state.path().join("damaged").exists());
                let (mut index, _) = open(state.path());
                add(&mut index, 7..8);
                assert_eq!(open(state.path()).1, None, "the next line is whole");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Whatever happens to some lines, the others count, and a copy of the whole is kept.
        #[test]
        fn damage_costs_only_the_damaged_lines(at in 0_usize..260, noise in "[^\n\0]{1,40}") {
            let state = private_folder();
            let (mut index, _) = open(state.path());
            add(&mut index, 0..4);
            let mut text = fs::read_to_string(index.path()).unwrap();
            let at = at.min(text.len());
            text.insert_str(at, &noise);
            fs::write(index.path(), &text).unwrap();
            let (after, problem) = open(state.path());
            let kept = after.sessions().filter(|(_, keyring)| *keyring == "keyutils").count();
            prop_assert!(kept >= 2, "{text:?}");
            if problem.is_some() {
                let copy = state.path().join("damaged").join(&index.name);
                prop_assert_eq!(fs::read_to_string(copy).unwrap(), text);
            }
            prop_assert_eq!(open(state.path()).1, None);
        }
    }
}
