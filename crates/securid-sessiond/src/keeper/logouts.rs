//! Clients that wait for sessions to end, or for the intent to end them to be on disk.

use std::collections::HashSet;

use securid_ipc::messages::{LogoutItem, LogoutView, RefusedView, Reply, SessionState};
use securid_session::{Key, MOST_SESSIONS, Moment, Phase, Session};
use securid_store::crash;

use super::Answer;
use super::views::Known;

/// How many sessions an answer lists: each takes some hundred bytes, and a reply line has 1 MiB.
const MOST_LISTED: usize = 1_000;

/// How many ends all clients together may wait for: ten of them for all sessions that there may be. Each wait takes
/// some hundred bytes, and could be asked for thousands of times.
const MOST_AWAITED: usize = 10 * MOST_SESSIONS;

#[derive(Default)]
pub(super) struct Logouts {
    waiting: Vec<Logout>,
}

/// One client's logout of some sessions.
pub(super) struct Logout {
    /// What is still waited for.
    open: HashSet<Key>,
    /// What is settled.
    done: Vec<LogoutItem>,
    refused: Vec<RefusedView>,
    /// Until when ends are waited for; without it, only for the intents.
    until: Option<Moment>,
    reply: Answer<Reply>,
}

impl Logout {
    pub(super) fn new(
        sessions: HashSet<Key>,
        refused: Vec<RefusedView>,
        until: Option<Moment>,
        reply: Answer<Reply>,
    ) -> Self {
        Self { open: sessions, done: Vec::new(), refused, until, reply }
    }

    /// Notes how the session stands if nothing more is to be waited for.
    fn settle(&mut self, known: Known<'_>, key: &Key) {
        let session = known.machine.session(&key.id).filter(|session| session.key() == key);
        let Some(session) = session else {
            // It is over before it is gone; this is for one that was answered about already.
            self.open.remove(key);
            return;
        };
        if self.is_settled(session) {
            self.done.push(known.logout(session));
            self.open.remove(key);
        }
    }

    fn is_settled(&self, session: &Session) -> bool {
        match session.phase() {
            Phase::Ended => session.is_over(),
            // Should its secret be found again, the intent counts: that it is on disk is waited for.
            Phase::Lost => session.pending().is_none_or(|p| p.durable.is_some()),
            Phase::Revoking => {
                self.until.is_none() && session.pending().is_some_and(|p| p.durable.is_some())
            }
            Phase::Active | Phase::Adding => false,
        }
    }

    /// Answers with how things stand now.
    fn answer(mut self, known: Known<'_>) {
        for key in &self.open {
            if let Some(session) = known.machine.session(&key.id) {
                self.done.push(known.logout(session));
            }
        }
        for item in &self.done {
            crash::point("logout.answered", &item.id);
        }
        // Its client may have gone; the revocations go on.
        let _ = self.reply.send(Ok(Reply::Logout(view(self.done, self.refused))));
    }
}

/// How far each session came, of very many those that went worst.
pub(super) fn view(mut done: Vec<LogoutItem>, refused: Vec<RefusedView>) -> LogoutView {
    // What went worst comes first, so that it is not left out. What is lost counts where it was named, and then
    // more than all else: of that one is enough.
    done.sort_by(|a, b| (how_bad(b), &a.id).cmp(&(how_bad(a), &b.id)));
    let lost = done.iter().position(|item| item.state == SessionState::Lost);
    if let Some(lost) = lost.filter(|lost| *lost >= MOST_LISTED) {
        done.swap(lost, MOST_LISTED - 1);
    }
    let unlisted = done.len().saturating_sub(MOST_LISTED);
    done.truncate(MOST_LISTED);
    done.sort_by(|a, b| a.id.cmp(&b.id));
    let unlisted = u32::try_from(unlisted).unwrap_or(u32::MAX);
    LogoutView { sessions: done, refused, unlisted }
}

/// Pending is worse than lost, above all with an intent that is not on disk; and lost is worse than dead.
fn how_bad(item: &LogoutItem) -> u8 {
    match item.state {
        SessionState::Ended => 0,
        SessionState::Lost => 1,
        _ if item.durable => 2,
        _ => 3,
    }
}

impl Logouts {
    /// Waits for it, or answers at once if there is nothing to wait for, or no room to wait: what it asks for is
    /// under way in any case.
    pub(super) fn begin(&mut self, mut logout: Logout, known: Known<'_>) {
        for key in logout.open.clone() {
            logout.settle(known, &key);
        }
        let awaited: usize = self.waiting.iter().map(|other| other.open.len()).sum();
        if logout.open.is_empty() || awaited + logout.open.len() > MOST_AWAITED {
            logout.answer(known);
        } else {
            self.waiting.push(logout);
        }
    }

    /// Something happened to this session.
    pub(super) fn changed(&mut self, known: Known<'_>, key: &Key) {
        for logout in &mut self.waiting {
            if logout.open.contains(key) {
                logout.settle(known, key);
            }
        }
        self.answer_all(known, |logout| logout.open.is_empty());
    }

    /// Answers those whose time is over.
    pub(super) fn expire(&mut self, known: Known<'_>, now: Moment) {
        self.answer_all(known, |logout| logout.until.is_some_and(|until| until.reached(now)));
    }

    /// Answers everybody: the daemon goes.
    pub(super) fn answer_everybody(&mut self, known: Known<'_>) {
        self.answer_all(known, |_| true);
    }

    pub(super) fn wakes_at(&self) -> Option<u64> {
        self.waiting.iter().filter_map(|logout| logout.until).map(|until| until.since_boot).min()
    }

    fn answer_all(&mut self, known: Known<'_>, which: impl Fn(&Logout) -> bool) {
        let ready = self.waiting.extract_if(.., |logout| which(logout));
        for logout in ready.collect::<Vec<_>>() {
            logout.answer(known);
        }
    }
}
