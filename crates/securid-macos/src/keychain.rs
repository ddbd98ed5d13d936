//! Whether the default keychain is unlocked, which the crates for keychains do not tell.

use std::ffi::c_void;
use std::ptr::null_mut;

/// `kSecUnlockStateStatus`.
const UNLOCKED: u32 = 1;

// SAFETY: it is declared as in the header that is named.
#[link(name = "Security", kind = "framework")]
unsafe extern "C" {
    /// Security/SecKeychain.h; no keychain stands for the default one.
    fn SecKeychainGetStatus(keychain: *mut c_void, status: *mut u32) -> i32;
}

/// Whether the user's default keychain is unlocked.
///
/// # Errors
/// The system's number for why that cannot be told.
pub fn default_is_unlocked() -> Result<bool, i32> {
    let mut status = 0;
    // SAFETY: no keychain is a valid one, and the place is ours.
    match unsafe { SecKeychainGetStatus(null_mut(), &raw mut status) } {
        0 => Ok(status & UNLOCKED != 0),
        code => Err(code),
    }
}
