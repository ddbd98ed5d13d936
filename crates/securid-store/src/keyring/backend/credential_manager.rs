//! Windows' Credential Manager: the credentials of the user who is logged on, which stay on this machine.
//!
//! - `set`: a secret as the credentials that it is kept in, since one has room for 2,560 bytes
//! - `vault`: what is asked of the system
//! - `logon`: the system itself
//!
//! The first credential of a set has the entry's own name, and is written after all others: so what is under that name is
//! always the first of a whole set, an old one or the new one. The names of the others carry the set's number, and no two sets
//! have the same; whatever belongs to no first one is left over from a crash, and is nobody's.
//!
//! The system's calls are spoken here and not by a store crate: `windows-native-keyring-store` searches with regular
//! expressions over all credentials of the user, asks before each write what is there, and hands secrets out in memory that
//! is not ours.

#[cfg(windows)]
mod logon;
mod set;
mod vault;

use std::io;

use securid_secret::SecretBytes;
use securid_session::SessionId;

use self::set::{Part, Set};
use self::vault::Vault;
use super::Backend;
use crate::keyring::error::KeyringError;
use crate::keyring::kind::StoreKind;
use crate::keyring::name::{EntryName, Namespace};

const KIND: StoreKind = StoreKind::CredentialManager;

/// A name that is not there, asked for to find out whether anything answers.
const NOBODY: &str = "securid-sessiond";

/// How often a set is read that is replaced meanwhile. Each time another one was put there between two calls.
const TRIES: u32 = 3;

/// `ERROR_NO_SUCH_LOGON_SESSION`: the logon has no credentials.
const NO_LOGON: i32 = 1312;

/// `ERROR_HANDLE_DISK_FULL`, `ERROR_DISK_FULL`, `ERROR_DISK_QUOTA_EXCEEDED`, `ERROR_NOT_ENOUGH_QUOTA`.
const FULL: [i32; 4] = [39, 112, 1295, 1816];

/// Credential Manager, as far as it serves us.
pub(super) struct CredentialManager<V> {
    vault: V,
}

impl<V: Vault> Backend for CredentialManager<V> {
    fn check(&mut self, _interactive: bool) -> Result<(), KeyringError> {
        self.vault.read(NOBODY).map(drop).map_err(|e| failure(&e))
    }

    fn put(&mut self, name: EntryName<'_>, label: &str, secret: &[u8]) -> Result<(), KeyringError> {
        let set = Set::of(secret).map_err(|e| failure(&e))?;
        let written = self.write(name, label, &set);
        // The set of before is over; or this one, if it could not be written.
        let swept = self.sweep(name);
        if let Err(error) = swept {
            tracing::debug!(%error, "parts of an old secret stay until the next change");
        }
        written.map_err(|e| failure(&e))
    }

    fn get(&mut self, name: EntryName<'_>) -> Result<Option<SecretBytes>, KeyringError> {
        let mut set = None;
        let mut cause = "";
        for _ in 0..TRIES {
            let Some(first) = self.first(name)? else { return Ok(None) };
            let seen = set.replace(first.set.clone());
            // Nobody has replaced it: what is missing or wrong stays so.
            if seen == set {
                break;
            }
            match self.join(name, first).map_err(|e| failure(&e))? {
                Ok(secret) => return Ok(Some(secret)),
                Err(why) => cause = why,
            }
        }
        Err(damaged(name, cause))
    }

    fn delete(&mut self, name: EntryName<'_>) -> Result<(), KeyringError> {
        let deleted = self.vault.delete(&name.to_string()).and_then(|()| self.sweep_all_of(name));
        deleted.map_err(|e| failure(&e))
    }

    fn names(&mut self, namespace: &Namespace) -> Result<Option<Vec<SessionId>>, KeyringError> {
        let all = self.vault.names(&beginning(namespace)).map_err(|e| failure(&e))?;
        let places = all.iter().filter_map(|name| Place::of(namespace, name));
        let first = |place| match place {
            Place::First(id) => Some(id),
            Place::Other(..) => None,
        };
        Ok(Some(places.filter_map(first).collect()))
    }

    fn tidy(&mut self, namespace: &Namespace) {
        if let Err(error) = self.sweep_nobodys(namespace) {
            tracing::debug!(%error, "parts of secrets that were never whole stay until the next search");
        }
    }
}

