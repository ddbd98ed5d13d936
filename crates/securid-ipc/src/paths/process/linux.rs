use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
};

use super::super::{
    Custom, PathError,
    linux::{Linux, SYSTEM_SOCKETS},
};

/// The longest path of a Unix socket in bytes: `sun_path` has 108, one for the final zero.
pub const SOCKET_PATH_LIMIT: usize = 107;

/// That of Linux.
pub(crate) fn custom() -> Result<impl Custom, PathError> {
    // It asks the user database where HOME is unset.
    let home = || env::home_dir().map(PathBuf::into_os_string);
    let variable = move |name: &str| -> Option<OsString> {
        match name {
            "HOME" => home(),
            _ => env::var_os(name),
        }
    };
    Ok(Linux { variable, uid: rustix::process::getuid().as_raw() })
}

/// Whether systemd has bound the socket at this path for a system unit.
#[must_use]
pub fn is_of_a_system_unit(socket: &Path) -> bool {
    socket.starts_with(SYSTEM_SOCKETS)
}
