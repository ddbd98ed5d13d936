//! Changes of the network on macOS, as the kernel tells them on a routing socket (route(4)).

use std::io;
use std::os::unix::net::UnixDatagram as Unnamed;

use rustix::io::{FdFlags, fcntl_setfd, ioctl_fionbio};
use rustix::net::{AddressFamily, RecvFlags, SocketType, recv, socket};
use tokio::io::Interest;
use tokio::net::UnixDatagram;

/// Addresses that come and go (RTM_NEWADDR, RTM_DELADDR), and links (RTM_IFINFO). Routes are not among them: each
/// connection of anybody's makes one, and our own attempts would bring each other on.
const TOLD: [u8; 3] = [0xc, 0xd, 0xe];

/// Where a message's type stands, after its length in two bytes and its version in one (`struct rt_msghdr`).
const TYPE_AT: usize = 3;

/// What the kernel has to tell from now on.
///
/// Any socket is waited for like one of datagrams that has no name; tokio's own way, `AsyncFd`, is unsafe.
pub(super) struct News(UnixDatagram);

impl News {
    pub(super) fn listen() -> io::Result<Self> {
        let socket = socket(AddressFamily::ROUTE, SocketType::RAW, None)?;
        fcntl_setfd(&socket, FdFlags::CLOEXEC)?;
        ioctl_fionbio(&socket, true)?;
        Ok(Self(UnixDatagram::from_std(Unnamed::from(socket))?))
    }

    /// Waits for the kernel to say that there is another link or address.
    pub(super) async fn change(&self) -> io::Result<()> {
        loop {
            match self.0.async_io(Interest::READABLE, || self.receive()).await {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                // More has happened than the kernel could keep for us.
                Err(error) if is(&error, rustix::io::Errno::NOBUFS) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    /// Takes a message away, and says whether it is one of those.
    fn receive(&self) -> io::Result<bool> {
        let mut head = [0; TYPE_AT + 1];
        let (read, _) = recv(&self.0, &mut head, RecvFlags::empty())?;
        Ok(read == head.len() && TOLD.contains(&head[TYPE_AT]))
    }
}

fn is(error: &io::Error, errno: rustix::io::Errno) -> bool {
    error.raw_os_error() == Some(errno.raw_os_error())
}
