//! What came of a visit, for people and for programs.

use securid_ipc::messages::{LogoutItem, SessionState};
use serde::Serialize;

use super::{PENDING, people::Person, visit::Outcome};
use crate::{failure::FAILED, screen::printable};

/// How many characters of a user's words are repeated: a server's address and what it met fit.
const LONGEST: usize = 200;

/// How one user's sessions are.
#[derive(Debug, Serialize)]
pub(super) struct Told {
    user: Option<String>,
    uid: u32,
    revoked: u64,
    pending: u64,
    unreachable: u64,
    lost: u64,
    error: Option<String>,
    #[serde(skip)]
    why_pending: Option<String>,
    #[serde(skip)]
    why_unreachable: Option<String>,
    #[serde(skip)]
    is_left: bool,
}

impl Told {
    /// Of somebody who was visited. All that comes from his processes is his own word.
    pub(super) fn of(uid: u32, person: &Person, outcome: Outcome) -> Self {
        let mut told = Self {
            user: person.account.as_ref().map(|account| printable(&account.name).into_owned()),
            uid,
            revoked: 0,
            pending: 0,
            unreachable: outcome.undecided.into(),
            lost: 0,
            error: outcome.error.as_deref().map(quoted),
            why_pending: None,
            why_unreachable: (outcome.undecided > 0).then(|| "without a good record".to_owned()),
            is_left: outcome.is_left,
        };
        for item in outcome.sessions.values() {
            told.count(item);
        }
        // The worst are listed: with none to be revoked among them, none is beyond.
        let listed_unreachable = told.unreachable > outcome.undecided.into();
        let beyond = match (told.pending > 0, listed_unreachable) {
            (true, _) => &mut told.pending,
            (false, true) => &mut told.unreachable,
            (false, false) => &mut told.revoked,
        };
        *beyond += u64::from(outcome.unlisted);
        if told.error.is_none() && !person.silent.is_empty() {
            told.error = Some(quoted(&unanswered(person)));
        }
        told
    }

    /// Of a number without a user.
    pub(super) fn of_nobody(uid: u32, person: &Person) -> Self {
        let seen: Vec<_> = person.seen.iter().map(|path| path.display().to_string()).collect();
        let error = match person.silent.is_empty() {
            true => {
                format!("no user has this number, and there may be records in {}", seen.join(", "))
            }
            false => unanswered(person),
        };
        let outcome = Outcome { error: Some(error), ..Outcome::default() };
        Self::of(uid, person, outcome)
    }

    fn count(&mut self, item: &LogoutItem) {
        let why = item.last_error.as_deref().map(quoted);
        match item.state {
            SessionState::Ended => self.revoked += 1,
            SessionState::Lost => self.lost += 1,
            _ if item.unreachable => {
                self.unreachable += 1;
                self.why_unreachable = self.why_unreachable.take().or(why);
            }
            _ => {
                self.pending += 1;
                self.why_pending = self.why_pending.take().or(why);
            }
        }
    }

    /// A line for a person.
    pub(super) fn line(&self) -> String {
        let mut parts = Vec::new();
        if self.revoked > 0 {
            parts.push(format!("{} revoked", self.revoked));
        }
        if self.pending > 0 {
            let why = self.why_pending.as_deref().unwrap_or("no answer yet");
            parts.push(format!("{} pending ({why})", self.pending));
        }
        if self.unreachable > 0 {
            let why = self.why_unreachable.as_deref().unwrap_or("it does not say why");
            let sessions = if self.unreachable == 1 { "session" } else { "sessions" };
            parts.push(format!(
                "keyring cannot be reached ({why}): {} {sessions}",
                self.unreachable
            ));
        }
        if self.lost > 0 {
            parts.push(format!("{} lost (the keyring has no such token)", self.lost));
        }
        parts.extend(self.error.clone());
        if parts.is_empty() {
            parts.push("nothing".to_owned());
        }
        let user = self.user.clone().unwrap_or_else(|| format!("uid {}", self.uid));
        format!("{user}: {}\n", parts.join(", "))
    }

