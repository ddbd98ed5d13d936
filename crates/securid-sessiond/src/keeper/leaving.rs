//! Leaving for want of anything to do (`exit_when_empty`).

use securid_ipc::server::Wanted;
use securid_session::{Moment, Phase};
use tokio::sync::watch;
use tracing::info;

use super::Keeper;
use crate::clock;
use crate::config::OnExit;

/// Whether clients are waited for, and since when there is nothing to do.
pub(super) struct Leaving {
    wanted: watch::Sender<Wanted>,
    empty_since: Option<Moment>,
}

impl Leaving {
    pub(super) fn not_yet() -> Self {
        Self { wanted: watch::Sender::new(Wanted::Always), empty_since: None }
    }
}

impl Keeper {
    /// How long the server is wanted.
    pub(crate) fn server_wanted(&self) -> watch::Receiver<Wanted> {
        self.leaving.wanted.subscribe()
    }

    /// Nobody is to be served any more.
    pub(crate) fn close(&self) {
        self.leaving.wanted.send_replace(Wanted::NoLonger);
    }

    /// The last client has gone, and there is nothing to do. (One that stood in the queue of a socket
    /// of our own may have changed that: its session ends as at any stop.)
    pub(crate) fn leave(&mut self) {
        let lost = self.count(Phase::Lost);
        info!(lost, "nothing to do, and nobody connected");
        self.stop(self.config.now().on_exit == OnExit::Keep);
    }

    /// Once there has been nothing to do for as long as the config says, only clients that are connected
    /// keep the server. Whoever changes that is one of them, so that none comes too late.
    pub(super) fn see_whether_to_leave(&mut self) {
        let wanted = match self.config.now().exit_when_empty {
            Some(_) if !self.is_empty() => {
                self.leaving.empty_since = None;
                Wanted::Always
            }
            Some(span) => {
                let since = *self.leaving.empty_since.get_or_insert_with(clock::now);
                let over = since.after(span).reached(clock::now());
                if over { Wanted::WhileConnected } else { Wanted::Always }
            }
            None => {
                self.leaving.empty_since = None;
                Wanted::Always
            }
        };
        self.leaving.wanted.send_if_modified(|now| std::mem::replace(now, wanted) != wanted);
    }

    pub(super) fn leaves_at(&self) -> Option<Moment> {
        let at = self.leaving.empty_since?.after(self.config.now().exit_when_empty?);
        Some(at).filter(|_| *self.leaving.wanted.borrow() == Wanted::Always)
    }

    /// Whether there is nothing to do: no session, no login under way, no secret that may be one's. What
    /// is lost waits for a person, and the next daemon finds it again.
    fn is_empty(&self) -> bool {
        self.stopping.is_none()
            && self.draining.is_none()
            && self.logins_in_flight == 0
            && self.search.is_over()
            && self.machine.sessions().all(|session| session.phase() == Phase::Lost)
    }
}
