//! The lock as Windows has it: on bytes, which nobody else can read then.

use std::fs::File;
use std::io;

use securid_windows::file::try_lock_byte;

/// Far behind the number of the process that is in the file, so that others can read that.
const AT: u64 = 1 << 62;

/// Locks the file at once or not at all; whether that worked.
pub(super) fn try_lock(file: &File) -> io::Result<bool> {
    try_lock_byte(file, AT)
}
