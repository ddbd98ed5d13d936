//! One connection to logind, from its first word to its last.

use securid_bus::{
    BUS, Bus, Connection, Error, Message, PROPERTIES, Path, call, call_of_bus, reading,
};
use securid_text::span;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tracing::{debug, info, warn};

use super::inhibitors::Inhibitors;
use super::locks::{self, Locks, SESSION};
use super::{DEADLINE, News, Waits, Wants};

/// Its name on the bus.
pub(super) const LOGIND: &str = "org.freedesktop.login1";
const MANAGER: &str = "org.freedesktop.login1.Manager";
const PATH: &str = "/org/freedesktop/login1";

/// What is listened to at any time. Other signals would wake us at every login of anybody's.
const RULES: [&str; 3] = [
    "type='signal',sender='org.freedesktop.login1',\
     interface='org.freedesktop.login1.Manager',member='PrepareForShutdown'",
    "type='signal',sender='org.freedesktop.login1',\
     interface='org.freedesktop.login1.Manager',member='PrepareForSleep'",
    "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',\
     arg0='org.freedesktop.login1'",
];

/// What is listened to as well while locked screens matter.
const SESSION_RULE: &str = "type='signal',sender='org.freedesktop.login1',\
     path_namespace='/org/freedesktop/login1/session'";

/// A call of logind itself.
pub(super) fn of_manager(method: &str) -> Message {
    call(LOGIND, &PATH.into(), MANAGER, method)
}

/// Asks it something, once.
///
/// # Errors
/// If there is no bus or no logind, or none that answers in time.
pub(super) async fn answers() -> Result<(), Error> {
    let mut bus = Connection::open(Bus::System, DEADLINE).await?;
    is_announced(&mut bus, "PreparingForSleep").await.map(drop)
}

/// Whether what this property of logind is about has begun.
async fn is_announced(bus: &mut Connection, property: &str) -> Result<bool, Error> {
    let ask = call(LOGIND, &PATH.into(), PROPERTIES, "Get").append2(MANAGER, property);
    reading::property(&bus.call(ask).await?)
}

/// A connection on which logind is listened to.
pub(super) struct Logind {
    bus: Connection,
    inhibitors: Inhibitors,
    /// Who on the bus is logind; only its own word counts. `None`: there is none.
    owner: Option<String>,
    /// Whether it was asked how things stand since it came.
    asked: bool,
    /// Whether sessions are listened to.
    hears_sessions: bool,
}

impl Logind {
    /// Connects to the bus. Whether logind is there is another matter.
    ///
    /// # Errors
    /// If there is no bus, or it does not answer in time.
    pub(super) async fn connect() -> Result<Self, Error> {
        let mut bus = Connection::open(Bus::System, DEADLINE).await?;
        for rule in RULES {
            bus.listen(rule).await?;
        }
        let owner = match bus.call(call_of_bus("GetNameOwner").append1(LOGIND)).await {
            Ok(reply) => Some(reading::all::<(String,)>(&reply)?.0),
            Err(error) if error.name() == Some("org.freedesktop.DBus.Error.NameHasNoOwner") => None,
            Err(error) => return Err(error),
        };
        Ok(Self {
            bus,
            inhibitors: Inhibitors::default(),
            owner,
            asked: false,
            hears_sessions: false,
        })
    }

    /// Tells the news as long as they are wanted.
    ///
    /// # Errors
    /// Why the connection has ended before.
    pub(super) async fn mind(
        &mut self,
        wants: &mut watch::Receiver<Wants>,
        locks: &mut Locks,
        tell: &impl Fn(News),
    ) -> Result<(), Error> {
        let mut waits = Waits::default();
        loop {
            let wanted = *wants.borrow_and_update();
            if !wanted.news {
                return Ok(());
            }
            // A logind that refuses, or does not answer, may later; what it says of itself is heard
            // all the same.
            let again = match self.settle(wanted, locks, tell).await {
                Ok(()) => {
                    waits = Waits::default();
                    None
                }
                Err(error) => {
                    let wait = waits.next();
                    debug!(wait = span(wait), "logind: {error}");
                    Some(Instant::now() + wait)
                }
            };
            loop {
                tokio::select! {
                    message = self.bus.hear() => {
                        if self.heard(message?, locks, tell).await? {
                            break;
                        }
                    }
                    changed = wants.changed() => {
                        if changed.is_err() {
                            return Ok(());
                        }
                        break;
                    }
                    () = sleep_until(again.unwrap_or_else(Instant::now)), if again.is_some() => break,
                }
            }
        }
    }

