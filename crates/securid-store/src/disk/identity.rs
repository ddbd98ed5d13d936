//! Which machine and which boot a record is from.

use std::fs;
use std::io;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::error::DiskError;

/// Where a machine's id stands; the second place is D-Bus's, for machines without systemd.
const MACHINE_ID: [&str; 2] = ["/etc/machine-id", "/var/lib/dbus/machine-id"];

/// The kernel draws a new one at each boot.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// The machine and the boot that a daemon runs in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The machine, as 32 hex digits: a hash of its id, which must not be shown to others
    /// (machine-id(5)).
    pub machine: String,
    /// The boot, as the kernel writes it.
    pub boot: String,
}

impl Identity {
    /// The first digits of the machine's id: enough for the names of files in a home that machines
    /// share.
    pub(crate) fn short(&self) -> String {
        self.machine.chars().take(8).collect()
    }

    /// Reads them from the system. In a build with `test-store`, `SECURID_TEST_BOOT_ID` stands for
    /// the boot id, so that a test can "reboot".
    ///
    /// # Errors
    /// If the machine has no id (an image that was never booted) or the kernel no `/proc`.
    pub fn read() -> Result<Self, DiskError> {
        let id = read_line(MACHINE_ID[0]).or_else(|_| read_line(MACHINE_ID[1]))?;
        let hash =
            Sha256::new().chain_update("securid-sessiond machine\0").chain_update(id).finalize();
        let machine = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { machine, boot: boot_id()? })
    }
}

#[cfg(feature = "test-store")]
fn boot_id() -> Result<String, DiskError> {
    std::env::var("SECURID_TEST_BOOT_ID").or_else(|_| read_line(BOOT_ID))
}

#[cfg(not(feature = "test-store"))]
fn boot_id() -> Result<String, DiskError> {
    read_line(BOOT_ID)
}

/// An empty id, or systemd's `uninitialized`, would be the same on every such machine.
fn read_line(path: &str) -> Result<String, DiskError> {
    let path = Path::new(path);
    let text = fs::read_to_string(path).map_err(|e| DiskError::new("read", path, &e))?;
    match text.trim() {
        "" | "uninitialized" => {
            let cause = io::Error::other("there is no id in it");
            Err(DiskError::new("read", path, &cause))
        }
        id => Ok(id.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn the_machine_id_itself_is_not_shown() {
        // Without an id there is no daemon either.
        let id = read_line(MACHINE_ID[0]).or_else(|_| read_line(MACHINE_ID[1])).unwrap();
        let identity = Identity::read().unwrap();
        assert_eq!(identity, Identity::read().unwrap());
        assert_eq!(identity.machine.len(), 32);
        assert_ne!(identity.machine, id);
    }
}
