//! Who a user is: his SID, which no other user ever has.

use std::{
    fmt, io,
    os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle},
    ptr::null_mut,
    slice,
};

use windows_sys::Win32::Security::{
    GetLengthSid, GetTokenInformation, PSID, SECURITY_MAX_SID_SIZE, TOKEN_QUERY, TOKEN_USER,
    TokenUser,
};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};

/// The only revision that there is.
const REVISION: u8 = 1;

/// How long the part before the numbers is, in bytes: revision, count, authority.
const HEAD: usize = 8;

/// What the system writes of a token's user, which points into itself, in bytes.
const ROOM: usize = size_of::<TOKEN_USER>() + SECURITY_MAX_SID_SIZE as usize;

/// A SID, of a user or a group. Shown as the system writes it, `S-1-5-…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sid {
    authority: u64,
    numbers: Vec<u32>,
}

impl Sid {
    /// `S-1-AUTHORITY-NUMBER-…`
    #[must_use]
    pub fn new(authority: u64, numbers: &[u32]) -> Self {
        Self { authority, numbers: numbers.to_vec() }
    }

    /// The one that stands at the beginning of these bytes; none if they are too few, or of another revision.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (&[revision, count, a, b, c, d, e, f], rest) = bytes.split_first_chunk::<HEAD>()?;
        let numbers = rest.get(..4 * usize::from(count))?.as_chunks::<4>().0;
        (revision == REVISION).then(|| Self {
            authority: u64::from_be_bytes([0, 0, a, b, c, d, e, f]),
            numbers: numbers.iter().copied().map(u32::from_le_bytes).collect(),
        })
    }

    /// A copy; none of one of another revision.
    ///
    /// # Safety
    /// It has to be a valid one, for as long as this runs.
    pub(crate) unsafe fn copied(sid: PSID) -> Option<Self> {
        // SAFETY: it is valid, as the caller promises, so as many bytes belong to it.
        Self::read(unsafe { slice::from_raw_parts(sid.cast(), GetLengthSid(sid) as usize) })
    }

    /// Who gave the first of the numbers their meaning: 5 is Windows NT.
    #[must_use]
    pub fn authority(&self) -> u64 {
        self.authority
    }

    /// What follows, from the general to the particular.
    #[must_use]
    pub fn numbers(&self) -> &[u32] {
        &self.numbers
    }
}

impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Larger ones are written otherwise; there are none.
        write!(f, "S-{REVISION}-{}", self.authority)?;
        self.numbers.iter().try_for_each(|number| write!(f, "-{number}"))
    }
}

/// The user that this process runs as.
///
/// # Errors
/// If the system does not tell.
pub fn this_user() -> io::Result<Sid> {
    let mut token = null_mut();
    // SAFETY: the process's own handle is always good, and `token` has room for what is written.
    if unsafe { OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &raw mut token) } == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it was opened just now, and nobody else has it.
    of_token(&unsafe { OwnedHandle::from_raw_handle(token) })
}

/// The user of a token that may be queried.
pub(crate) fn of_token(token: &OwnedHandle) -> io::Result<Sid> {
    let mut room = [0_u64; ROOM.div_ceil(8)];
    let place = room.as_mut_ptr();
    let size = u32::try_from(size_of_val(&room)).unwrap_or_default();
    let mut used = 0;
    // SAFETY: the token is open, and no more than `size` bytes are written.
    let told = unsafe {
        GetTokenInformation(token.as_raw_handle(), TokenUser, place.cast(), size, &raw mut used)
    };
    if told == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: that is what was written, `room` is aligned for it, and its SID is in `room` too.
    let user = unsafe { Sid::copied((*place.cast::<TOKEN_USER>()).User.Sid) };
    user.ok_or_else(|| io::ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn we_are_somebody() {
        let us = this_user().unwrap();
        assert_eq!(us.authority(), 5);
        assert_eq!(us, this_user().unwrap());
    }

    #[test]
    fn is_read_as_far_as_it_goes() {
        let bytes = [1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0, 7];
        let administrators = Sid::new(5, &[32, 544]);
        assert_eq!(Sid::read(&bytes), Some(administrators.clone()));
        assert_eq!(administrators.to_string(), "S-1-5-32-544");
        assert_eq!(Sid::read(&bytes[..15]), None);
        assert_eq!(Sid::read(&[]), None);
        assert_eq!(Sid::read(&[2, 0, 0, 0, 0, 0, 0, 5]), None);
    }
}
