//! What the audit is told: every session has a beginning there, and an end.
//!
//! The keeper shows each event and each action; nothing here changes what is done, or waits. A line
//! is handed over before the effect that it tells of goes out of the daemon (an acknowledgement, a
//! token, the removal of a record), and after it came in (what the server said).

use std::collections::HashMap;
use std::sync::Arc;

use securid_ipc::messages::RpcError;
use securid_session::{
    About, Action, Ending, Event, Key, Machine, Outcome, Phase, Reason, Record, SessionId, Source,
    Stage, Verdict,
};

use crate::audit::{Audit, Details, Handed, Happening, Line, Subject};
use crate::clock;

/// What is to be known of sessions besides what the machine knows.
pub(super) struct Auditing {
    audit: Audit,
    told: HashMap<Key, Told>,
}

/// What the audit was told of one token.
struct Told {
    about: Arc<About>,
    /// Who made it, where this daemon took it in.
    source: Option<Source>,
    /// Whether it knows that the end is asked for.
    asked: bool,
    /// The line of its end, if there was room for it.
    end: Option<Handed>,
}

/// What was so before an event, and is to be compared with what is after it.
pub(super) enum Seen {
    Came(Key),
    Answered(Key, Verdict),
    Fetched(Key, bool),
    Held(SessionId),
    GivenUp(SessionId),
    Removed(Key),
}

impl Auditing {
    pub(super) fn new(audit: Audit) -> Self {
        Self { audit, told: HashMap::new() }
    }

    /// An event is about to be handled: how sessions begin, but for those that are acknowledged.
    pub(super) fn before(&mut self, machine: &Machine, event: &Event) -> Option<Seen> {
        if !self.audit.is_on() {
            return None;
        }
        match event {
            Event::Add { id, about, source } => {
                self.know(machine.next_key(id.clone()), about, Some(*source));
                None
            }
            Event::Restore { record, .. } => {
                self.resumed(record);
                Some(Seen::Came(record.key.clone()))
            }
            Event::Orphan { key, about } if machine.session(&key.id).is_none() => {
                self.know(key.clone(), about, None);
                self.tell(key, Happening::Found, Details::default());
                None
            }
            Event::Answered { key, verdict } => Some(Seen::Answered(key.clone(), verdict.clone())),
            Event::Fetched { key, .. } => Some(Seen::Fetched(key.clone(), is_lost(machine, key))),
            Event::Hold { id } => Some(Seen::Held(id.clone())),
            Event::Forget { id } => Some(Seen::GivenUp(id.clone())),
            Event::Removed { key, .. } => Some(Seen::Removed(key.clone())),
            _ => None,
        }
    }

    /// It was handled, and the actions are not carried out yet: what came of it.
    pub(super) fn after(&mut self, machine: &Machine, seen: Option<Seen>, actions: &[Action]) {
        match seen {
            None => {}
            Some(Seen::Came(key)) => self.ended(machine, &key),
            Some(Seen::Answered(key, verdict)) => {
                self.attempted(machine, &key, verdict);
                self.ended(machine, &key);
            }
            Some(Seen::Fetched(key, was_lost)) => match (was_lost, is_lost(machine, &key)) {
                (false, true) => self.tell(&key, Happening::Lost, Details::default()),
                (true, false) => self.tell(&key, Happening::FoundAgain, Details::default()),
                _ => {}
            },
            Some(Seen::Held(id)) => {
                let denied = actions.iter().any(|action| matches!(action, Action::Deny(_)));
                if let Some(session) = machine.session(&id).filter(|_| !denied) {
                    self.lent(&session.key().clone(), "hold");
                }
            }
            Some(Seen::GivenUp(id)) => {
                if let Some(session) = machine.session(&id) {
                    self.ended(machine, &session.key().clone());
                }
            }
            Some(Seen::Removed(key)) if machine.session(&key.id).is_none() => {
                self.told.remove(&key);
            }
            Some(Seen::Removed(_)) => {}
        }
    }

    /// An action is about to be carried out.
    pub(super) fn sees(&mut self, action: &Action) {
        match action {
            Action::Acknowledge(key) => {
                let source = self.told.get(key).and_then(|told| told.source).map(name_of);
                self.tell(key, Happening::Created, Details { source, ..Details::default() });
            }
            Action::Lend(key) => self.lent(key, "token"),
            Action::Write(Record { key, stage: Stage::Revoking(revocation), .. }) => {
                self.asked(key, revocation.reason);
            }
            _ => {}
        }
    }

    /// A token is not taken in. One that was handed over stays with whoever brought it, so that this
    /// is its end here; that of a login is revoked.
    pub(super) fn rejected(&mut self, machine: &Machine, key: &Key, error: &RpcError) {
        let Some(told) = self.told.get(key) else { return };
        let source = told.source;
        let details = Details {
            source: source.map(name_of),
            error: Some(error.to_string()),
            ..Details::default()
        };
        let line = self.line(key, Happening::Rejected, details);
        if source == Some(Source::Handover) {
            self.hand_end(key, line);
        } else {
            self.hand(line);
        }
        if machine.session(&key.id).is_none() {
            self.told.remove(key);
        }
    }

