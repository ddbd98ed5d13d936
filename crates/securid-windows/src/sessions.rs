//! Who is logged in at this machine, at its console and from afar.

use std::{ffi::c_void, io, ptr::null_mut, slice};

use windows_sys::Win32::System::{
    RemoteDesktop::{
        ProcessIdToSessionId, WTS_CONNECTSTATE_CLASS, WTS_CURRENT_SERVER_HANDLE, WTS_INFO_CLASS,
        WTS_SESSION_INFOW, WTSActive, WTSDisconnected, WTSDomainName, WTSEnumerateSessionsW,
        WTSFreeMemory, WTSQuerySessionInformationW, WTSUserName,
    },
    Threading::GetCurrentProcessId,
};

/// A login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The system's number for it.
    pub id: u32,
    /// Whether somebody is, or was, at work in it: it is shown, or was left for a while and goes on.
    pub is_open: bool,
    /// Whose it is, and of which machine or domain; empty where nobody has logged in.
    pub user: (String, String),
}

/// All that there are.
///
/// # Errors
/// If the system does not tell.
pub fn all() -> io::Result<Vec<Session>> {
    let (mut first, mut count) = (null_mut(), 0);
    // SAFETY: both are locals, which it writes to.
    let outcome =
        unsafe { WTSEnumerateSessionsW(WTS_CURRENT_SERVER_HANDLE, 0, 1, &mut first, &mut count) };
    if outcome == 0 {
        return Err(io::Error::last_os_error());
    }
    let memory = Memory(first.cast());
    let found: &[WTS_SESSION_INFOW] = match first.is_null() {
        true => &[],
        // SAFETY: so many are there, until they are given back below.
        false => unsafe { slice::from_raw_parts(first, count as usize) },
    };
    let sessions = found.iter().map(|found| {
        let state: WTS_CONNECTSTATE_CLASS = found.State;
        Ok(Session {
            id: found.SessionId,
            is_open: state == WTSActive || state == WTSDisconnected,
            user: (text(found.SessionId, WTSUserName)?, text(found.SessionId, WTSDomainName)?),
        })
    });
    let sessions = sessions.collect();
    drop(memory);
    sessions
}

/// The number of the login that this process belongs to.
///
/// # Errors
/// If the system does not tell.
pub fn own() -> io::Result<u32> {
    let mut id = 0;
    // SAFETY: the number is written to a local.
    match unsafe { ProcessIdToSessionId(GetCurrentProcessId(), &mut id) } {
        0 => Err(io::Error::last_os_error()),
        _ => Ok(id),
    }
}

fn text(session: u32, what: WTS_INFO_CLASS) -> io::Result<String> {
    let (mut text, mut bytes) = (null_mut(), 0);
    // SAFETY: both are locals, which it writes to.
    let outcome = unsafe {
        WTSQuerySessionInformationW(WTS_CURRENT_SERVER_HANDLE, session, what, &mut text, &mut bytes)
    };
    if outcome == 0 {
        return Err(io::Error::last_os_error());
    }
    let memory = Memory(text.cast());
    let units: &[u16] = match text.is_null() {
        true => &[],
        // SAFETY: so many bytes are there, until they are given back below.
        false => unsafe { slice::from_raw_parts(text, bytes as usize / 2) },
    };
    // It ends with a zero.
    let units = units.split(|unit| *unit == 0).next().unwrap_or_default();
    let text = String::from_utf16_lossy(units);
    drop(memory);
    Ok(text)
}

/// What the system has given us, to be given back.
struct Memory(*mut c_void);

impl Drop for Memory {
    fn drop(&mut self) {
        if !self.0.is_null() {
            // SAFETY: it came from the same part of the system, and nobody has it any more.
            unsafe { WTSFreeMemory(self.0) };
        }
    }
}
