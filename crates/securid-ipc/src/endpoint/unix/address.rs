//! A socket's path: as `interprocess` wants it, and the folder in it.

use std::{io, os::unix::ffi::OsStrExt as _, path::Path};

use interprocess::local_socket::{GenericFilePath, Name, ToFsName as _};

use crate::paths::SOCKET_PATH_LIMIT;

/// The name of the socket at this path, or `None` if the path is too long for a Unix socket.
///
/// Always a path in the file system: a namespaced name would be an abstract socket, which has no
/// permissions.
pub(super) fn name(path: &Path) -> Option<io::Result<Name<'_>>> {
    let fits = path.as_os_str().as_bytes().len() <= SOCKET_PATH_LIMIT;
    fits.then(|| path.to_fs_name::<GenericFilePath>())
}

/// The folder that a socket is in.
pub(super) fn folder(socket: &Path) -> &Path {
    // A bare file name is in the current folder.
    socket.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
