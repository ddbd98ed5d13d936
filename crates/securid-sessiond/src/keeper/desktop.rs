//! What becomes of sessions when the screen is locked, the machine sleeps or goes down; and what is
//! wanted of logind, which follows from the sessions there are.

use securid_session::{Event, Key, Phase, Reason, Session};
use tokio::sync::watch;
use tracing::info;

use super::Keeper;
use super::views::Known;
use crate::config::{DesktopFates, Fate};
use crate::desktop::{News, Wants};

/// How things stand with logind.
#[derive(Default)]
pub(super) struct Desktop {
    wants: watch::Sender<Wants>,
    shutdown: Departure,
    sleep: Departure,
}

/// The machine is about to go down, or to sleep.
#[derive(Default)]
struct Departure {
    /// Whether it was announced, and neither came to its end nor was called off.
    announced: bool,
    /// The sessions that it ends. The machine should wait for the last of them; where there is none, for none.
    awaited: Vec<Key>,
}

impl Keeper {
    /// Where it is told what logind is wanted for.
    pub(crate) fn wants_of_desktop(&self) -> watch::Receiver<Wants> {
        self.desktop.wants.subscribe()
    }

    /// Whether the machine is about to go down: what is left now is left to another boot.
    pub(super) fn is_going_down(&self) -> bool {
        self.desktop.shutdown.announced
    }

    /// Logind has something to say.
    pub(super) fn desktop_says(&mut self, news: News) {
        match news {
            News::Locked => {
                let ended = self.revoke_active(Reason::Lock, |fates| fates.on_lock);
                info!(revoked = ended.len(), "the screen was locked");
            }
            News::Shutdown(true) => {
                info!("the machine goes down");
                self.desktop.shutdown.announced = true;
                if self.stopping.is_some() {
                    self.stop(false);
                }
            }
            News::Sleep(true) => {
                info!("the machine goes to sleep");
                self.desktop.sleep.announced = true;
            }
            News::Shutdown(false) => {
                info!("the machine does not go down after all");
                self.desktop.shutdown = Departure::default();
            }
            News::Sleep(false) => {
                info!("the machine has woken");
                self.desktop.sleep = Departure::default();
                self.event(Event::Tick);
            }
            News::Away => {
                self.desktop.shutdown = Departure::default();
                self.desktop.sleep = Departure::default();
            }
        }
        self.depart();
    }

    /// Sees to it that logind and the person know what they are to know.
    pub(super) fn mind_desktop(&mut self) {
        self.depart();
        let wants = self.wants();
        self.desktop.wants.send_if_modified(|told| std::mem::replace(told, wants) != wants);
        self.mind_pending();
    }

    /// Once the machine is to leave, nothing is left active that it ends, whenever it came.
    fn depart(&mut self) {
        if self.desktop.shutdown.announced {
            let ended = self.revoke_active(Reason::Shutdown, |_| Fate::Revoke);
            self.desktop.shutdown.awaited.extend(ended);
        }
        if self.desktop.sleep.announced {
            let ended = self.revoke_active(Reason::Suspend, |fates| fates.on_suspend);
            self.desktop.sleep.awaited.extend(ended);
        }
        let known = Known { machine: &self.machine, troubles: &self.troubles };
        for departure in [&mut self.desktop.shutdown, &mut self.desktop.sleep] {
            // Of thousands, one that is worth it is enough to know.
            while departure.awaited.pop_if(|key| !is_worth_waiting_for(known, key)).is_some() {}
        }
    }

    /// Revokes the active sessions for which the config says so, held ones as well.
    fn revoke_active(&mut self, reason: Reason, fate: impl Fn(DesktopFates) -> Fate) -> Vec<Key> {
        if self.machine.count(Phase::Active) == 0 {
            return Vec::new();
        }
        let keys: Vec<Key> = self
            .active()
            .filter(|session| fate(self.desktop_fates(session)) == Fate::Revoke)
            .map(|session| session.key().clone())
            .collect();
        for key in &keys {
            self.event(Event::Revoke { id: key.id.clone(), reason });
        }
        keys
    }

    fn wants(&self) -> Wants {
        let Desktop { shutdown, sleep, .. } = &self.desktop;
        let mut wants = Wants {
            news: shutdown.announced || sleep.announced,
            locks: false,
            delay_shutdown: !shutdown.awaited.is_empty(),
            delay_sleep: !sleep.awaited.is_empty(),
        };
        if self.machine.count(Phase::Active) == 0 {
            return wants;
        }
        (wants.news, wants.delay_shutdown) = (true, true);
        let config = self.config.now();
        // There may be ten thousand sessions, and a few instances: mostly the first session settles it.
        let settled = |wants: Wants| {
            let locks = wants.locks || !config.may_revoke(|fates| fates.on_lock);
            locks && (wants.delay_sleep || !config.may_revoke(|fates| fates.on_suspend))
        };
        for session in self.active() {
            if settled(wants) {
                break;
            }
            let fates = config.desktop_fates(&session.about().instance);
            wants.locks |= fates.on_lock == Fate::Revoke;
            wants.delay_sleep |= fates.on_suspend == Fate::Revoke;
        }
        wants
    }

    fn active(&self) -> impl Iterator<Item = &Session> {
        self.machine.sessions().filter(|session| session.phase() == Phase::Active)
    }

    fn desktop_fates(&self, session: &Session) -> DesktopFates {
        self.config.now().desktop_fates(&session.about().instance)
    }
}

/// Until it is dead, or its first attempt has failed: an old pending revocation holds no machine up.
fn is_worth_waiting_for(known: Known<'_>, key: &Key) -> bool {
    let session = known.machine.session(&key.id).filter(|session| session.key() == key);
    let revoking = session.filter(|session| session.phase() == Phase::Revoking);
    revoking.is_some_and(|session| {
        let untried = session.pending().is_some_and(|p| p.revocation.attempts == 0);
        let unreachable = !session.in_hand() && known.troubles.of_keyring(key).is_some();
        untried && !unreachable
    })
}
