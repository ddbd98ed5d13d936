//! Reading a small file beside the runtime.

use std::io;
use std::sync::Arc;

use securid_worker::aside;
use tokio::sync::Semaphore;

/// Has one look at a file at a time: on a disk that hangs only one thread is stuck, however many wait.
#[derive(Debug, Clone)]
pub(crate) struct Beside(Arc<Semaphore>);

impl Beside {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }

    /// What `look` sees, on a thread of its own.
    ///
    /// # Errors
    /// If there is no thread to be had.
    pub(crate) async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<T> {
        // It is never closed.
        let turn = Arc::clone(&self.0).acquire_owned().await;
        let seen = aside("file", move || {
            let _turn = turn;
            look()
        })?;
        seen.await.map_err(io::Error::other)
    }
}
