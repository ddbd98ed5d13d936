//! macOS: the id of the hardware, and of the boot.

use std::io;
use std::path::Path;

use crate::disk::error::DiskError;

/// The machine's id.
pub(super) fn machine_id() -> Result<String, DiskError> {
    told("gethostuuid", securid_macos::machine::host_uuid())
}

/// The boot's id, which the kernel draws anew at each boot; sleep is none.
pub(super) fn boot_id() -> Result<String, DiskError> {
    told("kern.bootsessionuuid", securid_macos::machine::boot_session())
}

fn told(what: &str, id: io::Result<String>) -> Result<String, DiskError> {
    id.map_err(|error| DiskError::new("read", Path::new(what), &error))
}
