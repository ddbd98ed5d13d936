//! One client at a Unix socket, as the server reads and writes it.

use std::{future::poll_fn, io, task::ready};

use interprocess::local_socket::{tokio::Stream, traits::StreamCommon as _};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    net::{RecvFlags, recv, send, sockopt::set_socket_send_buffer_size},
};
use tokio::{io::Interest, net::UnixStream};

use super::kernel::QUIETLY;

/// A client of our own user.
#[derive(Debug)]
pub(crate) struct ServerStream {
    socket: UnixStream,
    pid: Option<u32>,
}

impl ServerStream {
    /// None for somebody else's, root's included. Nothing is said to strangers.
    pub(super) fn of_ours(stream: Stream) -> Option<Self> {
        let peer = stream.peer_creds().ok()?;
        if peer.euid() != Some(rustix::process::geteuid().as_raw()) {
            return None;
        }
        let Stream::UdSocket(socket) = stream;
        let socket = UnixStream::from(socket);
        let pid = peer.pid().and_then(|pid| u32::try_from(pid).ok());
        Some(Self { socket, pid })
    }

    /// Which process has connected, if the system says. It may be gone, and another have its number.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.pid
    }

    /// Waits for bytes and puts them into `space`, which is not empty; 0 at the end. With one system call where
    /// one is enough. Safe to drop between two polls.
    ///
    /// # Errors
    /// If the client has gone.
    pub(crate) async fn receive(&self, space: &mut [u8]) -> io::Result<usize> {
        let socket = &self.socket;
        poll_fn(|context| {
            loop {
                ready!(socket.poll_read_ready(context))?;
                let mut some = None;
                let read = socket.try_io(Interest::READABLE, || {
                    let (n, _) = recv(socket, &mut *space, RecvFlags::empty())?;
                    if n == 0 || n == space.len() {
                        return Ok(n);
                    }
                    // There was no more, so the next read would find nothing: the runtime is told so now, as
                    // its own streams tell it.
                    some = Some(n);
                    Err(io::ErrorKind::WouldBlock.into())
                });
                match (some, read) {
                    (Some(n), _) => return Ok(n).into(),
                    (None, Err(error)) if error.kind() == io::ErrorKind::WouldBlock => {}
                    (None, read) => return read.into(),
                }
            }
        })
        .await
    }

    /// Waits until more may be written. Safe to drop between two polls.
    ///
    /// # Errors
    /// If the client has gone.
    pub(crate) async fn writable(&self) -> io::Result<()> {
        self.socket.writable().await
    }

    /// Writes as much as the system takes without waiting, and says how much that was.
    ///
    /// # Errors
    /// `WouldBlock` if that is nothing; or if the client has gone.
    pub(crate) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.try_write(bytes)
    }

    /// Writes this if the system takes it at once: nobody who does not read is waited for.
    ///
    /// # Errors
    /// If it does not.
    pub(crate) fn say_at_once(&self, line: &[u8]) -> io::Result<()> {
        send(&self.socket, line, QUIETLY)?;
        Ok(())
    }

    /// Does nothing: what the client has not read is the kernel's once this is closed, and costs us nothing.
    pub(crate) fn break_off(&self) {}

    /// From now on the system keeps at most about twice so many bytes for a client that does not read.
    pub(crate) fn keep_at_most(&self, unread: usize) {
        // Where it refuses, it keeps more.
        let _ = set_socket_send_buffer_size(&self.socket, unread);
    }

    /// Whether its client has closed the connection, and not only half.
    pub(crate) fn has_gone(&self) -> bool {
        self.shows(PollFlags::HUP)
    }

    /// Whether its client has sent something that was not received yet, or has gone.
    pub(crate) fn has_sent(&self) -> bool {
        self.shows(PollFlags::IN)
    }

    /// Asks the kernel how a socket is, without waiting and without taking anything out of it.
    fn shows(&self, what: PollFlags) -> bool {
        let mut look = [PollFd::new(&self.socket, what)];
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        poll(&mut look, Some(&at_once)).is_ok() && look[0].revents().contains(what)
    }
}
