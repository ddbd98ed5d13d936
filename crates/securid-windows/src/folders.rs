//! Where the system keeps whose data.

use std::{
    ffi::OsString, io, os::windows::ffi::OsStringExt as _, path::PathBuf, ptr::null_mut, slice,
};

use windows_sys::{
    Win32::{
        System::Com::CoTaskMemFree,
        UI::Shell::{
            FOLDERID_LocalAppData, FOLDERID_ProgramData, FOLDERID_RoamingAppData, FOLDERID_System,
            KF_FLAG_DONT_VERIFY, SHGetKnownFolderPath,
        },
    },
    core::PWSTR,
};

/// A folder that every machine or user has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Folder {
    /// The data of this user that follow him to other machines.
    RoamingAppData,
    /// Those that stay on this one.
    LocalAppData,
    /// The machine's.
    ProgramData,
    /// The programs of the system itself.
    System,
}

/// Where it is, whether it is there or not; whatever the environment says.
///
/// # Errors
/// If the system does not know.
pub fn known(folder: Folder) -> io::Result<PathBuf> {
    let id = match folder {
        Folder::RoamingAppData => FOLDERID_RoamingAppData,
        Folder::LocalAppData => FOLDERID_LocalAppData,
        Folder::ProgramData => FOLDERID_ProgramData,
        Folder::System => FOLDERID_System,
    };
    let mut path: PWSTR = null_mut();
    // A folder that hangs, as on a network, is not looked at.
    let flags = KF_FLAG_DONT_VERIFY.cast_unsigned();
    // SAFETY: the id and the place for the path are ours, and no token means this user's.
    let told = unsafe { SHGetKnownFolderPath(&raw const id, flags, null_mut(), &raw mut path) };
    let found = (told >= 0 && !path.is_null()).then(|| {
        // SAFETY: a text of the system's, with a zero at its end.
        let length = (0..).take_while(|at| unsafe { *path.add(*at) } != 0).count();
        // SAFETY: it is as long as was counted.
        PathBuf::from(OsString::from_wide(unsafe { slice::from_raw_parts(path, length) }))
    });
    // SAFETY: it has to be freed so, whether there is one or not, and nobody has it any more.
    unsafe { CoTaskMemFree(path.cast()) };
    found.ok_or_else(|| io::Error::from_raw_os_error(told))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn each_is_somewhere_else() {
        let all = [Folder::RoamingAppData, Folder::LocalAppData, Folder::ProgramData];
        let [roaming, local, machine] = all.map(|folder| known(folder).unwrap());
        assert!(roaming.is_absolute() && local.is_absolute() && machine.is_absolute());
        assert!(roaming != local && local != machine && machine != roaming);
    }
}
