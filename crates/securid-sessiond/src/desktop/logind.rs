//! One connection to logind, from its first word to its last.

use std::collections::HashMap;

use futures_lite::StreamExt;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tracing::{debug, info, warn};
use zbus::fdo::DBusProxy;
use zbus::message::Header;
use zbus::names::{BusName, OwnedUniqueName};
use zbus::proxy::CacheProperties;
use zbus::zvariant::{ObjectPath, OwnedFd, OwnedObjectPath, OwnedValue};
use zbus::{MatchRule, Message, MessageStream};

use super::bus::Bus;
use super::inhibitors::Inhibitors;
use super::locks::{self, Locks, SESSION};
use super::{News, Waits, Wants};

/// Its name on the bus.
pub(super) const LOGIND: &str = "org.freedesktop.login1";
const MANAGER: &str = "org.freedesktop.login1.Manager";
/// The bus itself, which tells who comes and goes.
const BUS: &str = "org.freedesktop.DBus";

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

/// A session as logind lists it: id, uid, user, seat, path.
type Listed = (String, u32, String, String, OwnedObjectPath);

#[zbus::proxy(
    interface = "org.freedesktop.login1.Manager",
    default_service = "org.freedesktop.login1",
    default_path = "/org/freedesktop/login1",
    gen_blocking = false
)]
pub(super) trait Manager {
    fn inhibit(&self, what: &str, who: &str, why: &str, mode: &str) -> zbus::Result<OwnedFd>;
    fn list_sessions(&self) -> zbus::Result<Vec<Listed>>;
    #[zbus(property)]
    fn preparing_for_shutdown(&self) -> zbus::Result<bool>;
    #[zbus(property)]
    fn preparing_for_sleep(&self) -> zbus::Result<bool>;
}

/// Asks it something, once.
///
/// # Errors
/// If there is no bus or no logind, or none that answers in time.
pub(super) async fn answers() -> zbus::Result<()> {
    let bus = Bus::system().await?;
    let manager = ManagerProxy::builder(&bus.connection)
        .cache_properties(CacheProperties::No)
        .build()
        .await?;
    manager.preparing_for_sleep().await.map(drop)
}

