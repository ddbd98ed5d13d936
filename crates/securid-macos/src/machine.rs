//! Which machine this is, and which boot.

use std::ffi::CStr;
use std::fmt::Write as _;
use std::io;
use std::ptr::null_mut;

/// The id of the hardware, as 32 hex digits.
///
/// # Errors
/// What the system says; it is given a second.
pub fn host_uuid() -> io::Result<String> {
    let mut id = [0; 16];
    let wait = libc::timespec { tv_sec: 1, tv_nsec: 0 };
    // SAFETY: it writes 16 bytes, which are ours, and reads the time, which is, too.
    if unsafe { libc::gethostuuid(id.as_mut_ptr(), &raw const wait) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(id.iter().fold(String::new(), |mut text, byte| {
        // A text takes whatever is written to it.
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

/// The id of this boot, which the kernel draws at random: `kern.bootsessionuuid`.
///
/// # Errors
/// What the system says.
pub fn boot_session() -> io::Result<String> {
    // A UUID has 36 characters, and a zero at its end.
    let mut text = [0_u8; 64];
    let mut length = text.len();
    let name = c"kern.bootsessionuuid";
    // SAFETY: the name ends with a zero, the place is ours and as long as is said, and nothing is set.
    let told = unsafe {
        let place = text.as_mut_ptr().cast();
        libc::sysctlbyname(name.as_ptr(), place, &raw mut length, null_mut(), 0)
    };
    if told != 0 {
        return Err(io::Error::last_os_error());
    }
    let text = CStr::from_bytes_until_nul(&text).map_err(io::Error::other)?;
    match text.to_str() {
        Ok(id) if !id.is_empty() => Ok(id.to_owned()),
        _ => Err(io::Error::other("it is no id")),
    }
}
