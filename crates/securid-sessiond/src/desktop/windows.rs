//! Windows: a window that nobody sees, which is told of log-off, shutdown, sleep and locked screens.
//!
//! It is there, with a thread of its own, only while the keeper wants its news. Windows waits until the window has taken
//! a message in, though not for long: so whatever is to be done first holds that thread up, and never the keeper.

use std::io;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use securid_ipc::checks::CheckView;
use securid_store::crash;
use securid_windows::window::{self, Heard, Open};
use securid_worker::aside;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tracing::{debug, info, warn};

use super::bubbles::Board;
use super::{News, Wants};
use crate::keeper::{Inbox, Message};
use crate::signals::LEFT;

/// What is said of it in `doctor`.
pub(crate) const CHECK: &str = "window";

/// How long Windows waits before the machine sleeps: "approximately two seconds" (PBT_APMSUSPEND). What is not done
/// then goes on when the machine has woken.
const BEFORE_SLEEP: Duration = Duration::from_secs(2);

/// How long it waits before a session ends, after which it ends the process. This process ends by itself before.
const BEFORE_END: Duration = Duration::from_secs(5);

/// How long a window may take to come. It takes milliseconds; other people's hooks, which Windows calls in it, may hang.
const DEADLINE: Duration = Duration::from_secs(5);

/// Why a config asks for this in vain.
pub(crate) fn in_vain(key: &str, value: &str) -> Option<&'static str> {
    let why = "counts for nothing on Windows, where nothing is shown: securid-ctl status tells";
    ((key, value) == ("notify", "true")).then_some(why)
}

/// Whether there can be a window.
pub(crate) async fn look() -> Vec<CheckView> {
    let why = match timeout(DEADLINE, listen().recv()).await {
        Ok(Some(Ok((Heard::Opened { locks: Ok(()), .. }, _)))) => {
            let message = "it is told of locked screens, sleep and log-off";
            return vec![CheckView::fine(CHECK, "", message)];
        }
        Ok(Some(Ok((Heard::Opened { locks: Err(error), .. }, _)) | Err(error))) => {
            error.to_string()
        }
        Ok(_) => "the window has gone".to_owned(),
        Err(_) => format!("there was none after {} s", DEADLINE.as_secs()),
    };
    let message =
        format!("on_lock or on_suspend is \"revoke\", and Windows does not tell when: {why}");
    let advice = "Have the daemon run in your own session, and not as a service.";
    vec![CheckView::wrong(CHECK, "", message).then(advice)]
}

/// Shows nothing.
pub(crate) async fn show(_: watch::Receiver<Board>) {}

/// Minds the window as long as the keeper wants its news, and passes them on.
pub(crate) async fn mind(mut wants: watch::Receiver<Wants>, inbox: Inbox) {
    // Each round is a time in which there is something to mind. An error: the keeper has gone.
    while wants.wait_for(|wants| wants.news).await.is_ok() {
        crash::at_work("desktop");
        let mut told = listen();
        let mut held = Held::default();
        loop {
            let wanted = *wants.borrow_and_update();
            held.asleep.take_if(|_| !wanted.delay_sleep);
            // With nothing active any more there is still what Windows waits for.
            if !wanted.news && held.ended.is_none() {
                break;
            }
            tokio::select! {
                told = told.recv() => {
                    let gone = || Err(io::Error::other("the window has gone"));
                    if let Err(error) = told.unwrap_or_else(gone).map(|told| held.take(told, wanted, &inbox)) {
                        complain(wanted, &error);
                        if wants.wait_for(|wants| !wants.news).await.is_err() {
                            return;
                        }
                    }
                }
                changed = wants.changed() => if changed.is_err() { return },
            }
        }
        // The keeper is gone only when the daemon is.
        let _ = inbox.send(Message::Desktop(News::Away));
    }
}

/// What the window was told; it has taken it in when the latter is dropped.
type Told = (Heard, Sender<()>);

/// Opens the window, on a thread of its own; it goes when nobody listens any more.
fn listen() -> mpsc::UnboundedReceiver<io::Result<Told>> {
    let (say, told) = mpsc::unbounded_channel();
    let hears = say.clone();
    let opened = aside("window", {
        let say = say.clone();
        move || {
            if let Err(error) = window::mind(move |heard| hear(heard, &hears)) {
                let _ = say.send(Err(error));
            }
        }
    });
    if let Err(error) = opened {
        let _ = say.send(Err(error));
    }
    told
}

/// On the window's thread: passes it on, and waits as long as Windows does at most.
fn hear(heard: Heard, say: &mpsc::UnboundedSender<io::Result<Told>>) {
    let within = match heard {
        Heard::Suspends => BEFORE_SLEEP,
        Heard::Ends { .. } => BEFORE_END,
        _ => Duration::ZERO,
    };
    let (taking_in, taken_in) = channel();
    let _ = say.send(Ok((heard, taking_in)));
    let _ = taken_in.recv_timeout(within);
}

/// What the window waits for, and itself.
#[derive(Default)]
struct Held {
    open: Option<Open>,
    asleep: Option<Sender<()>>,
    /// Until the keeper has gone: only then is all done that can be.
    ended: Option<Sender<()>>,
}

