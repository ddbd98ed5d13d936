//! Windows: the id that its setup gives to a machine, and the number of the boot.

use std::io;
use std::path::Path;

use securid_windows::boot;
use windows_registry::LOCAL_MACHINE;

use crate::disk::error::DiskError;

/// Where the machine's id stands. A copy of an image has the same one until it is generalized (sysprep).
const CRYPTOGRAPHY: &str = r"SOFTWARE\Microsoft\Cryptography";
const MACHINE_GUID: &str = "MachineGuid";

/// The machine's id.
pub(super) fn machine_id() -> Result<String, DiskError> {
    let failed = |error: io::Error| {
        let place = format!(r"HKEY_LOCAL_MACHINE\{CRYPTOGRAPHY}\{MACHINE_GUID}");
        DiskError::new("read", Path::new(&place), &error)
    };
    let id = LOCAL_MACHINE.open(CRYPTOGRAPHY).and_then(|key| key.get_string(MACHINE_GUID));
    match id {
        // It would be the same on every such machine.
        Ok(id) if id.is_empty() => Err(failed(io::Error::other("there is no id in it"))),
        Ok(id) => Ok(id),
        Err(error) => Err(failed(error.into())),
    }
}

/// The boot's number: the kernel's count of them, which goes on over a resume from hibernation, as the clock does that counts
/// since the boot. Where there is no count (Wine), the time of the boot: should somebody set the clock, that looks like
/// another boot.
pub(super) fn boot_id() -> Result<String, DiskError> {
    if let Some(count) = boot::count() {
        return Ok(format!("boot-{count}"));
    }
    let time =
        boot::time().map_err(|e| DiskError::new("read", Path::new("the time of the boot"), &e))?;
    Ok(format!("since-{time}"))
}
