//! The credentials of whoever is logged on.

use std::io;

use securid_secret::SecretBytes;
use securid_windows::credentials;

use super::CredentialManager;
use super::vault::Vault;

/// Credential Manager itself.
pub(in crate::keyring::backend) struct Logon;

impl CredentialManager<Logon> {
    /// That of the logon that this process is part of; whether it has one, the first call tells.
    pub(in crate::keyring::backend) fn of_this_logon() -> Self {
        Self { vault: Logon }
    }
}

impl Vault for Logon {
    fn write(&mut self, name: &str, comment: &str, secret: &[u8]) -> io::Result<()> {
        credentials::write(name, comment, secret)
    }

    fn read(&mut self, name: &str) -> io::Result<Option<SecretBytes>> {
        credentials::read(name, |secret| SecretBytes::from(secret))
    }

    fn delete(&mut self, name: &str) -> io::Result<()> {
        credentials::delete(name).map(drop)
    }

    fn names(&mut self, beginning: &str) -> io::Result<Vec<String>> {
        credentials::names(beginning)
    }
}
