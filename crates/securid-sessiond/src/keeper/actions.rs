//! What the machine wants, carried out.

use securid_session::{Action, Denial, Event, Key, Origin};
use tracing::{debug, warn};

use super::{Keeper, views};
use crate::clock;

impl Keeper {
    /// Feeds the machine, carries out what it wants, and tells those who wait.
    pub(super) fn event(&mut self, event: Event) -> Option<Denial> {
        let about = key_of(&event).cloned();
        let only_time = event == Event::Tick;
        let seen = self.auditing.before(&self.machine, &event);
        let due = self.machine.wakes_at();
        let actions = self.machine.handle(clock::now(), event);
        self.stirred |= self.machine.wakes_at() != due;
        self.auditing.after(&self.machine, seen, &actions);
        self.note_changes();
        if !only_time || !actions.is_empty() {
            self.stirred = true;
            self.standing.note_change();
        }
        let mut denial = None;
        for action in actions {
            self.auditing.sees(&action);
            match action {
                Action::Write(record) => {
                    debug!(session = %record.key.id, stage = record.stage.name(), "writing");
                    self.errands.write(record);
                }
                Action::Archive(record) => self.errands.archive(&record),
                Action::Remove(key) => {
                    let end = self.auditing.end_of(&self.machine, &key);
                    self.errands.remove(key, end);
                }
                Action::Store(key) => self.store(key),
                Action::Fetch(key) => {
                    if let Some(about) = self.about(&key) {
                        self.errands.fetch(key, &about);
                    }
                }
                Action::Delete(key) => {
                    if let Some(about) = self.about(&key) {
                        self.errands.delete(key, &about);
                    }
                }
                Action::Attempt(key) => self.attempt(key),
                Action::Acknowledge(key) => self.acknowledge(&key),
                Action::Reject(key, why) => self.reject(&key, why),
                Action::Lend(_) => {}
                Action::Deny(why) => denial = Some(why),
                Action::Wipe(key) => {
                    self.tokens.remove(&key);
                    self.troubles.wipe(&key);
                    self.note_drained(&key);
                }
            }
        }
        if let Some(key) = about {
            let known = views::Known { machine: &self.machine, troubles: &self.troubles };
            self.logouts.changed(known, &key);
        }
        denial
    }

    fn store(&self, key: Key) {
        match (self.about(&key), self.tokens.get(&key)) {
            (Some(about), Some(token)) => self.errands.store(key, &about, token),
            // The machine stores only what it was given.
            _ => warn!(session = %key.id, "there is nothing to store"),
        }
    }

    fn attempt(&self, key: Key) {
        match (self.about(&key), self.tokens.get(&key)) {
            (Some(about), Some(token)) => {
                let deadline = self.config.now().revocation.attempt_timeout;
                self.errands.attempt(key, self.ways_to(&about.origin), token.clone(), deadline);
            }
            // The machine attempts only what is in hand.
            _ => warn!(session = %key.id, "there is no token to revoke"),
        }
    }

    /// The session's own settings for its URL, then those that the config has for the same one now:
    /// the token goes nowhere else, and a CA file may have been moved.
    pub(super) fn ways_to(&self, origin: &Origin) -> Vec<Origin> {
        let mut ways = vec![origin.clone()];
        for instance in self.config.now().instances.values() {
            let other = instance.origin();
            if other.url == origin.url && !ways.contains(&other) {
                ways.push(other);
            }
        }
        ways
    }
}

/// The token that an event is about, if it is about one.
pub(super) fn key_of(event: &Event) -> Option<&Key> {
    match event {
        Event::Written { key, .. }
        | Event::Archived { key, .. }
        | Event::Removed { key, .. }
        | Event::Stored { key, .. }
        | Event::Fetched { key, .. }
        | Event::Deleted { key, .. }
        | Event::Answered { key, .. }
        | Event::Abandon { key }
        | Event::Release { key }
        | Event::CallEnded { key }
        | Event::Orphan { key, .. } => Some(key),
        _ => None,
    }
}
