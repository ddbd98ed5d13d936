//! How the entries of one daemon are told from those of every other.

use std::fmt;
use std::path::Path;

use securid_session::SessionId;
use sha2::{Digest, Sha256};

/// The entries of one daemon: one machine and one state folder. Two daemons never see each
/// other's, not even in a keyring that several machines share.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Namespace(String);

impl Namespace {
    /// The namespace of the daemon whose state folder is filed under this path
    /// ([`filed_under`](crate::filed_under)) on the machine with this id.
    ///
    /// Only a hash of the two goes out: machine-id(5) asks that the id is not shown to others, and
    /// the kernel counts the length of every name against a quota of 20,000 bytes.
    #[must_use]
    pub fn new(machine_id: &str, path: &Path) -> Self {
        let mut hash = Sha256::new();
        hash.update("securid-sessiond keyring namespace\0");
        hash.update(machine_id);
        hash.update("\0");
        hash.update(path.as_os_str().as_encoded_bytes());
        Self(format!("securid-{}", first_digits(&hash.finalize())))
    }

    /// The name, `securid-` and 16 hex digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// 64 bits of a hash as 16 hex digits: a user has a handful of state folders, not billions.
pub(crate) fn first_digits(hash: &[u8]) -> String {
    hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// What one entry is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryName<'a> {
    /// Whose entry it is.
    pub namespace: &'a Namespace,
    /// Which session's token it holds.
    pub id: &'a SessionId,
}

impl fmt::Display for EntryName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.namespace.0, self.id)
    }
}