    /// Brings what we hold and hear in line with what is wanted.
    async fn settle(
        &mut self,
        wants: Wants,
        locks: &mut Locks,
        tell: &impl Fn(News),
    ) -> Result<(), Error> {
        self.inhibitors.release(wants);
        self.hear_sessions(wants.locks, locks).await?;
        if self.owner.is_none() {
            return Ok(());
        }
        if !self.asked {
            for (property, news) in [
                ("PreparingForShutdown", News::Shutdown(true)),
                ("PreparingForSleep", News::Sleep(true)),
            ] {
                if is_announced(&mut self.bus, property).await? {
                    tell(news);
                }
            }
            if wants.locks && locks.look_at_all(&mut self.bus).await? {
                tell(News::Locked);
            }
            self.asked = true;
        }
        self.inhibitors.take(&mut self.bus, wants).await
    }

    async fn hear_sessions(&mut self, wanted: bool, locks: &mut Locks) -> Result<(), Error> {
        if self.hears_sessions == wanted {
            return Ok(());
        }
        if wanted {
            self.bus.listen(SESSION_RULE).await?;
            self.asked = false;
        } else {
            self.bus.ignore(SESSION_RULE).await?;
            locks.forget();
        }
        self.hears_sessions = wanted;
        Ok(())
    }

    /// A message has come: whether it means another logind. Only logind's own are listened to, and
    /// what the bus says of it.
    async fn heard(
        &mut self,
        message: Message,
        locks: &mut Locks,
        tell: &impl Fn(News),
    ) -> Result<bool, Error> {
        let sender = message.sender().map(|name| name.to_string());
        if sender.as_deref() == Some(BUS) {
            if message.member().as_deref() != Some("NameOwnerChanged") {
                return Ok(false);
            }
            let (name, _, new): (String, String, String) = reading::all(&message)?;
            if name == LOGIND {
                self.changed_hands(new, tell);
            }
            return Ok(name == LOGIND);
        }
        if sender.is_none() || sender != self.owner {
            return Ok(false);
        }
        if let Some(news) = announced(&message)? {
            tell(news);
        } else if self.hears_sessions {
            match self.is_locked_now(message, locks).await {
                Ok(true) => tell(News::Locked),
                Ok(false) => {}
                Err(error) => warn!("a screen may have been locked, but logind: {error}"),
            }
        }
        Ok(false)
    }

    /// Whether the signal tells of a screen of ours that was locked. Some desktops lock when logind
    /// tells them to (`Lock`), some by themselves, and then tell logind (`LockedHint`).
    async fn is_locked_now(&mut self, signal: Message, locks: &mut Locks) -> Result<bool, Error> {
        let Some(path) = signal.path().map(Path::into_static) else { return Ok(false) };
        if signal.member().as_deref() == Some("Lock") {
            locks::is_ours(&mut self.bus, &path).await
        } else if tells_of_hint(&signal)? {
            locks.look_at(&mut self.bus, path).await
        } else {
            Ok(false)
        }
    }

    /// Logind has gone or come. What it gave out before is void.
    fn changed_hands(&mut self, new: String, tell: &impl Fn(News)) {
        if self.owner.is_some() {
            info!("logind has gone");
            tell(News::Away);
        }
        self.owner = Some(new).filter(|new| !new.is_empty());
        self.inhibitors = Inhibitors::default();
        self.asked = false;
    }
}

/// What the signal announces, if that is what it does.
fn announced(signal: &Message) -> Result<Option<News>, Error> {
    let begins = || reading::all(signal).map(|(begins,)| begins);
    Ok(match (signal.interface().as_deref(), signal.member().as_deref()) {
        (Some(MANAGER), Some("PrepareForShutdown")) => Some(News::Shutdown(begins()?)),
        (Some(MANAGER), Some("PrepareForSleep")) => Some(News::Sleep(begins()?)),
        _ => None,
    })
}

/// Whether the signal tells of another `LockedHint`.
fn tells_of_hint(signal: &Message) -> Result<bool, Error> {
    if signal.member().as_deref() != Some("PropertiesChanged") {
        return Ok(false);
    }
    let hint = "LockedHint";
    let changed = reading::table(signal, "s")?;
    let (of, _, dropped): (Option<&str>, Option<bool>, Option<Vec<&str>>) = signal.get3();
    let dropped = dropped.is_some_and(|names| names.contains(&hint));
    Ok(of == Some(SESSION) && (changed.contains_key(hint) || dropped))
}
