//! What a handle is open to.

use std::os::windows::io::{AsHandle, AsRawHandle as _};

use windows_sys::Win32::Storage::FileSystem::{FILE_TYPE_DISK, GetFileType};

/// Whether it is a file or a folder, and not a pipe, a console or another device.
#[must_use]
pub fn is_on_disk(thing: &impl AsHandle) -> bool {
    // SAFETY: the handle is borrowed, so it is open.
    unsafe { GetFileType(thing.as_handle().as_raw_handle()) == FILE_TYPE_DISK }
}
