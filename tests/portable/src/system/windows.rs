//! The same on Windows.
//!
//! - [`console`]: a program at a console, and a person

pub mod console;

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::windows::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use securid_store::{Identity, Namespace};
use securid_windows::folders::{Folder, known};
use securid_windows::window::{Scene, rehearse};
use securid_windows::{credentials, sid};
use tempfile::TempDir;

use super::Places;
use crate::patience::{PATIENCE, eventually};

/// The config's `keyring`.
pub const KEYRING: &str = "credential-manager";

/// Whether it outlives a reboot.
pub const SURVIVES: bool = true;

/// A connection to the daemon, as the system has it.
pub type Connection = File;

/// The server may learn who we are, and no more (`SECURITY_IDENTIFICATION`).
const IDENTIFICATION: u32 = 0x0001_0000;

/// What whoever reads is told when the server has not only closed, but thrown away what was unread
/// (`ERROR_PIPE_NOT_CONNECTED`).
pub const CUT_OFF: Option<i32> = Some(233);

/// No instance of the pipe is free at the moment (`ERROR_PIPE_BUSY`).
const BUSY: i32 = 231;

/// Connects.
///
/// # Errors
/// If nobody listens.
pub fn connect(endpoint: &Path) -> io::Result<Connection> {
    let began = Instant::now();
    loop {
        let mut pipe = OpenOptions::new();
        pipe.read(true).write(true).security_qos_flags(IDENTIFICATION);
        match pipe.open(endpoint) {
            Err(error) if error.raw_os_error() == Some(BUSY) && began.elapsed() < PATIENCE => {
                thread::sleep(Duration::from_millis(5));
            }
            other => return other,
        }
    }
}

/// A folder of this user's.
///
/// # Panics
/// If there is no room.
#[must_use]
pub fn private_folder() -> TempDir {
    tempfile::Builder::new().prefix("securid-").tempdir().expect("there is room")
}

/// Where the daemon of this house listens.
#[must_use]
pub fn endpoint(house: &Path) -> PathBuf {
    let name = house.file_name().expect("it has a name").to_string_lossy();
    PathBuf::from(format!(r"\\.\pipe\{name}"))
}

/// As `taskkill` asks. A daemon has its window soon after there is an active session.
///
/// # Panics
/// If it has none, or hears nothing.
pub fn ask_to_end(child: &Child) {
    eventually("its window to hear", || rehearse(child.id(), Scene::Ask).ok());
}

/// An environment in which nothing points out of the house.
pub fn furnish(command: &mut Command, house: &Path) {
    command.env("APPDATA", house.join("home")).env("LOCALAPPDATA", house.join("home"));
    command.env("SECURID_TEST_STORE", house.join("store"));
}

/// How many secrets the daemons of this house have in the keyring.
///
/// # Panics
/// If the system does not tell.
#[must_use]
pub fn secrets(_house: &Path, state_dir: &Path) -> usize {
    let Some(beginning) = beginning(state_dir) else { return 0 };
    let names = credentials::names(&beginning).expect("it can be searched");
    // A long one has several, with its session's id in each.
    let ids = names.iter().map(|name| name[beginning.len()..].split(':').next());
    ids.collect::<BTreeSet<_>>().len()
}

/// Takes them out of it.
///
/// # Panics
/// If the system refuses.
pub fn forget_secrets(_house: &Path, state_dir: &Path) {
    let Some(beginning) = beginning(state_dir) else { return };
    for name in credentials::names(&beginning).expect("it can be searched") {
        credentials::delete(&name).expect("it is ours");
    }
}

/// What the names of this house's secrets begin with; none without a state folder, for it never had one.
fn beginning(state_dir: &Path) -> Option<String> {
    let path = state_dir.canonicalize().ok()?;
    let identity = Identity::read().expect("this machine has an id");
    Some(format!("{}:", Namespace::new(&identity.machine, &path).as_str()))
}

/// Where things are for a user whose folders are in this house, by the contract.
///
/// # Panics
/// If the system does not tell.
#[must_use]
pub fn places(house: &Path) -> Places {
    let machine = known(Folder::ProgramData).expect("it has one").join("securid");
    let own = house.join("home").join("securid");
    let user = sid::this_user().expect("this process is somebody's");
    Places {
        config: vec![
            machine.join("config.toml"),
            machine.join("config.d"),
            own.join("config.toml"),
        ],
        state_dir: own.join("state"),
        endpoint: format!(r"\\.\pipe\securid-sessiond-{user}").into(),
    }
}
