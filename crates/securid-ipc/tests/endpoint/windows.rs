//! Pipes.

use std::{
    fs::{File, OpenOptions},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use tempfile::TempDir;
use tokio::{net::windows::named_pipe::ClientOptions, time::sleep};

pub(crate) type Stream = tokio::net::windows::named_pipe::NamedPipeClient;

/// The server has no room for one more client just now (`ERROR_PIPE_BUSY`).
const BUSY: i32 = 231;

/// A folder that is its owner's alone, as each in his profile is.
pub(crate) fn private_folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// Where the server of this folder is to be found: the folder has a name that no other has.
pub(crate) fn place(home: &Path) -> PathBuf {
    let name = home.file_name().unwrap().to_str().unwrap();
    PathBuf::from(format!(r"\\.\pipe\securid-test-{}-{name}", std::process::id()))
}

/// Whether a client would find a server: one that only serves those who are connected is found, and has no room.
pub(crate) fn is_there(place: &Path) -> bool {
    ClientOptions::new().open(place).is_ok()
}

/// Waits as long as is reasonable for the server to have room.
pub(crate) async fn connect(place: &Path) -> io::Result<Stream> {
    let mut tries = 100;
    loop {
        tries -= 1;
        match ClientOptions::new().open(place) {
            Err(error) if error.raw_os_error() == Some(BUSY) && tries > 0 => {
                sleep(Duration::from_millis(10)).await;
            }
            opened => return opened,
        }
    }
}

/// Closes it, so that this is seen at the other end. The runtime does so only when it has had a look at what it was reading.
pub(crate) async fn close(stream: Stream) {
    drop(stream);
    sleep(Duration::from_millis(50)).await;
}

/// Connects without letting any server in this thread run meanwhile.
pub(crate) fn connect_at_once(place: &Path) -> File {
    OpenOptions::new().read(true).write(true).open(place).unwrap()
}
