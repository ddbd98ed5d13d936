//! The kernel's keyrings: the user's persistent one, which outlives the login session.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use keyring::api::CredentialStoreApi;
use keyring::{Entry as Item, Error};
use linux_keyutils::{KeyError, KeyRing, KeyRingIdentifier};
use linux_keyutils_keyring_store::Store;
use securid_secret::SecretBytes;
use securid_session::SessionId;

use super::Backend;
use crate::keyring::error::KeyringError;
use crate::keyring::kind::StoreKind;
use crate::keyring::name::{EntryName, Namespace};

const KIND: StoreKind = StoreKind::Keyutils;

/// A store of kernel keys. The crate below puts each key into the session keyring *of the calling
/// thread* and links it into the persistent keyring if it can; only the latter counts for us, so
/// each operation begins with making sure of it (which also starts its three days of grace anew).
pub(super) struct Keyutils {
    store: Arc<Store>,
}

impl Keyutils {
    pub(super) fn connect() -> Result<Self, KeyringError> {
        Store::new().map(|store| Self { store }).map_err(|e| platform_error(&e))
    }

    fn item(&self, name: EntryName<'_>) -> Result<Item, KeyringError> {
        refuse_other_namespaces(FOR_WHAT_IS_STORED)?;
        reach_persistent_keyring()?;
        let description = name.to_string();
        let modifiers = HashMap::from([("description", description.as_str())]);
        self.store
            .build(name.namespace.as_str(), name.id.as_str(), Some(&modifiers))
            .map_err(|e| platform_error(&e))
    }
}

impl Backend for Keyutils {
    fn check(&mut self, _interactive: bool) -> Result<(), KeyringError> {
        refuse_other_namespaces(FOR_WHAT_IS_NEW)?;
        reach_persistent_keyring()
    }

    fn put(
        &mut self,
        name: EntryName<'_>,
        _label: &str,
        secret: &[u8],
    ) -> Result<(), KeyringError> {
        self.item(name)?.set_secret(secret).map_err(|e| match e {
            Error::PlatformFailure(cause)
                if cause.downcast_ref() == Some(&KeyError::QuotaExceeded) =>
            {
                let cause = "an ordinary user may have 200 keys and 20,000 bytes in the kernel";
                KeyringError::Full { kind: KIND, cause: cause.to_owned() }
            }
            other => platform_error(&other),
        })
    }

    fn get(&mut self, name: EntryName<'_>) -> Result<Option<SecretBytes>, KeyringError> {
        match self.item(name)?.get_secret() {
            Ok(secret) => Ok(Some(SecretBytes::from(secret))),
            Err(Error::NoEntry) => Ok(None),
            Err(e) => Err(platform_error(&e)),
        }
    }

    fn delete(&mut self, name: EntryName<'_>) -> Result<(), KeyringError> {
        match self.item(name)?.delete_credential() {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(e) => Err(platform_error(&e)),
        }
    }

    fn names(&mut self, _namespace: &Namespace) -> Result<Option<Vec<SessionId>>, KeyringError> {
        Ok(None)
    }
}

/// The kernel's name for the user namespace that it boots with (`PROC_USER_INIT_INO`).
const FIRST_NAMESPACE: &str = "user:[4026531837]";

/// A person who logs in wants another store.
const FOR_WHAT_IS_NEW: &str = "Give it a key for a sealed file (securid-ctl setup makes one), or start a \
     Secret Service (gnome-keyring, KWallet, KeePassXC).";

/// Secrets that a daemon outside has stored are there, and only one outside can revoke them.
const FOR_WHAT_IS_STORED: &str = "Its sessions can be revoked from outside: systemctl --user stop \
     securid-sessiond.socket securid-sessiond.service, then securid-sessiond --drain.";

/// The secrets are still there, and a daemon that is started elsewhere reaches them.
const FOR_ANOTHER_LOGIN: &str = "Run securid-ctl restart from a session that stays, or let systemd run the \
     daemon (securid-ctl setup).";

/// Each user namespace has persistent keyrings of its own: one that a container or a unit with
/// `PrivateUsers=` brings along is gone with it, and what others hold cannot be seen from within. So
/// there, nothing is stored, and nothing counts as absent.
fn refuse_other_namespaces(hint: &'static str) -> Result<(), KeyringError> {
    match std::fs::read_link("/proc/self/ns/user") {
        Ok(namespace) if namespace != Path::new(FIRST_NAMESPACE) => {
            let cause = "this sandbox (PrivateUsers=) or container has kernel keyrings of its own";
            Err(KeyringError::Unavailable { kind: KIND, cause: cause.to_owned(), hint })
        }
        // A kernel without such namespaces has but one.
        _ => Ok(()),
    }
}

/// Links the persistent keyring to the calling thread's session keyring, where searches find it.
fn reach_persistent_keyring() -> Result<(), KeyringError> {
    KeyRing::from_special_id(KeyRingIdentifier::Session, false)
        .map_err(|e| refused("session", e))?;
    KeyRing::get_persistent(KeyRingIdentifier::Session).map_err(|e| refused("persistent", e))?;
    Ok(())
}

fn refused(what: &str, error: KeyError) -> KeyringError {
    let why = match error {
        // pam_keyinit revokes a login's keyring at its end, and with it that of all that it has started.
        KeyError::KeyRevoked => {
            let cause = "the login session that started this daemon has ended, and took its way to the \
                         kernel's keyring along";
            let cause = cause.to_owned();
            return KeyringError::Unavailable { kind: KIND, cause, hint: FOR_ANOTHER_LOGIN };
        }
        KeyError::PermissionDenied | KeyError::AccessDenied => {
            "access denied; a container or a sandbox often bars it".to_owned()
        }
        // ENOSYS: the kernel has no keyrings, or a seccomp filter says so.
        KeyError::Unknown(38) => "the kernel, or a sandbox, has no such call".to_owned(),
        KeyError::OperationNotSupported => "the kernel has none".to_owned(),
        other => other.to_string(),
    };
    KeyringError::unavailable(KIND, format!("no {what} keyring: {why}"))
}

/// Puts a store crate's error into words. Its `BadEncoding` and `BadDataFormat` carry the secret, so
/// only the parts that come from the platform are ever quoted.
fn platform_error(error: &Error) -> KeyringError {
    let cause = match error {
        Error::PlatformFailure(cause) | Error::NoStorageAccess(cause) => cause.to_string(),
        Error::NoEntry => "the entry vanished while it was used".to_owned(),
        Error::Ambiguous(entries) => format!("{} entries have the same name", entries.len()),
        Error::TooLong(what, limit) => format!("{what} is longer than {limit}"),
        Error::Invalid(what, _) => format!("it does not take this {what}"),
        Error::BadEncoding(_) | Error::BadDataFormat(..) => "it gave unreadable data".to_owned(),
        _ => "it failed in a way that its library does not explain".to_owned(),
    };
    KeyringError::unavailable(KIND, cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_that_has_ended_is_told_apart_from_a_kernel_without_keyrings() {
        let ended = refused("persistent", KeyError::KeyRevoked);
        assert!(
            ended.to_string().contains("the login session that started this daemon"),
            "{ended}"
        );
        assert!(ended.hint().contains("securid-ctl restart"), "{}", ended.hint());
        let none = refused("session", KeyError::OperationNotSupported);
        assert!(none.to_string().ends_with("no session keyring: the kernel has none"), "{none}");
        assert!(none.hint().contains("another store"), "{}", none.hint());
    }
}
