//! What of a world decides what can come of it: worlds with one outline are one state.
//!
//! All that the world and its machine consist of goes in, by way of their own `Hash`, and what it is
//! made of is told apart by type and size:
//!
//! - *Moments* (`u64` from [`ERA`] on). One that is reached decides nothing any more by its age, so
//!   all of these are alike, and so is one that stems from an earlier boot (and lies far ahead by
//!   this one's clock): a limit is never reckoned from it. Of the others only their order counts: the
//!   alarm rings for the earliest. The limits of active sessions follow from moments that are
//!   reached, so they are computed and put beside them.
//! - *Generations* (other `u64`): only which are equal and which is newer counts, so a name can be
//!   used for ever.
//! - *Counters* (`u32`: failures in a row, attempts, holds): none or some. How many failures
//!   there were decides how long a wait is, not what happens after it.
//! - *The wall clock* (`i64`): it decides nothing.
//!
//! Of records, what the next daemon decides by; of what was seen of a token, what the rules can still
//! ask for in its phase.
//!
//! So two worlds may be taken for one in which waits that begin later differ in length, and the
//! alarms that follow ring in another order; no rule speaks of that order, and sessions share nothing
//! but the slots and the news that a place works again, which an answer can bring at any moment. Nor is
//! told apart how long ago a use was written, which decides only whether the next one is at once.

use std::hash::{DefaultHasher, Hash, Hasher};

use securid_session::{Action, Outcome, Phase, Record, Stage};

use crate::world::{BOOT, Ledger, World};

/// No generation and no span (limits and waits of these tests are shorter than a second) comes near
/// it, and no moment is before it.
const ERA: u64 = 1 << 50;

/// 64 bits: that among a million states any two differ and have one outline has a chance of one in
/// 30 million, and then a state would be missed, none invented.
pub(crate) fn outline(world: &World) -> u64 {
    let mut notes = Notes { words: Vec::with_capacity(512), ..Notes::default() };
    world.machine.hash(&mut notes);
    for record in world.disk.values() {
        what_is_read(record).hash(&mut notes);
    }
    world.of_earlier_boot.hash(&mut notes);
    world.keyring.hash(&mut notes);
    world.memory.hash(&mut notes);
    world.alive.hash(&mut notes);
    for errand in &world.errands {
        std::mem::discriminant(errand).hash(&mut notes);
        match errand {
            Action::Write(record) | Action::Archive(record) => {
                what_is_read(record).hash(&mut notes)
            }
            other => other.hash(&mut notes),
        }
    }
    world.hidden.hash(&mut notes);
    for (key, ledger) in &world.ledgers {
        (key, what_counts(ledger, world.phase(key))).hash(&mut notes);
    }
    world.stopping.hash(&mut notes);
    for session in world.machine.sessions() {
        session.idle_deadline().hash(&mut notes);
        session.expires_at().hash(&mut notes);
        // Whether a use is still to be written.
        let known = world.disk.get(session.id());
        known.is_some_and(|record| record.last_used == session.last_used()).hash(&mut notes);
    }
    notes.sum(world.now.since_boot)
}

/// What the rules may still ask of a token in this phase.
fn what_counts(ledger: &Ledger, phase: Option<Phase>) -> Ledger {
    let mut counts = ledger.clone();
    if ledger.acknowledged || ledger.handed_over {
        counts.excused = false;
        counts.handed_over = !ledger.acknowledged;
    }
    counts.unreached &= phase == Some(Phase::Revoking);
    if phase != Some(Phase::Adding) {
        counts.announced = false;
        counts.stored = false;
        counts.activated = false;
    }
    if phase == Some(Phase::Ended) || phase.is_none() {
        counts.asked = true;
        counts.intent_reported = false;
        counts.intent_durable &= phase.is_some() && !counts.ended;
        counts.confirmed |= counts.forgotten;
    }
    counts
}

/// What a daemon that is started with this record decides by; all else is for people.
fn what_is_read(record: &Record) -> impl Hash + '_ {
    let active = record.stage == Stage::Active;
    let used = record.in_use_until.map_or(record.last_used, |until| until.later(record.last_used));
    let limits = &record.about.limits;
    let idle = limits.idle.filter(|_| active).map(|idle| used.after(idle));
    let lifetime = limits.lifetime.filter(|_| active).map(|life| record.created.after(life));
    let forgotten =
        matches!(&record.stage, Stage::Ended(ending) if ending.outcome == Outcome::Forgotten);
    (&record.key, record.stage.name(), forgotten, active && record.held, idle, lifetime)
}

/// Takes down what a `Hash` is made of.
#[derive(Default)]
struct Notes {
    words: Vec<u64>,
    /// Where in `words` moments stand, and where generations.
    moments: Vec<usize>,
    generations: Vec<usize>,
}

impl Hasher for Notes {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.words.push(u64::from_le_bytes(word));
        }
    }

    fn write_u8(&mut self, byte: u8) {
        self.words.push(byte.into());
    }

    fn write_u32(&mut self, count: u32) {
        self.words.push(count.min(1).into());
    }

    fn write_u64(&mut self, value: u64) {
        match value {
            0 => {}
            1..ERA => self.generations.push(self.words.len()),
            ERA.. => self.moments.push(self.words.len()),
        }
        self.words.push(value);
    }

    fn write_i64(&mut self, _wall_clock: i64) {}

    fn write_usize(&mut self, length: usize) {
        self.words.push(length as u64);
    }

    fn write_isize(&mut self, variant: isize) {
        self.words.push(variant.cast_unsigned() as u64);
    }

    fn finish(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.words.hash(&mut hasher);
        hasher.finish()
    }
}

impl Notes {
    fn sum(mut self, now: u64) -> u64 {
        const REACHED: u64 = 0;
        const AHEAD: u64 = 1;
        let ahead = now + 1..now + BOOT / 2;
        for &at in &self.moments {
            if !ahead.contains(&self.words[at]) {
                self.words[at] = REACHED;
            }
        }
        let still_ahead: Vec<usize> =
            self.moments.iter().copied().filter(|&at| self.words[at] >= ERA).collect();
        self.rank(&still_ahead, AHEAD);
        let generations = std::mem::take(&mut self.generations);
        self.rank(&generations, 1);
        self.finish()
    }

    /// Puts each value's place in their order there instead.
    fn rank(&mut self, places: &[usize], first: u64) {
        let mut order: Vec<u64> = places.iter().map(|&at| self.words[at]).collect();
        order.sort_unstable();
        order.dedup();
        for &at in places {
            let rank = order.partition_point(|&value| value < self.words[at]);
            self.words[at] = first + rank as u64;
        }
    }
}
