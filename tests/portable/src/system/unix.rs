//! The same on Linux and macOS.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::Places;

/// The config's `keyring`: a store that every machine has, and each test for itself.
pub const KEYRING: &str = "test";

/// Whether it outlives a reboot.
pub const SURVIVES: bool = true;

/// A connection to the daemon, as the system has it.
pub type Connection = UnixStream;

/// A socket that is cut off is at its end, like one that is closed.
pub const CUT_OFF: Option<i32> = None;

/// Connects.
///
/// # Errors
/// If nobody listens.
pub fn connect(endpoint: &Path) -> io::Result<Connection> {
    UnixStream::connect(endpoint)
}

/// A folder that nobody else may enter.
///
/// # Panics
/// If there is no room.
#[must_use]
pub fn private_folder() -> TempDir {
    let mode = Permissions::from_mode(0o700);
    let folder = tempfile::Builder::new().prefix("securid-").permissions(mode).tempdir();
    folder.expect("there is room")
}

/// Where the daemon of this house listens.
#[must_use]
pub fn endpoint(house: &Path) -> PathBuf {
    house.join("sessiond.sock")
}

/// SIGTERM; fine if it has ended.
pub fn ask_to_end(child: &Child) {
    let _ = kill_process(Pid::from_child(child), Signal::TERM);
}

/// An environment in which nothing points out of the house.
pub fn furnish(command: &mut Command, house: &Path) {
    command.env("HOME", house.join("home")).env("SECURID_TEST_STORE", house.join("store"));
    for name in ["XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"] {
        command.env_remove(name);
    }
    for bus in ["DBUS_SESSION_BUS_ADDRESS", "DBUS_SYSTEM_BUS_ADDRESS"] {
        command.env(bus, format!("unix:path={}", house.join("bus").display()));
    }
}

/// How many secrets the daemons of this house have in the keyring.
#[must_use]
pub fn secrets(house: &Path, _state_dir: &Path) -> usize {
    let files = fs::read_dir(house.join("store")).into_iter().flatten().flatten();
    files.filter(|file| file.path().extension().is_none_or(|end| end != "tmp")).count()
}

/// Takes them out of it.
pub fn forget_secrets(_house: &Path, _state_dir: &Path) {
    // They are in the house's own folder.
}

/// Where things are for a user whose home is in this house, by the contract.
#[must_use]
pub fn places(house: &Path) -> Places {
    let home = house.join("home");
    if cfg!(target_os = "macos") {
        let support = "Library/Application Support/securid";
        let machine = Path::new("/Library/Application Support/securid");
        return Places {
            config: vec![
                machine.join("config.toml"),
                machine.join("config.d"),
                home.join(support).join("config.toml"),
            ],
            state_dir: home.join(support).join("state"),
            endpoint: PathBuf::new(),
        };
    }
    let uid = rustix::process::geteuid().as_raw();
    Places {
        config: vec![
            "/etc/securid/config.toml".into(),
            "/etc/securid/config.d".into(),
            home.join(".config/securid/config.toml"),
        ],
        state_dir: home.join(".local/state/securid"),
        endpoint: format!("/run/user/{uid}/securid/sessiond.sock").into(),
    }
}
