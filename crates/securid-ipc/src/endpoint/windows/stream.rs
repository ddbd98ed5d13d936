//! One client at a pipe, as the server reads and writes it.
//!
//! There is no half-closing: who closes has gone.

use std::{
    future::poll_fn,
    io,
    os::windows::io::AsHandle as _,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::ready,
};

use securid_windows::{
    pipes::server::{client, client_has_gone, client_process},
    sid::Sid,
};
use tokio::{io::Interest, net::windows::named_pipe::NamedPipeServer};

/// How much the system keeps each way for who does not read, in bytes: a handful of events. So whoever reads after a pause
/// is told a handful of old states, and then how things stand.
pub(super) const UNREAD: u32 = 4 * 1024;

/// How much is written at once, in bytes. The runtime takes it into its own memory, and says that it is written: so little
/// that it counts for nothing beside what is bounded, and so much that a long answer is not cut up for its own sake.
const AT_ONCE: usize = 16 * 1024;

/// A client, who is of our own user as soon as anything was received from him.
#[derive(Debug)]
pub(crate) struct ServerStream {
    pipe: NamedPipeServer,
    /// Who he has to be.
    us: Arc<Sid>,
    /// Whether he is.
    is_known: AtomicBool,
}

impl ServerStream {
    /// Who is connected to this instance.
    pub(super) fn of(pipe: NamedPipeServer, us: Arc<Sid>) -> Self {
        Self { pipe, us, is_known: AtomicBool::new(false) }
    }

    /// Which process has connected, if the system says. It may be gone, and another have its number.
    pub(crate) fn pid(&self) -> Option<u32> {
        client_process(self.pipe.as_handle())
    }

    /// Waits for bytes and puts them into `space`, which is not empty; 0 at the end. Safe to drop between two polls.
    ///
    /// # Errors
    /// If the client has gone, or is somebody else. Then nothing of what he has sent may be looked at.
    pub(crate) async fn receive(&self, space: &mut [u8]) -> io::Result<usize> {
        let pipe = &self.pipe;
        let received = poll_fn(|context| {
            loop {
                ready!(pipe.poll_read_ready(context))?;
                let mut some = None;
                let read = pipe.try_io(Interest::READABLE, || {
                    let n = pipe.try_read(space)?;
                    if n == 0 || n == space.len() {
                        return Ok(n);
                    }
                    // There was no more, which the runtime is told: else it would look as if there were.
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
        .await?;
        if received > 0 {
            self.check()?;
        }
        Ok(received)
    }

    /// Finds out once who the client is: whose token he has connected with, and not which process, whose number another
    /// can have by now.
    fn check(&self) -> io::Result<()> {
        if self.is_known.load(Ordering::Relaxed) {
            return Ok(());
        }
        if client(self.pipe.as_handle())? != *self.us {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        self.is_known.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Waits until more may be written. Safe to drop between two polls.
    ///
    /// # Errors
    /// If the client has gone.
    pub(crate) async fn writable(&self) -> io::Result<()> {
        self.pipe.writable().await
    }

    /// Writes as much as the system takes without waiting, and says how much that was.
    ///
    /// # Errors
    /// `WouldBlock` if that is nothing; or if the client has gone.
    pub(crate) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        let some = bytes.len().min(AT_ONCE);
        self.pipe.try_write(bytes.get(..some).unwrap_or_default())
    }

    /// Writes this if the system takes it at once: nobody who does not read is waited for. It says nothing that only
    /// our user may know.
    ///
    /// # Errors
    /// If it does not.
    pub(crate) fn say_at_once(&self, line: &[u8]) -> io::Result<()> {
        self.try_write(line).map(drop)
    }

    /// Ends the connection, and throws away what the client has not read: else the runtime would keep that, and the connection
    /// open with it, until he reads or goes.
    pub(crate) fn break_off(&self) {
        // Where the system refuses, he has gone.
        let _ = self.pipe.disconnect();
    }

    /// Changes nothing: the system keeps as much as the pipe was made with, which is little.
    pub(crate) fn keep_at_most(&self, _unread: usize) {}

    /// Whether its client has closed the connection.
    pub(crate) fn has_gone(&self) -> bool {
        client_has_gone(self.pipe.as_handle())
    }

    /// Whether its client has sent something that was not received yet, or has gone.
    pub(crate) fn has_sent(&self) -> bool {
        self.pipe.try_io(Interest::READABLE, || Ok(())).is_ok()
    }
}