impl<V: Vault> CredentialManager<V> {
    /// The first one last.
    fn write(&mut self, name: EntryName<'_>, label: &str, set: &Set) -> io::Result<()> {
        for (number, part) in set.parts().enumerate().skip(1) {
            self.vault.write(&part_name(name, &set.id, number), label, &part)?;
        }
        let first = set.parts().next().unwrap_or_default();
        self.vault.write(&name.to_string(), label, &first)
    }

    /// What is under the entry's own name.
    fn first(&mut self, name: EntryName<'_>) -> Result<Option<Part>, KeyringError> {
        let Some(bytes) = self.vault.read(&name.to_string()).map_err(|e| failure(&e))? else {
            return Ok(None);
        };
        match Part::read(&bytes) {
            Ok(part) if part.number == 0 => Ok(Some(part)),
            Ok(_) => Err(damaged(name, "it is not the first part of a secret")),
            Err(cause) => Err(damaged(name, cause)),
        }
    }

    /// The secret that begins so; or what is wrong with the rest of it.
    fn join(
        &mut self,
        name: EntryName<'_>,
        first: Part,
    ) -> io::Result<Result<SecretBytes, &'static str>> {
        let (set, count) = (first.set.clone(), first.count);
        let mut parts = vec![first];
        for number in 1..count {
            let Some(bytes) = self.vault.read(&part_name(name, &set, number))? else {
                return Ok(Err("a part of it is missing"));
            };
            match Part::read(&bytes) {
                Ok(part) => parts.push(part),
                Err(cause) => return Ok(Err(cause)),
            }
        }
        Ok(set::join(&parts))
    }

    /// Deletes the parts of this entry that belong to another set than is there.
    fn sweep(&mut self, name: EntryName<'_>) -> Result<(), KeyringError> {
        let current = self.first(name)?.map(|first| first.set);
        for text in self.vault.names(&format!("{name}:")).map_err(|e| failure(&e))? {
            if let Some(Place::Other(_, set)) = Place::of(name.namespace, &text)
                && current.as_deref() != Some(set)
            {
                self.vault.delete(&text).map_err(|e| failure(&e))?;
            }
        }
        Ok(())
    }

    /// Deletes the parts of entries that have no first one, since whoever wrote them has died over it. The list alone
    /// does not say so: it may have gaps where others change credentials meanwhile.
    fn sweep_nobodys(&mut self, namespace: &Namespace) -> io::Result<()> {
        for text in self.vault.names(&beginning(namespace))? {
            if let Some(Place::Other(id, _)) = Place::of(namespace, &text)
                && self.vault.read(&EntryName { namespace, id: &id }.to_string())?.is_none()
            {
                self.vault.delete(&text)?;
            }
        }
        Ok(())
    }

    /// Deletes all parts of an entry, whichever set they belong to.
    fn sweep_all_of(&mut self, name: EntryName<'_>) -> io::Result<()> {
        for part in self.vault.names(&format!("{name}:"))? {
            self.vault.delete(&part)?;
        }
        Ok(())
    }
}

/// What a credential's name tells.
enum Place<'a> {
    /// The first part of this session's secret.
    First(SessionId),
    /// Another one, of this set.
    Other(SessionId, &'a str),
}

impl<'a> Place<'a> {
    /// `None` if it is not one of ours.
    fn of(namespace: &Namespace, name: &'a str) -> Option<Self> {
        let ours = name.strip_prefix(&beginning(namespace))?;
        match ours.split_once(':') {
            None => SessionId::parse(ours).map(Self::First),
            Some((id, rest)) => {
                let (set, _) = rest.split_once(':')?;
                SessionId::parse(id).map(|id| Self::Other(id, set))
            }
        }
    }
}

fn beginning(namespace: &Namespace) -> String {
    format!("{}:", namespace.as_str())
}

fn part_name(name: EntryName<'_>, set: &str, number: usize) -> String {
    format!("{name}:{set}:{number}")
}

fn damaged(name: EntryName<'_>, cause: &'static str) -> KeyringError {
    KeyringError::Damaged { kind: KIND, id: name.id.clone(), cause }
}

fn failure(error: &io::Error) -> KeyringError {
    match error.raw_os_error() {
        Some(NO_LOGON) => KeyringError::unavailable(
            KIND,
            "this logon has no credentials, as those of services, and of ssh with a key, have none",
        ),
        Some(code) if FULL.contains(&code) => {
            KeyringError::Full { kind: KIND, cause: error.to_string() }
        }
        _ => KeyringError::unavailable(KIND, error.to_string()),
    }
}

#[cfg(test)]
mod tests;
