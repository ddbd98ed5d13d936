//! What a person is told on the desktop: sessions that ended by themselves, and revocations that get
//! nowhere. Each kind has one bubble, which the next of its kind replaces.

use std::collections::BTreeMap;
use std::time::Duration;

use securid_session::{Key, Moment, Phase, Reason, Session};
use tokio::sync::watch;

use super::Keeper;
use crate::clock;
use crate::desktop::bubbles::{Board, Bubble};

/// Since when a revocation that is pending is worth telling: as `status` counts it.
const LATE: Duration = Duration::from_secs(60);

/// Sessions that end within so long of one another share a bubble: a locked screen ends several.
const TOGETHER: Duration = Duration::from_secs(60);

/// So many revocations are gone through after each burst of messages; where there are more, once in [`NOW_AND_THEN`],
/// for each answer of the server is a burst.
const FEW: usize = 100;

/// How late a person is told at most besides, with more than [`FEW`] of them.
const NOW_AND_THEN: Duration = Duration::from_secs(1);

/// What was told so far.
#[derive(Default)]
pub(super) struct Notices {
    board: watch::Sender<Board>,
    /// The latest sessions that ended: when the last one did, and how many did why.
    ended: Option<(Moment, BTreeMap<&'static str, u32>)>,
    /// The late ones that were told of.
    late: Vec<Key>,
    /// When the next one will be late, or is looked for again.
    next_late: Option<Moment>,
    /// When many were gone through last.
    looked: Option<Moment>,
}

impl Notices {
    pub(super) fn wakes_at(&self) -> Option<Moment> {
        self.next_late
    }

    /// A session has ended, if it did so by itself.
    fn ended(&mut self, session: &Session, now: Moment) {
        let why = session.pending().and_then(|pending| by_itself(pending.revocation.reason));
        let Some(why) = why else { return };
        let recent = self.ended.take().filter(|(last, _)| !last.after(TOGETHER).reached(now));
        let mut counts = recent.map(|(_, counts)| counts).unwrap_or_default();
        *counts.entry(why).or_insert(0) += 1;
        let bubble = match counts.values().sum::<u32>() {
            1 => Bubble::new(
                &format!("The session at {} has ended", session.about().instance),
                &capitalised(why),
            ),
            several => {
                let parts = counts.iter().map(|(why, count)| format!("{count}: {why}"));
                let parts: Vec<String> = parts.collect();
                Bubble::new(&format!("{several} sessions have ended"), &parts.join("; "))
            }
        };
        self.ended = Some((now, counts));
        self.board.send_modify(|board| {
            board.ended = Some(bubble);
            board.ended_count += 1;
        });
    }
}

impl Keeper {
    /// Where what is to be shown is told.
    pub(crate) fn board(&self) -> watch::Receiver<Board> {
        self.notices.board.subscribe()
    }

    /// The server has said that this one is dead.
    pub(super) fn notice_end(&mut self, key: &Key) {
        if let Some(session) = self.machine.session(&key.id).filter(|s| s.key() == key)
            && self.config.now().notify
        {
            self.notices.ended(session, clock::now());
        }
    }

    /// Tells of revocations that have become late, or are none any more.
    pub(super) fn mind_pending(&mut self) {
        let now = clock::now();
        if self.machine.count(Phase::Revoking) > FEW {
            let again = self.notices.looked.map(|looked| looked.after(NOW_AND_THEN));
            if let Some(again) = again.filter(|again| !again.reached(now)) {
                self.notices.next_late = Some(again);
                return;
            }
            self.notices.looked = Some(now);
        }
        let (mut late, mut next_late) = (Vec::new(), None);
        let told = self.config.now().notify && self.machine.count(Phase::Revoking) > 0;
        let sessions = told.then(|| self.machine.sessions()).into_iter().flatten();
        for session in sessions.filter(|session| session.phase() == Phase::Revoking) {
            let Some(pending) = session.pending() else { continue };
            // By the wall clock: it may be pending since another boot.
            let since = now.unix.saturating_sub(pending.revocation.since.unix).max(0);
            let left = LATE.saturating_sub(Duration::from_millis(since.unsigned_abs()));
            if left.is_zero() {
                late.push(session.key().clone());
            } else {
                let at = now.after(left);
                next_late = Some(next_late.map_or(at, |next: Moment| next.earlier(at)));
            }
        }
        self.notices.next_late = next_late;
        if late != self.notices.late {
            let bubble = self.bubble(&late);
            self.notices.board.send_modify(|board| board.pending = bubble);
            self.notices.late = late;
        }
    }

    fn bubble(&self, late: &[Key]) -> Option<Bubble> {
        let first = self.machine.session(&late.first()?.id)?;
        let error = self.known().logout(first).last_error;
        let error = error.as_deref().unwrap_or("there was no answer yet");
        let summary = match late.len() {
            1 => format!("The session at {} is not revoked yet", first.about().instance),
            several => format!("{several} sessions are not revoked yet"),
        };
        Some(Bubble::new(&summary, &format!("It is tried again and again. {}", capitalised(error))))
    }
}

/// Why, if nobody asked for it.
fn by_itself(reason: Reason) -> Option<&'static str> {
    match reason {
        Reason::Idle => Some("not used for too long"),
        Reason::Lifetime => Some("its time was over"),
        Reason::Lock => Some("the screen was locked"),
        Reason::Suspend => Some("the machine went to sleep"),
        Reason::Request
        | Reason::Shutdown
        // Whoever used it was told.
        | Reason::Server
        | Reason::Replaced
        | Reason::Orphan
        | Reason::Abandoned => None,
    }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
