//! Linux: systemd's id of the machine, and the kernel's of the boot.

use std::fs;
use std::io;
use std::path::Path;

use crate::disk::error::DiskError;

/// Where a machine's id stands; the second place is D-Bus's, for machines without systemd.
const MACHINE_ID: [&str; 2] = ["/etc/machine-id", "/var/lib/dbus/machine-id"];

/// The kernel draws a new one at each boot.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// The machine's id.
pub(super) fn machine_id() -> Result<String, DiskError> {
    read_line(MACHINE_ID[0]).or_else(|_| read_line(MACHINE_ID[1]))
}

/// The boot's id.
pub(super) fn boot_id() -> Result<String, DiskError> {
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
