//! A home, and a socket in it.

use std::{
    ffi::OsString,
    fs::Permissions,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

pub(super) fn private_folder() -> TempDir {
    tempfile::Builder::new().permissions(Permissions::from_mode(0o700)).tempdir().unwrap()
}

pub(super) fn socket(home: &Path) -> PathBuf {
    home.join("s.sock")
}

/// What says where the home is.
pub(super) fn home(home: &Path) -> Vec<(&'static str, OsString)> {
    vec![("HOME", home.into())]
}
