use std::{env, path::Path};

use super::super::{Custom, PathError, macos::MacOs};

/// The longest path of a Unix socket in bytes: `sun_path` has 104, one for the final zero.
pub const SOCKET_PATH_LIMIT: usize = 103;

/// That of macOS.
pub(crate) fn custom() -> Result<impl Custom, PathError> {
    // It asks the user database where HOME is unset.
    Ok(MacOs { home: env::home_dir(), user_folder: securid_macos::folders::of_the_user() })
}

/// Whether a system's manager has bound it: there are no such daemons here.
#[must_use]
pub fn is_of_a_system_unit(_: &Path) -> bool {
    false
}
