//! Which screens of this user are locked.
//!
//! Only the change counts: a session that is taken in behind a locked screen is there on purpose. A
//! change that came while nobody could see it counts when it is seen.

use std::collections::HashMap;

use securid_bus::reading::Any;
use securid_bus::{Connection, Error, PROPERTIES, Path, call, reading};

use super::logind::{LOGIND, of_manager};

/// A session of logind.
pub(super) const SESSION: &str = "org.freedesktop.login1.Session";

/// A session as logind lists it: id, uid, user, seat, path.
type Listed = (String, u32, String, String, Path<'static>);

/// What is known of this user's graphical sessions: whether each is locked. `None`: never looked.
#[derive(Debug, Default)]
pub(super) struct Locks(Option<HashMap<Path<'static>, bool>>);

impl Locks {
    /// Looks at all sessions; whether one was locked since the last look. The first look only learns.
    ///
    /// # Errors
    /// If logind does not answer.
    pub(super) async fn look_at_all(&mut self, bus: &mut Connection) -> Result<bool, Error> {
        let mut now = HashMap::new();
        let us = rustix::process::getuid().as_raw();
        let (listed,): (Vec<Listed>,) = reading::all(&bus.call(of_manager("ListSessions")).await?)?;
        for (_, user, _, _, path) in listed {
            if user == us
                && let Some(locked) = look(bus, &path).await?
            {
                now.insert(path, locked);
            }
        }
        let was_locked = |path| self.0.as_ref().is_none_or(|then| then.get(path) == Some(&true));
        let changed = now.iter().any(|(path, locked)| *locked && !was_locked(path));
        self.0 = Some(now);
        Ok(changed)
    }

    /// Looks at one that may have changed; whether it was locked since the last look.
    ///
    /// # Errors
    /// If logind does not answer.
    pub(super) async fn look_at(
        &mut self,
        bus: &mut Connection,
        path: Path<'static>,
    ) -> Result<bool, Error> {
        let Some(locked) = look(bus, &path).await? else { return Ok(false) };
        let known = self.0.get_or_insert_default();
        Ok(known.insert(path, locked) != Some(true) && locked)
    }

    /// What is known is of no use any more: the next look only learns.
    pub(super) fn forget(&mut self) {
        self.0 = None;
    }
}

/// Whether the session is a graphical one of ours.
///
/// # Errors
/// If logind does not answer.
pub(super) async fn is_ours(bus: &mut Connection, path: &Path<'static>) -> Result<bool, Error> {
    Ok(look(bus, path).await?.is_some())
}

/// Whether the session is locked; `None` if it is no graphical one of ours, or has ended.
async fn look(bus: &mut Connection, path: &Path<'static>) -> Result<Option<bool>, Error> {
    let ask = call(LOGIND, path, PROPERTIES, "GetAll").append1(SESSION);
    match bus.call(ask).await {
        Ok(reply) => Ok(locked_if_ours(reading::table(&reply, "")?)),
        // It has ended since it was named.
        Err(error) if error.name() == Some("org.freedesktop.DBus.Error.UnknownObject") => Ok(None),
        Err(error) => Err(error),
    }
}

fn locked_if_ours(mut properties: HashMap<&str, Any<'_>>) -> Option<bool> {
    let user: Option<(u32, Path<'_>)> = properties.remove("User").and_then(reading::of);
    let mut text = |name| properties.remove(name).and_then(reading::of).unwrap_or("");
    let ours = user.is_some_and(|(id, _)| id == rustix::process::getuid().as_raw())
        && text("Class") == "user"
        && matches!(text("Type"), "x11" | "wayland" | "mir");
    let locked = properties.remove("LockedHint").and_then(reading::of);
    ours.then_some(locked.unwrap_or(false))
}
