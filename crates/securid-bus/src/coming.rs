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

/// A look-out for a bus: the folder of its socket is watched, or the nearest one above it that there is.
///
/// What is waited for is an inotify descriptor, which tokio takes for a socket without a name: its own way to wait for a foreign
/// descriptor is unsafe. It is kept, since the kernel may take 20 ms to close one.
pub struct Coming {
    socket: PathBuf,
    /// None as long as nobody had to look out.
    news: Option<UnixDatagram>,
    /// What has to appear in the folder that is watched.
    awaited: OsString,
}

impl Coming {
    /// Of this bus. Nothing is watched yet.
    ///
    /// # Errors
    /// If its address is not that of one socket in the file system.
    pub fn of(bus: Bus) -> io::Result<Self> {
        let address = bus.address().map_err(io::Error::other)?;
        let socket = path(&address).ok_or(io::ErrorKind::Unsupported)?;
        Ok(Self::at(socket))
    }

    /// Looks out for it from now on, and says whether there is nothing in its place.
    ///
    /// # Errors
    /// If the system refuses to tell.
    pub fn look_out(&mut self) -> io::Result<bool> {
        let news = match self.news.take() {
            Some(news) => news,
            None => {
                let news = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
                UnixDatagram::from_std(Unnamed::from(news))?
            }
        };
        let news = self.news.insert(news);
        let comes = WatchFlags::CREATE | WatchFlags::MOVED_TO | WatchFlags::ONLYDIR;
        // Its own end is news as well: another folder is the nearest one then.
        let goes = WatchFlags::DELETE_SELF | WatchFlags::MOVE_SELF;
        for (folder, below) in self.socket.ancestors().skip(1).zip(self.socket.ancestors()) {
            match inotify::add_watch(&*news, folder, comes | goes) {
                Ok(_) => {
                    self.awaited = below.file_name().unwrap_or_default().to_owned();
                    // Only now, so that it cannot come in between.
                    return Ok(self.socket.symlink_metadata().is_err());
                }
                Err(Errno::NOENT) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(io::ErrorKind::NotFound.into())
    }

    /// Waits until the socket, or a folder on the way to it, may have come since [`Coming::look_out`].
    ///
    /// # Errors
    /// If nobody looks out, or the system tells no more.
    pub async fn wait(&self) -> io::Result<()> {
        let news = self.news.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        while !news.async_io(Interest::READABLE, || self.heard(news)).await? {}
        Ok(())
    }

    fn at(socket: &Path) -> Self {
        Self { socket: socket.to_owned(), news: None, awaited: OsString::new() }
    }

    /// Takes in what is told, and says whether any of it matters.
    fn heard(&self, news: &UnixDatagram) -> io::Result<bool> {
        let mut room = [MaybeUninit::uninit(); ROOM];
        let mut told = inotify::Reader::new(news, &mut room);
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
        let mut coming = Coming::at(&socket);
        assert!(coming.look_out().unwrap());
        fs::write(home.path().join("another"), "").unwrap();
        assert!(timeout(SILENCE, coming.wait()).await.is_err());
        for folder in ["run", "run/dbus"] {
            fs::create_dir(home.path().join(folder)).unwrap();
            is_told(&coming).await;
            assert!(coming.look_out().unwrap());
        }
        let _bus = UnixListener::bind(&socket).unwrap();
        is_told(&coming).await;
        assert!(!coming.look_out().unwrap());
    }

    #[tokio::test]
    async fn a_folder_that_goes_is_told() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("run");
        fs::create_dir(&folder).unwrap();
        let mut coming = Coming::at(&folder.join("socket"));
        assert!(coming.look_out().unwrap());
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