    /// The line that has to be in the audit before the record goes. Where there was no room for it,
    /// it is handed over once more.
    pub(super) fn end_of(&mut self, machine: &Machine, key: &Key) -> Option<Handed> {
        let told = self.told.get(key)?;
        if told.end.is_none() {
            match machine.session(&key.id).map(|session| session.phase()) {
                Some(Phase::Adding) => {
                    let line = self.line(key, Happening::Dropped, Details::default());
                    self.hand_end(key, line);
                }
                _ => self.ended(machine, key),
            }
        }
        self.told.get(key)?.end
    }

    fn know(&mut self, key: Key, about: &Arc<About>, source: Option<Source>) {
        let told = Told { about: Arc::clone(about), source, asked: false, end: None };
        self.told.insert(key, told);
    }

    /// An earlier daemon may have told all that stands in the record, or not come so far.
    fn resumed(&mut self, record: &Record) {
        self.know(record.key.clone(), &record.about, None);
        let reason = match &record.stage {
            Stage::Adding | Stage::Active => None,
            Stage::Revoking(revocation) => Some(revocation.reason),
            Stage::Ended(ending) => ending.reason,
        };
        if let Some(told) = self.told.get_mut(&record.key) {
            told.asked = reason.is_some();
        }
        let stage = Some(record.stage.name());
        let reason = reason.map(Reason::name);
        self.tell(&record.key, Happening::Resumed, Details { stage, reason, ..Details::default() });
    }

    fn lent(&mut self, key: &Key, how: &'static str) {
        self.tell(key, Happening::Lent, Details { how: Some(how), ..Details::default() });
    }

    /// Once a session; the record may be written more often.
    fn asked(&mut self, key: &Key, reason: Reason) {
        let Some(told) = self.told.get_mut(key).filter(|told| !told.asked) else { return };
        told.asked = true;
        let reason = Some(reason.name());
        self.tell(key, Happening::RevocationAsked, Details { reason, ..Details::default() });
    }

    /// An attempt that was out when a person gave the session up is answered behind the end: that is the last of it.
    fn attempted(&mut self, machine: &Machine, key: &Key, verdict: Verdict) {
        if self.told.get(key).is_none_or(|told| told.end.is_some()) {
            return;
        }
        let session = machine.session(&key.id).filter(|session| session.key() == key);
        let pending = session
            .and_then(|session| session.pending())
            .map(|pending| (Some(pending.revocation.reason), pending.revocation.attempts));
        let ending = session.and_then(|session| session.ending());
        let known = pending.or_else(|| ending.map(|ending| (ending.reason, ending.attempts)));
        let (reason, attempts) = known.unzip();
        let (evidence, error) = match verdict {
            Verdict::Dead { evidence, .. } => (Some(evidence), None),
            Verdict::Unreached { error } | Verdict::Unconfirmed { error, .. } => {
                (None, Some(error))
            }
        };
        let reason = reason.flatten().map(Reason::name);
        let details = Details { reason, attempts, evidence, error, ..Details::default() };
        self.tell(key, Happening::Attempt, details);
    }

    /// Tells of its end, if it has ended and the audit has not been told.
    fn ended(&mut self, machine: &Machine, key: &Key) {
        let session = machine.session(&key.id).filter(|session| session.key() == key);
        let Some(ending) = session.and_then(|session| session.ending()) else { return };
        if self.told.get(key).is_none_or(|told| told.end.is_some()) {
            return;
        }
        let Ending { reason, attempts, outcome, evidence, .. } = ending;
        if let Some(reason) = reason {
            self.asked(key, *reason);
        }
        let happening = match outcome {
            Outcome::Forgotten => Happening::Forgotten,
            Outcome::Revoked | Outcome::AlreadyInvalid => Happening::Confirmed,
        };
        let details = Details {
            reason: reason.map(Reason::name),
            outcome: Some(outcome.name()),
            evidence: Some(evidence.clone()),
            attempts: Some(*attempts),
            ..Details::default()
        };
        let line = self.line(key, happening, details);
        self.hand_end(key, line);
    }

    fn tell(&self, key: &Key, happening: Happening, details: Details) {
        self.hand(self.line(key, happening, details));
    }

    fn line(&self, key: &Key, happening: Happening, details: Details) -> Option<Line> {
        let about = Arc::clone(&self.told.get(key)?.about);
        let subject = Some(Subject { key: key.clone(), about });
        Some(Line { at: clock::now().unix, happening, subject, details })
    }

    fn hand(&self, line: Option<Line>) -> Option<Handed> {
        self.audit.hand(line?)
    }

    fn hand_end(&mut self, key: &Key, line: Option<Line>) {
        let end = self.hand(line);
        if let Some(told) = self.told.get_mut(key) {
            told.end = end;
        }
    }
}

fn is_lost(machine: &Machine, key: &Key) -> bool {
    machine.session(&key.id).is_some_and(|session| session.phase() == Phase::Lost)
}

fn name_of(source: Source) -> &'static str {
    match source {
        Source::Login => "login",
        Source::Handover => "add",
    }
}