impl Held {
    fn take(&mut self, (heard, taking_in): Told, wanted: Wants, inbox: &Inbox) {
        let tell = |news| {
            // The keeper is gone only when the daemon is.
            let _ = inbox.send(Message::Desktop(news));
        };
        match heard {
            Heard::Opened { open, locks } => {
                self.open = Some(open);
                if let Err(error) = locks {
                    complain(wanted, &error);
                }
            }
            Heard::Suspends => {
                self.asleep = Some(taking_in);
                tell(News::Sleep(true));
            }
            Heard::Woken => tell(News::Sleep(false)),
            Heard::Locked if wanted.locks => tell(News::Locked),
            Heard::Locked => {}
            Heard::Ends { machine } => {
                info!(machine, "the session ends");
                self.ended = Some(taking_in);
                if machine {
                    tell(News::Shutdown(true));
                }
                let _ = inbox.send(Message::Signal(Some(LEFT)));
            }
            Heard::Asked => {
                let _ = inbox.send(Message::Signal(None));
            }
        }
    }
}

fn complain(wanted: Wants, error: &io::Error) {
    if wanted.locks || wanted.delay_sleep {
        warn!("Windows does not tell when the screen is locked or the machine sleeps: {error}");
    } else {
        debug!("Windows does not tell when its session ends: {error}");
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::Instant;

    use securid_windows::window::{Scene, rehearse};
    use tokio::task::{JoinHandle, spawn_blocking};
    use tokio::time::sleep;

    use super::*;

    /// Far more than anything here needs, and less than a test may take.
    const PATIENCE: Duration = Duration::from_secs(20);

    /// The keeper's side.
    struct Side {
        wants: watch::Sender<Wants>,
        said: mpsc::UnboundedReceiver<Message>,
    }

    impl Side {
        /// In words, for a message cannot be compared.
        async fn said(&mut self) -> String {
            match timeout(PATIENCE, self.said.recv()).await.unwrap().unwrap() {
                Message::Desktop(news) => format!("{news:?}"),
                Message::Signal(left) => format!("end {left:?}"),
                _ => "something else".to_owned(),
            }
        }

        fn want(&self, change: impl FnOnce(&mut Wants)) {
            self.wants.send_modify(change);
        }
    }

    /// As Windows does it, which waits; and as soon as there is a window.
    fn play(scene: Scene) -> JoinHandle<Duration> {
        spawn_blocking(move || {
            let until = Instant::now() + PATIENCE;
            loop {
                let begun = Instant::now();
                match rehearse(std::process::id(), scene) {
                    Ok(()) => return begun.elapsed(),
                    Err(error) => assert!(Instant::now() < until, "{error}"),
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        })
    }

    fn minded() -> Side {
        let all = Wants { news: true, locks: true, delay_shutdown: true, delay_sleep: true };
        let (wants, wanted) = watch::channel(all);
        let (inbox, said) = mpsc::unbounded_channel();
        tokio::spawn(mind(wanted, inbox));
        Side { wants, said }
    }

    async fn no_window_is_left() {
        let until = Instant::now() + PATIENCE;
        while rehearse(std::process::id(), Scene::Wake).is_ok() {
            assert!(Instant::now() < until, "the window stays");
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// One after the other: what is rehearsed is heard by all windows of this process.
    #[tokio::test]
    async fn the_window_tells_the_keeper_and_windows_waits_for_what_is_to_be_done_first() {
        let mut keeper = minded();
        play(Scene::Lock).await.unwrap();
        assert_eq!(keeper.said().await, "Locked");

        let asleep = play(Scene::Suspend);
        assert_eq!(keeper.said().await, "Sleep(true)");
        sleep(Duration::from_millis(300)).await;
        assert!(!asleep.is_finished());
        keeper.want(|wants| wants.delay_sleep = false);
        assert!(asleep.await.unwrap() < BEFORE_SLEEP);
        play(Scene::Wake).await.unwrap();
        assert_eq!(keeper.said().await, "Sleep(false)");

        // Windows goes on by itself, and so does whoever has hung.
        keeper.want(|wants| wants.delay_sleep = true);
        assert!(play(Scene::Suspend).await.unwrap() >= BEFORE_SLEEP);
        assert_eq!(keeper.said().await, "Sleep(true)");

        play(Scene::Ask).await.unwrap();
        assert_eq!(keeper.said().await, "end None");
        keeper.want(|wants| wants.news = false);
        assert_eq!(keeper.said().await, "Away");
        no_window_is_left().await;

        for (scene, first) in [(Scene::LogOff, None), (Scene::Shutdown, Some("Shutdown(true)"))] {
            let mut keeper = minded();
            let ended = play(scene);
            if let Some(first) = first {
                assert_eq!(keeper.said().await, first);
            }
            assert_eq!(keeper.said().await, "end Some(4s)");
            // Nothing is active any more, but intents are still to be written, and revocations under way.
            keeper.want(|wants| *wants = Wants::default());
            sleep(Duration::from_millis(300)).await;
            assert!(!ended.is_finished(), "Windows would end the process");
            drop(keeper);
            assert!(ended.await.unwrap() < BEFORE_END);
            no_window_is_left().await;
        }
    }
}
