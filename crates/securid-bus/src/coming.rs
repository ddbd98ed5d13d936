//! The coming of a bus, as its folder tells it: a machine that has none is not woken to look for it.

use std::ffi::OsString;
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixDatagram as Unnamed;
use std::path::{Path, PathBuf};

use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use rustix::io::Errno;
use tokio::io::Interest;
use tokio::net::UnixDatagram;

use crate::address::Bus;

/// Room for what is told at once: a name has at most 255 bytes, and 16 come before it.
const ROOM: usize = 1024;

/// The folder of a bus's socket, or the nearest one above it that there is.
///
/// What is waited for is an inotify descriptor, which tokio takes for a socket without a name: its own way to wait for a foreign
/// descriptor is unsafe.
pub struct Coming {
    news: UnixDatagram,
    socket: PathBuf,
    /// What has to appear in the folder.
    awaited: OsString,
}

impl Coming {
    /// Looks out for this bus from now on.
    ///
    /// # Errors
    /// If its address is not that of one socket in the file system, or if the system refuses to tell.
    pub fn of(bus: Bus) -> io::Result<Self> {
        let address = bus.address().map_err(io::Error::other)?;
        let socket = path(&address).ok_or(io::ErrorKind::Unsupported)?;
        Self::at(socket)
    }

    /// Whether something is in the socket's place.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.socket.symlink_metadata().is_ok()
    }

    /// Waits until the socket, or a folder on the way to it, may have come.
    ///
    /// # Errors
    /// If the system tells no more.
    pub async fn wait(&self) -> io::Result<()> {
        while !self.news.async_io(Interest::READABLE, || self.heard()).await? {}
        Ok(())
    }

    fn at(socket: &Path) -> io::Result<Self> {
        let news = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        let comes = WatchFlags::CREATE | WatchFlags::MOVED_TO | WatchFlags::ONLYDIR;
        // Its own end is news as well: another folder is the nearest one then.
        let goes = WatchFlags::DELETE_SELF | WatchFlags::MOVE_SELF;
        for (folder, below) in socket.ancestors().skip(1).zip(socket.ancestors()) {
            match inotify::add_watch(&news, folder, comes | goes) {
                Ok(_) => {
                    let awaited = below.file_name().unwrap_or_default().to_owned();
                    let news = UnixDatagram::from_std(Unnamed::from(news))?;
                    return Ok(Self { news, socket: socket.to_owned(), awaited });
                }
                Err(Errno::NOENT) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(io::ErrorKind::NotFound.into())
    }

    /// Takes in what is told, and says whether any of it matters.
    fn heard(&self) -> io::Result<bool> {
        let mut room = [MaybeUninit::uninit(); ROOM];
        let mut told = inotify::Reader::new(&self.news, &mut room);
        loop {
            let event = told.next()?;
            // Without a name it is about the folder itself, or more has happened than could be kept for us.
            let matters = |name: &std::ffi::CStr| name.to_bytes() == self.awaited.as_bytes();
            if event.file_name().is_none_or(matters) {
                return Ok(true);
            }
            if told.is_buffer_empty() {
                return Ok(false);
            }
        }
    }
}

/// The socket's path, if that is all that the address says.
fn path(address: &str) -> Option<&Path> {
    let path = address.strip_prefix("unix:path=")?;
    let plain = path.starts_with('/') && !path.contains([';', ',', '%']);
    plain.then(|| Path::new(path))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;
    use std::os::unix::net::UnixListener;
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    /// How long what is told may take on a busy machine.
    const PATIENCE: Duration = Duration::from_secs(30);

    /// How long nothing has to be told for it to count as nothing.
    const SILENCE: Duration = Duration::from_millis(50);

    async fn is_told(coming: &Coming) {
        timeout(PATIENCE, coming.wait()).await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn folders_and_socket_are_told_one_after_the_other_and_nothing_else_is() {
        let home = tempfile::tempdir().unwrap();
        let socket = home.path().join("run/dbus/socket");
        let coming = Coming::at(&socket).unwrap();
        fs::write(home.path().join("another"), "").unwrap();
        assert!(timeout(SILENCE, coming.wait()).await.is_err());
        for folder in ["run", "run/dbus"] {
            let coming = Coming::at(&socket).unwrap();
            fs::create_dir(home.path().join(folder)).unwrap();
            is_told(&coming).await;
            assert!(!coming.is_there());
        }
        let coming = Coming::at(&socket).unwrap();
        let _bus = UnixListener::bind(&socket).unwrap();
        is_told(&coming).await;
        assert!(coming.is_there());
    }

    #[tokio::test]
    async fn a_folder_that_goes_is_told() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("run");
        fs::create_dir(&folder).unwrap();
        let coming = Coming::at(&folder.join("socket")).unwrap();
        fs::remove_dir(&folder).unwrap();
        is_told(&coming).await;
    }

    #[test]
    fn only_a_plain_path_is_looked_at() {
        assert_eq!(path("unix:path=/run/bus"), Some(Path::new("/run/bus")));
        let others =
            ["unix:path=/a;unix:path=/b", "unix:path=/a%20b", "unix:abstract=/a", "unix:path=a"];
        assert!(others.iter().all(|address| path(address).is_none()));
    }
}
