//! How many attempts are out to each origin, and whose turn it is.
//!
//! Each origin has slots of its own, so that a dead server never delays another one's revocations.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Key, SessionId};

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Slots {
    /// How many may be out to one origin.
    width: usize,
    /// The attempts that are out, and where to.
    out: BTreeMap<Key, String>,
    lines: BTreeMap<String, Line>,
}

/// The sessions of one origin.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
struct Line {
    out: usize,
    /// Who waits, the longest first: when the attempt fell due, and the session.
    waiting: BTreeSet<(u64, SessionId)>,
}

impl Slots {
    pub(crate) fn new(width: usize) -> Self {
        Self { width: width.max(1), out: BTreeMap::new(), lines: BTreeMap::new() }
    }

    /// So many may be out to one origin from now on; those that are out stay out.
    pub(crate) fn resize(&mut self, width: usize) {
        self.width = width.max(1);
    }

    /// The session's attempt fell due then and waits for a slot.
    pub(crate) fn enqueue(&mut self, origin: &str, due: u64, id: &SessionId) {
        if !self.lines.contains_key(origin) {
            self.lines.insert(origin.to_owned(), Line::default());
        }
        if let Some(line) = self.lines.get_mut(origin) {
            line.waiting.insert((due, id.clone()));
        }
    }

    /// It waits no more.
    pub(crate) fn dequeue(&mut self, origin: &str, due: u64, id: &SessionId) {
        if let Some(line) = self.lines.get_mut(origin) {
            line.waiting.remove(&(due, id.clone()));
            self.tidy(origin);
        }
    }

    /// The next session that has a slot, which it leaves the line for.
    pub(crate) fn next(&mut self) -> Option<SessionId> {
        let width = self.width;
        let line = self.lines.values_mut().find(|l| l.out < width && !l.waiting.is_empty())?;
        line.waiting.pop_first().map(|(_, id)| id)
    }

    /// The attempt is out.
    pub(crate) fn take(&mut self, origin: &str, key: &Key) {
        self.lines.entry(origin.to_owned()).or_default().out += 1;
        self.out.insert(key.clone(), origin.to_owned());
    }

    /// The attempt was answered, whatever became of its session meanwhile.
    pub(crate) fn release(&mut self, key: &Key) {
        let Some(origin) = self.out.remove(key) else { return };
        if let Some(line) = self.lines.get_mut(&origin) {
            line.out = line.out.saturating_sub(1);
        }
        self.tidy(&origin);
    }

    fn tidy(&mut self, origin: &str) {
        if self.lines.get(origin).is_some_and(|l| l.out == 0 && l.waiting.is_empty()) {
            self.lines.remove(origin);
        }
    }
}
