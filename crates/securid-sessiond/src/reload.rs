//! Reading the config anew while the daemon runs: for `daemon.reload` and SIGHUP.

use std::sync::Arc;
use std::time::Duration;

use securid_ipc::messages::{ReloadView, RpcError};
use securid_worker::aside;
use tokio::sync::{Mutex, oneshot};
use tokio::time::timeout;
use tracing::{info, warn};

use crate::config::{Loaded, Sources};
use crate::keeper::{Inbox, Message};
use crate::notify::ServiceManager;
use crate::start::texts;
use crate::trouble;

/// How long the files may take: as long as any disk, and less than a client waits.
const READ_WITHIN: Duration = Duration::from_secs(5);

/// Where the config is read from, and whom it is brought to.
#[derive(Clone)]
pub(crate) struct Reloading {
    sources: Sources,
    inbox: Inbox,
    manager: ServiceManager,
    /// One at a time, so that of two the later one counts.
    turn: Arc<Mutex<()>>,
}

impl Reloading {
    pub(crate) fn new(sources: Sources, inbox: Inbox, manager: ServiceManager) -> Self {
        Self { sources, inbox, manager, turn: Arc::default() }
    }

    /// Reads the config and has it count. The answer says what that means.
    ///
    /// # Errors
    /// If the config is bad or cannot be read in time, or the daemon stops: then nothing has changed.
    pub(crate) async fn reload(&self) -> Result<ReloadView, RpcError> {
        let _turn = self.turn.lock().await;
        self.manager.reloading();
        let result = self.read_and_bring().await;
        // Ready again, whatever came of it.
        self.manager.ready();
        match &result {
            Ok(_) => info!("the config was read anew"),
            Err(error) => warn!(%error, "the config was not read anew"),
        }
        result
    }

    async fn read_and_bring(&self) -> Result<ReloadView, RpcError> {
        let sources = self.sources.clone();
        let reading = aside("config", move || sources.load(false));
        let reading = reading.map_err(|error| trouble::no_thread(&error))?;
        let Loaded { config, faults, warnings, .. } = match timeout(READ_WITHIN, reading).await {
            Ok(Ok(loaded)) => loaded,
            Ok(Err(_)) | Err(_) => return Err(trouble::config_hangs()),
        };
        if !faults.is_empty() {
            return Err(trouble::still_the_old_config(&faults));
        }
        let (reply, answer) = oneshot::channel();
        let _ = self.inbox.send(Message::Config { config, warnings: texts(&warnings), reply });
        answer.await.unwrap_or_else(|_| Err(trouble::stopping()))
    }
}
