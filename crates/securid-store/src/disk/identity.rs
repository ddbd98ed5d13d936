//! Which machine and which boot a record is from.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(windows)]
mod windows;

use sha2::{Digest, Sha256};

use super::error::DiskError;
#[cfg(target_os = "linux")]
use linux as system;
#[cfg(target_os = "macos")]
use macos as system;
#[cfg(windows)]
use windows as system;

/// The machine and the boot that a daemon runs in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The machine, as 32 hex digits: a hash of its id, which must not be shown to others
    /// (machine-id(5)).
    pub machine: String,
    /// The boot, as the kernel tells it.
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
    /// If the machine has no id (an image that was never booted) or the kernel does not tell the boot's.
    pub fn read() -> Result<Self, DiskError> {
        let id = system::machine_id()?;
        let hash =
            Sha256::new().chain_update("securid-sessiond machine\0").chain_update(id).finalize();
        let machine = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { machine, boot: boot_id()? })
    }
}

#[cfg(feature = "test-store")]
fn boot_id() -> Result<String, DiskError> {
    std::env::var("SECURID_TEST_BOOT_ID").or_else(|_| system::boot_id())
}

#[cfg(not(feature = "test-store"))]
fn boot_id() -> Result<String, DiskError> {
    system::boot_id()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn the_machine_id_itself_is_not_shown() {
        // Without an id there is no daemon either.
        let id = system::machine_id().unwrap();
        let identity = Identity::read().unwrap();
        assert_eq!(identity, Identity::read().unwrap());
        assert_eq!(identity.machine.len(), 32);
        assert_ne!(identity.machine, id);
    }
}
