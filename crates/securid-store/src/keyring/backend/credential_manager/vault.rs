//! What is asked of Credential Manager, so that a test can fail in between.

use std::io;

use securid_secret::SecretBytes;

/// Secrets under names, each call being done as a whole or not at all.
pub(in crate::keyring::backend) trait Vault: Send {
    /// Stores a secret, in place of any other of that name.
    fn write(&mut self, name: &str, comment: &str, secret: &[u8]) -> io::Result<()>;

    /// The secret of that name; `None` if there is definitely none.
    fn read(&mut self, name: &str) -> io::Result<Option<SecretBytes>>;

    /// Deletes what has that name; it is fine if there is nothing.
    fn delete(&mut self, name: &str) -> io::Result<()>;

    /// All names that begin so.
    fn names(&mut self, beginning: &str) -> io::Result<Vec<String>>;
}
