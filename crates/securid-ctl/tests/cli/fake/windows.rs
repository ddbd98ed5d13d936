//! A home, and a pipe that has its name.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

pub(super) fn private_folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// Pipes stand in no folder, so the home's own name tells them apart.
pub(super) fn socket(home: &Path) -> PathBuf {
    let name = home.file_name().unwrap().to_str().unwrap();
    format!(r"\\.\pipe\securid-ctl-{}-{name}", std::process::id()).into()
}

/// What says where the home is, and what no program of Windows runs without.
pub(super) fn home(home: &Path) -> Vec<(&'static str, OsString)> {
    let mut all = vec![
        ("USERPROFILE", home.into()),
        ("APPDATA", home.join("Roaming").into()),
        ("LOCALAPPDATA", home.join("Local").into()),
    ];
    for name in ["SystemRoot", "ComSpec", "PATHEXT"] {
        all.extend(env::var_os(name).map(|value| (name, value)));
    }
    all
}
