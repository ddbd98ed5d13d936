//! Reading a small file beside the runtime.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

/// Has one look at a file at a time: on a disk that hangs only one thread is stuck, however many wait.
#[derive(Debug, Clone)]
pub(crate) struct Beside(Arc<Semaphore>);

impl Beside {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }

    /// What `look` sees, on a thread of its own. None if the runtime goes down meanwhile.
    pub(crate) async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        // It is never closed.
        let turn = Arc::clone(&self.0).acquire_owned().await;
        let seen = spawn_blocking(move || {
            let _turn = turn;
            look()
        });
        match seen.await {
            Ok(seen) => Some(seen),
            Err(failed) => match failed.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => None,
            },
        }
    }
}
