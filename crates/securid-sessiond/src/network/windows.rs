//! Changes of the network on Windows, as its IP helper tells them: interfaces, addresses and routes.

use std::io;
use std::sync::Arc;

use securid_windows::network::Changes;
use tokio::sync::Notify;

/// What the system has to tell from now on.
pub(super) struct News {
    changed: Arc<Notify>,
    _changes: Changes,
}

impl News {
    pub(super) fn listen() -> io::Result<Self> {
        let changed = Arc::new(Notify::new());
        let tell = Arc::clone(&changed);
        Ok(Self { changed, _changes: Changes::told(move || tell.notify_one())? })
    }

    /// Waits for the system to say anything.
    ///
    /// # Errors
    /// None here.
    pub(super) async fn change(&self) -> io::Result<()> {
        self.changed.notified().await;
        Ok(())
    }
}