/// A connection on which logind is listened to.
pub(super) struct Logind {
    bus: Bus,
    daemon: DBusProxy<'static>,
    manager: ManagerProxy<'static>,
    messages: MessageStream,
    inhibitors: Inhibitors,
    /// Who on the bus is logind; only its own word counts. `None`: there is none.
    owner: Option<OwnedUniqueName>,
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
    pub(super) async fn connect() -> zbus::Result<Self> {
        let bus = Bus::system().await?;
        let connection = &bus.connection;
        let messages = MessageStream::from(connection);
        let daemon = DBusProxy::builder(connection).cache_properties(CacheProperties::No);
        let daemon = daemon.build().await?;
        for rule in RULES {
            daemon.add_match_rule(MatchRule::try_from(rule)?).await?;
        }
        let manager = ManagerProxy::builder(connection).cache_properties(CacheProperties::No);
        let manager = manager.build().await?;
        let owner = match daemon.get_name_owner(BusName::try_from(LOGIND)?).await {
            Ok(owner) => Some(owner),
            Err(zbus::fdo::Error::NameHasNoOwner(_)) => None,
            Err(error) => return Err(error.into()),
        };
        Ok(Self {
            bus,
            daemon,
            manager,
            messages,
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
    ) -> zbus::Result<()> {
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
                    debug!(?wait, "logind: {error}");
                    Some(Instant::now() + wait)
                }
            };
            loop {
                tokio::select! {
                    message = self.messages.next() => {
                        let gone = || zbus::Error::Failure("the connection has ended".to_owned());
                        let message = message.ok_or_else(gone)??;
                        if self.heard(&message, locks, tell).await? {
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
    ) -> zbus::Result<()> {
        self.inhibitors.release(wants);
        self.hear_sessions(wants.locks, locks).await?;
        if self.owner.is_none() {
            return Ok(());
        }
        if !self.asked {
            for (announced, news) in [
                (self.manager.preparing_for_shutdown().await?, News::Shutdown(true)),
                (self.manager.preparing_for_sleep().await?, News::Sleep(true)),
            ] {
                if announced {
                    tell(news);
                }
            }
            if wants.locks && locks.look_at_all(&self.bus.connection, &self.manager).await? {
                tell(News::Locked);
            }
            self.asked = true;
        }
        self.inhibitors.take(&self.manager, wants).await
    }

    async fn hear_sessions(&mut self, wanted: bool, locks: &mut Locks) -> zbus::Result<()> {
        if self.hears_sessions == wanted {
            return Ok(());
        }
        let rule = MatchRule::try_from(SESSION_RULE)?;
        if wanted {
            self.daemon.add_match_rule(rule).await?;
            self.asked = false;
        } else {
            self.daemon.remove_match_rule(rule).await?;
            locks.forget();
        }
        self.hears_sessions = wanted;
        Ok(())
    }

    /// A message has come: whether it means another logind. Only logind's own are listened to, and
    /// what the bus says of it.
    async fn heard(
        &mut self,
        message: &Message,
        locks: &mut Locks,
        tell: &impl Fn(News),
    ) -> zbus::Result<bool> {
        let header = message.header();
        let (Some(sender), Some(member)) = (header.sender(), header.member()) else {
            return Ok(false);
        };
        if sender.as_str() == BUS && member.as_str() == "NameOwnerChanged" {
            let (name, _, new): (String, String, String) = message.body().deserialize()?;
            if name == LOGIND {
                self.changed_hands(&new, tell);
            }
            return Ok(name == LOGIND);
        }
        if self.owner.as_deref() != Some(sender) {
            return Ok(false);
        }
        match (header.interface().map_or("", |name| name.as_str()), member.as_str()) {
            (MANAGER, "PrepareForShutdown") => tell(News::Shutdown(message.body().deserialize()?)),
            (MANAGER, "PrepareForSleep") => tell(News::Sleep(message.body().deserialize()?)),
            _ if self.hears_sessions => {
                let Some(path) = header.path() else { return Ok(false) };
                match self.is_locked_now(&header, message, path, locks).await {
                    Ok(true) => tell(News::Locked),
                    Ok(false) => {}
                    Err(error) => warn!("a screen may have been locked, but logind: {error}"),
                }
            }
            _ => {}
        }
        Ok(false)
    }

    /// Whether the signal tells of a screen of ours that was locked. Some desktops lock when logind
    /// tells them to (`Lock`), some by themselves, and then tell logind (`LockedHint`).
    async fn is_locked_now(
        &self,
        header: &Header<'_>,
        message: &Message,
        path: &ObjectPath<'_>,
        locks: &mut Locks,
    ) -> zbus::Result<bool> {
        let bus = &self.bus.connection;
        match header.member().map_or("", |member| member.as_str()) {
            "Lock" => locks::is_ours(bus, path).await,
            "PropertiesChanged" => {
                type Changed = (String, HashMap<String, OwnedValue>, Vec<String>);
                let (of, changed, dropped): Changed = message.body().deserialize()?;
                let hint = "LockedHint";
                if of == SESSION
                    && (changed.contains_key(hint) || dropped.iter().any(|p| p == hint))
                {
                    locks.look_at(bus, path).await
                } else {
                    Ok(false)
                }
            }
            _ => Ok(false),
        }
    }

    /// Logind has gone or come. What it gave out before is void.
    fn changed_hands(&mut self, new: &str, tell: &impl Fn(News)) {
        if self.owner.is_some() {
            info!("logind has gone");
            tell(News::Away);
        }
        self.owner = OwnedUniqueName::try_from(new).ok();
        self.inhibitors = Inhibitors::default();
        self.asked = false;
    }
}
