//! What a volume has.

use std::io;
use std::path::Path;
use std::ptr::null_mut;

use windows_sys::Win32::Storage::FileSystem::GetDiskFreeSpaceExW;

use crate::text::wide;

/// How many bytes this user may still write to the volume that a folder is on.
///
/// # Errors
/// If there is no such folder, or its volume does not say.
pub fn free(folder: &Path) -> io::Result<u64> {
    let name = wide(folder.as_os_str())?;
    let mut free = 0;
    // SAFETY: a NUL ends the name, the number is ours, and the two others are not asked for.
    let told = unsafe { GetDiskFreeSpaceExW(name.as_ptr(), &raw mut free, null_mut(), null_mut()) };
    if told == 0 { Err(io::Error::last_os_error()) } else { Ok(free) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_room_and_none_that_is_missing() {
        assert!(free(&std::env::temp_dir()).is_ok_and(|free| free > 0));
        assert!(free(Path::new(r"C:\no\such\folder")).is_err());
    }
}
