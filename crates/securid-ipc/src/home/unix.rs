//! Homes that come along with `runuser`.

use std::{
    env,
    os::unix::{fs::MetadataExt as _, process::CommandExt as _},
    path::Path,
    process::Command,
};

use rustix::{
    fs::{Access, access},
    io::Errno,
    process::getuid,
};

/// What says where a user's files are.
const FOLDERS: [&str; 4] = ["HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"];

/// Runs this program anew without those folders of its environment that are somebody else's and closed to
/// its user; returns if there are none. To be called first of all.
///
/// With `runuser -u USER -- …`, as hooks and package scripts use it, root's environment comes along.
/// Records would be looked for in root's home, and none found. Without `HOME` the user database is
/// asked. A folder of his own that is closed for a while, as a home on a network whose ticket has expired, stays
/// named: nobody may take its records for none. A program cannot safely change its own environment, but it can be run with another one.
pub fn leave_closed_ones() {
    let is_closed = |name: &&str| {
        let folder = env::var_os(name).filter(|it| !it.is_empty());
        folder.is_some_and(|folder| {
            access(&*folder, Access::EXEC_OK) == Err(Errno::ACCESS) && !is_ours(Path::new(&folder))
        })
    };
    let closed: Vec<_> = FOLDERS.into_iter().filter(is_closed).collect();
    if !closed.is_empty()
        && let Ok(us) = env::current_exe()
    {
        let mut command = Command::new(us);
        command.args(env::args_os().skip(1));
        for name in closed {
            command.env_remove(name);
        }
        // It returns only if that fails; then the environment is taken as it is.
        let _ = command.exec();
    }
}

/// Whose a folder is that cannot be looked at, the one above it tells.
fn is_ours(folder: &Path) -> bool {
    let nearest = folder.ancestors().find_map(|folder| folder.metadata().ok());
    nearest.is_some_and(|found| found.uid() == getuid().as_raw())
}
