//! Reading what a client sends, with one system call where one is enough.

use std::{future::poll_fn, io, task::ready};

use rustix::net::{RecvFlags, recv};
use tokio::{io::Interest, net::UnixStream};

/// Waits for bytes and puts them into `space`, which is not empty; 0 at the end. Safe to drop between two polls.
///
/// # Errors
/// If the client has gone.
pub(super) async fn receive(socket: &UnixStream, space: &mut [u8]) -> io::Result<usize> {
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
