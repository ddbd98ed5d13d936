//! Credential Manager: the generic credentials of the user who is logged on, on this machine alone.
//!
//! Names are compared without regard to case. What the system copies for us is wiped before it gets it back.

use std::ffi::c_void;
use std::io;
use std::ptr::{null_mut, slice_from_raw_parts_mut};

use windows_sys::Win32::Foundation::{ERROR_INVALID_PARAMETER, ERROR_NOT_FOUND};
use windows_sys::Win32::Security::Credentials::{
    CRED_MAX_CREDENTIAL_BLOB_SIZE, CRED_MAX_STRING_LENGTH, CRED_PERSIST_LOCAL_MACHINE,
    CRED_TYPE_GENERIC, CREDENTIALW, CredDeleteW, CredEnumerateW, CredFree, CredReadW, CredWriteW,
};
use zeroize::Zeroize;

use crate::text::wide;

/// No secret is longer, in bytes.
pub const LONGEST_SECRET: usize = CRED_MAX_CREDENTIAL_BLOB_SIZE as usize;

/// Stores a secret under this name, in place of any other there. It stays on this machine, and does not roam with the
/// user's profile. Of the comment, which its manager shows, only the first 255 UTF-16 units are kept.
///
/// # Errors
/// If it is longer than [`LONGEST_SECRET`]; or what the system says: `ERROR_NO_SUCH_LOGON_SESSION` if this logon has no credentials.
pub fn write(name: &str, comment: &str, secret: &[u8]) -> io::Result<()> {
    if secret.len() > LONGEST_SECRET {
        return Err(failure(ERROR_INVALID_PARAMETER));
    }
    let mut name = wide(name.as_ref())?;
    let mut comment = wide(comment.as_ref())?;
    if comment.len() > CRED_MAX_STRING_LENGTH as usize {
        comment.truncate(CRED_MAX_STRING_LENGTH as usize - 1);
        comment.push(0);
    }
    let credential = CREDENTIALW {
        Type: CRED_TYPE_GENERIC,
        TargetName: name.as_mut_ptr(),
        Comment: comment.as_mut_ptr(),
        CredentialBlobSize: u32::try_from(secret.len()).unwrap_or_default(),
        // It is read only, though the structure, which serves both ways, does not say so.
        CredentialBlob: secret.as_ptr().cast_mut(),
        Persist: CRED_PERSIST_LOCAL_MACHINE,
        ..CREDENTIALW::default()
    };
    // SAFETY: both texts end with a zero, the secret has as many bytes as is said, all three outlive the call, and what is
    // left out is null or zero, which the call takes for nothing.
    done(unsafe { CredWriteW(&raw const credential, 0) })
}

/// Gives the secret under this name to `take`; `None` if there is definitely none.
///
/// # Errors
/// What the system says.
pub fn read<T>(name: &str, take: impl FnOnce(&[u8]) -> T) -> io::Result<Option<T>> {
    let name = wide(name.as_ref())?;
    let mut found: *mut CREDENTIALW = null_mut();
    // SAFETY: the name ends with a zero, and the pointer that is to be set is ours.
    let read = done(unsafe { CredReadW(name.as_ptr(), CRED_TYPE_GENERIC, 0, &raw mut found) });
    match read {
        Err(error) if is_absent(&error) => return Ok(None),
        other => other?,
    }
    // To be given back whatever `take` does.
    let found = Found { block: found.cast(), all: vec![found] };
    // SAFETY: it is the one that was just given to us.
    let taken = found.all.first().map(|&one| take(unsafe { secret(one) }));
    Ok(taken)
}

/// Deletes what is under this name; whether there was something.
///
/// # Errors
/// What the system says.
pub fn delete(name: &str) -> io::Result<bool> {
    let name = wide(name.as_ref())?;
    // SAFETY: the name ends with a zero.
    match done(unsafe { CredDeleteW(name.as_ptr(), CRED_TYPE_GENERIC, 0) }) {
        Ok(()) => Ok(true),
        Err(error) if is_absent(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The names of all generic credentials that begin so.
///
/// # Errors
/// What the system says.
pub fn names(beginning: &str) -> io::Result<Vec<String>> {
    let filter = wide(format!("{beginning}*").as_ref())?;
    let (mut count, mut block) = (0, null_mut());
    // SAFETY: the filter ends with a zero, and what is to be set is ours.
    let listed =
        done(unsafe { CredEnumerateW(filter.as_ptr(), 0, &raw mut count, &raw mut block) });
    match listed {
        Err(error) if is_absent(&error) => return Ok(Vec::new()),
        other => other?,
    }
    // Wine says so, where Windows says that nothing was found.
    if block.is_null() {
        return Ok(Vec::new());
    }
    // SAFETY: the call has set both: the block begins with so many pointers to credentials in it.
    let all = unsafe { std::slice::from_raw_parts(block, count as usize) }.to_vec();
    let found = Found { block: block.cast(), all };
    // SAFETY: each is one of those that were just given to us.
    let about = found.all.iter().map(|&one| unsafe { one.read_unaligned() });
    let generic = about.filter(|one| one.Type == CRED_TYPE_GENERIC);
    Ok(generic.filter_map(|one| text(one.TargetName)).collect())
}

/// What the system has given to us, with the credentials in it. They may lie at any address (Wine puts them right behind
/// their texts).
struct Found {
    block: *mut c_void,
    all: Vec<*mut CREDENTIALW>,
}

impl Drop for Found {
    fn drop(&mut self) {
        for &one in &self.all {
            // SAFETY: nobody borrows from it any more, and the block is not yet given back.
            unsafe {
                let one = one.read_unaligned();
                if !one.CredentialBlob.is_null() {
                    let length = one.CredentialBlobSize as usize;
                    (*slice_from_raw_parts_mut(one.CredentialBlob, length)).zeroize();
                }
            }
        }
        // SAFETY: the system has given it to us to be freed so, and this is the only place that does.
        unsafe { CredFree(self.block) }
    }
}

/// The secret of a credential.
///
/// # Safety
/// It has to be one that the system gave, and it has to stay as it is as long as the secret is borrowed.
unsafe fn secret<'a>(one: *const CREDENTIALW) -> &'a [u8] {
    // SAFETY: as is demanded of the caller.
    let one = unsafe { one.read_unaligned() };
    if one.CredentialBlob.is_null() {
        return &[];
    }
    // SAFETY: the system says that so many bytes are there.
    unsafe { std::slice::from_raw_parts(one.CredentialBlob, one.CredentialBlobSize as usize) }
}

/// The text at this place; none if there is none, or it is no Unicode: then it is not ours.
fn text(place: *const u16) -> Option<String> {
    if place.is_null() {
        return None;
    }
    // SAFETY: a name that the system gives ends with a zero, up to which all of it is readable.
    let unit = |at| unsafe { place.add(at).read_unaligned() };
    let units: Vec<_> = (0..).map(unit).take_while(|&unit| unit != 0).collect();
    String::from_utf16(&units).ok()
}

fn done(result: i32) -> io::Result<()> {
    if result == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn is_absent(error: &io::Error) -> bool {
    error.raw_os_error() == Some(ERROR_NOT_FOUND.cast_signed())
}

fn failure(code: u32) -> io::Error {
    io::Error::from_raw_os_error(code.cast_signed())
}
