//! Which screens of this user are locked.
//!
//! Only the change counts: a session that is taken in behind a locked screen is there on purpose. A
//! change that came while nobody could see it counts when it is seen.

use std::collections::HashMap;

use zbus::Connection;
use zbus::fdo::{self, PropertiesProxy};
use zbus::names::InterfaceName;
use zbus::proxy::CacheProperties;
use zbus::zvariant::{ObjectPath, OwnedObjectPath, OwnedValue, Value};

use super::logind::{LOGIND, ManagerProxy};

/// A session of logind.
pub(super) const SESSION: &str = "org.freedesktop.login1.Session";

/// What is known of this user's graphical sessions: whether each is locked. `None`: never looked.
#[derive(Debug, Default)]
pub(super) struct Locks(Option<HashMap<OwnedObjectPath, bool>>);

impl Locks {
    /// Looks at all sessions; whether one was locked since the last look. The first look only learns.
    ///
    /// # Errors
    /// If logind does not answer.
    pub(super) async fn look_at_all(
        &mut self,
        bus: &Connection,
        logind: &ManagerProxy<'_>,
    ) -> zbus::Result<bool> {
        let mut now = HashMap::new();
        let us = rustix::process::getuid().as_raw();
        for (_, user, _, _, path) in logind.list_sessions().await? {
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
        bus: &Connection,
        path: &ObjectPath<'_>,
    ) -> zbus::Result<bool> {
        let Some(locked) = look(bus, path).await? else { return Ok(false) };
        let known = self.0.get_or_insert_default();
        Ok(known.insert(path.to_owned().into(), locked) != Some(true) && locked)
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
pub(super) async fn is_ours(bus: &Connection, path: &ObjectPath<'_>) -> zbus::Result<bool> {
    Ok(look(bus, path).await?.is_some())
}

/// Whether the session is locked; `None` if it is no graphical one of ours, or has ended.
async fn look(bus: &Connection, path: &ObjectPath<'_>) -> zbus::Result<Option<bool>> {
    let session = PropertiesProxy::builder(bus)
        .destination(LOGIND)?
        .path(path)?
        .cache_properties(CacheProperties::No)
        .build()
        .await?;
    match session.get_all(InterfaceName::try_from(SESSION)?).await {
        Ok(properties) => Ok(locked_if_ours(&properties)),
        // It has ended since it was named.
        Err(fdo::Error::UnknownObject(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn locked_if_ours(properties: &HashMap<String, OwnedValue>) -> Option<bool> {
    let text = |name: &str| match properties.get(name).map(|value| &**value) {
        Some(Value::Str(text)) => text.as_str(),
        _ => "",
    };
    let user = match properties.get("User").map(|value| &**value) {
        Some(Value::Structure(user)) => user.fields().first().and_then(|id| u32::try_from(id).ok()),
        _ => None,
    };
    let ours = user == Some(rustix::process::getuid().as_raw())
        && text("Class") == "user"
        && matches!(text("Type"), "x11" | "wayland" | "mir");
    let locked = properties.get("LockedHint").and_then(|hint| bool::try_from(&**hint).ok());
    ours.then_some(locked.unwrap_or(false))
}