    /// The exit status that this alone would have.
    pub(super) fn status(&self) -> u8 {
        match self.pending + self.unreachable > 0 || self.is_left {
            true => PENDING,
            false if self.error.is_some() => FAILED,
            false => 0,
        }
    }
}

fn unanswered(person: &Person) -> String {
    format!("no answer in time from {}: nobody knows what is recorded", person.silent.join(", "))
}

/// Words of somebody else's process: one line, not long, and nothing that a terminal obeys.
fn quoted(words: &str) -> String {
    let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let shown = printable(&line);
    match shown.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &shown[..end]),
        None => shown.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::people::Account;
    use super::*;

    fn item(id: &str, state: SessionState, why: Option<&str>, unreachable: bool) -> LogoutItem {
        LogoutItem {
            id: id.to_owned(),
            instance: "prod".to_owned(),
            state,
            outcome: None,
            last_error: why.map(str::to_owned),
            durable: true,
            unreachable,
        }
    }

    fn ann() -> Person {
        let account = Account { name: "ann".into(), uid: 1001, home: "/home/ann".into() };
        Person { account: Some(account), ..Person::default() }
    }

    fn told(items: Vec<LogoutItem>, other: Outcome) -> Told {
        let sessions: BTreeMap<_, _> = items.into_iter().map(|it| (it.id.clone(), it)).collect();
        Told::of(1001, &ann(), Outcome { sessions, ..other })
    }

    #[test]
    fn a_line_has_all_that_came_of_it_and_the_status_what_is_left() {
        let nothing = told(vec![], Outcome::default());
        assert_eq!((&*nothing.line(), nothing.status()), ("ann: nothing\n", 0));
        let dead = || item("1", SessionState::Ended, None, false);
        let lost = || item("2", SessionState::Lost, None, false);
        let all_over = told(vec![dead(), lost()], Outcome::default());
        assert_eq!(
            (&*all_over.line(), all_over.status()),
            ("ann: 1 revoked, 1 lost (the keyring has no such token)\n", 0)
        );
        let some = vec![
            dead(),
            item("3", SessionState::Revoking, Some("refused"), false),
            item("4", SessionState::Revoking, Some("locked"), true),
        ];
        let some = told(some, Outcome { undecided: 1, ..Outcome::default() });
        assert_eq!(
            (&*some.line(), some.status()),
            (
                "ann: 1 revoked, 1 pending (refused), keyring cannot be reached (without a good record): 2 sessions\n",
                75
            )
        );
        let failed = Outcome { error: Some("no".into()), ..Outcome::default() };
        assert_eq!(told(vec![], failed).status(), 1);
        let held = Outcome { error: Some("no".into()), is_left: true, ..Outcome::default() };
        assert_eq!(told(vec![], held).status(), 75);
        let silent = Person { silent: vec!["/home/ann".into()], ..ann() };
        assert_eq!(Told::of(1001, &silent, Outcome::default()).status(), 1);
    }

    #[test]
    fn sessions_that_are_not_listed_are_no_worse_than_those_that_are() {
        let beyond = || Outcome { unlisted: 5, ..Outcome::default() };
        let dead = told(vec![item("1", SessionState::Ended, None, false)], beyond());
        assert_eq!((dead.revoked, dead.status()), (6, 0));
        let pending = told(vec![item("1", SessionState::Revoking, None, false)], beyond());
        assert_eq!((pending.pending, pending.status()), (6, 75));
        let locked = told(vec![item("1", SessionState::Revoking, None, true)], beyond());
        assert_eq!((locked.unreachable, locked.revoked, locked.status()), (6, 0, 75));
    }

    #[test]
    fn a_users_words_stay_in_his_line() {
        let hostile = format!("\u{1b}[2J\u{202e}\nroot: nothing\r{}", "x".repeat(10_000));
        let pending = item("1", SessionState::Revoking, Some(&hostile), false);
        let other = Outcome { error: Some(hostile.clone()), ..Outcome::default() };
        let line = told(vec![pending], other).line();
        assert_eq!(line.matches('\n').count(), 1, "{line:?}");
        assert!(line.trim_end().chars().all(securid_text::is_shown), "{line:?}");
        assert!(line.len() < 600, "{}", line.len());
    }
}
