//! Building the daemon and its command line, beside this program.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::linux::trouble::Trouble;

/// Builds both programs as this one was built; the folder in which they are. Those of the tests
/// (`SECURID_BIN_DIR`) are taken as they are.
///
/// The daemon gets the store of the demo and the tests, in case the kernel's keyring is barred.
pub(crate) fn build() -> Result<PathBuf, Trouble> {
    if let Some(built) = env::var_os("SECURID_BIN_DIR") {
        return Ok(built.into());
    }
    let cannot = |why: &str| Trouble::Build(why.to_owned());
    let ourselves = env::current_exe()?;
    // TARGET/PROFILE/securid-demo
    let folder = ourselves.parent().ok_or_else(|| cannot("this program is in no folder"))?;
    let target = folder.parent().ok_or_else(|| cannot("this program is in no target folder"))?;
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        // The one profile whose folder has another name.
        Some("debug") => "dev",
        Some(profile) => profile,
        None => return Err(cannot("the target folder's name is no UTF-8")),
    };

    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(&cargo);
    // What `cargo run` tells about this package would make build scripts of others run anew.
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            build.env_remove(&name);
        }
    }
    let built = build
        .args(["build", "--quiet", "-p", "securid-sessiond", "-p", "securid-ctl"])
        .args(["--features", "securid-sessiond/test-store", "--profile", profile])
        .arg("--target-dir")
        .arg(target)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .status()
        .map_err(|error| Trouble::Build(format!("{}: {error}", cargo.display())))?;
    if !built.success() {
        return Err(cannot("see above"));
    }
    Ok(folder.to_owned())
}
