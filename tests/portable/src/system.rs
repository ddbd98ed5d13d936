//! What each system does in its own way: endpoints, ends, keyrings, an environment of one's own.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub use unix::{
    CUT_OFF, Connection, KEYRING, SURVIVES, ask_to_end, connect, endpoint, forget_secrets, furnish,
    places, private_folder, secrets,
};
#[cfg(windows)]
pub use windows::{
    CUT_OFF, Connection, KEYRING, SURVIVES, ask_to_end, connect, console, endpoint, forget_secrets,
    furnish, places, private_folder, secrets,
};

use std::path::PathBuf;

/// Where things are, with the folders of one user as they are told to a program.
#[derive(Debug)]
pub struct Places {
    /// The config's files, in the order of their layers.
    pub config: Vec<PathBuf>,
    /// The records' folder.
    pub state_dir: PathBuf,
    /// The first of the endpoints that are tried.
    pub endpoint: PathBuf,
}
