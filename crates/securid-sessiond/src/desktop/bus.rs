//! A connection to a bus, on which every call has a deadline.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::timeout;
use zbus::connection::Builder;
use zbus::{Connection, Error};

/// How long a call may take, or the way to the bus. A working bus answers in a millisecond; logind gives
/// a machine that wants to leave no more than 5 s either.
pub(super) const DEADLINE: Duration = Duration::from_secs(5);

/// A connection. Dropped, it is closed.
pub(super) struct Bus {
    pub(super) connection: Connection,
    /// Does the connection's own work on our runtime; else it would have a thread of its own.
    work: JoinHandle<()>,
}

impl Bus {
    /// The machine's.
    ///
    /// # Errors
    /// If it is not there, refuses, or does not answer in time.
    pub(super) async fn system() -> zbus::Result<Self> {
        Self::connect(Builder::system()?).await
    }

    /// The desktop session's.
    ///
    /// # Errors
    /// As for [`Bus::system`].
    pub(super) async fn session() -> zbus::Result<Self> {
        Self::connect(Builder::session()?).await
    }

    async fn connect(builder: Builder<'_>) -> zbus::Result<Self> {
        let builder = builder.method_timeout(DEADLINE).internal_executor(false);
        let late = |_| Error::InputOutput(std::sync::Arc::new(std::io::ErrorKind::TimedOut.into()));
        let connection = timeout(DEADLINE, builder.build()).await.map_err(late)??;
        let executor = connection.executor().clone();
        let work = tokio::spawn(async move {
            loop {
                executor.tick().await;
            }
        });
        Ok(Self { connection, work })
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        self.work.abort();
    }
}
