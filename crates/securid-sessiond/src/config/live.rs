//! The config as it is now: whoever uses it asks for it anew, for it may be read again meanwhile.

use std::sync::Arc;

use tokio::sync::watch;

use super::Config;

/// The one config that all parts of the daemon share. What was asked for stays as it was.
#[derive(Clone)]
pub(crate) struct LiveConfig(watch::Sender<Arc<Config>>);

impl LiveConfig {
    pub(crate) fn new(config: Config) -> Self {
        Self(watch::Sender::new(Arc::new(config)))
    }

    /// The config that counts at this instant.
    pub(crate) fn now(&self) -> Arc<Config> {
        Arc::clone(&self.0.borrow())
    }

    /// From now on this one counts.
    pub(crate) fn replace(&self, config: Config) {
        self.0.send_replace(Arc::new(config));
    }
}
