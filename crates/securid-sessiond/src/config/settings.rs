//! The config as the daemon uses it: complete, checked, without a trace of files.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use securid_api::{Endpoint, Format};
use securid_session::{About, Limits, Origin, Policy};
use securid_store::{Preference, StoreKind};

/// Everything that can be set.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// The instance meant where none is named: the one that the config says, or the only one.
    pub(crate) default_instance: Option<String>,
    pub(crate) keyring: Preference,
    /// The key of the sealed file.
    pub(crate) key_file: Option<PathBuf>,
    pub(crate) require_durable: bool,
    pub(crate) on_exit: OnExit,
    /// How long there has to be nothing to do before the daemon ends by itself.
    pub(crate) exit_when_empty: Option<Duration>,
    pub(crate) revocation: RevocationSettings,
    pub(crate) instances: BTreeMap<String, Arc<Instance>>,
}

/// What becomes of active sessions when the daemon stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnExit {
    Revoke,
    Keep,
}

/// The `[revocation]` table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RevocationSettings {
    /// For one attempt, from connecting to the last byte of the reply; for a login likewise.
    pub(crate) attempt_timeout: Duration,
    pub(crate) retry_initial: Duration,
    pub(crate) retry_max: Duration,
    pub(crate) concurrency: usize,
    /// For everything, once the daemon was told to stop.
    pub(crate) shutdown_grace: Duration,
}

/// One server.
#[derive(Debug, Clone)]
pub(crate) struct Instance {
    pub(crate) name: String,
    pub(crate) endpoint: Endpoint,
    pub(crate) username: Option<String>,
    pub(crate) auth_source: Option<String>,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) format: Format,
    pub(crate) limits: Limits,
}

impl Default for RevocationSettings {
    /// The contract's defaults.
    fn default() -> Self {
        Self {
            attempt_timeout: Duration::from_secs(10),
            retry_initial: Duration::from_secs(1),
            retry_max: Duration::from_secs(5 * 60),
            concurrency: 32,
            shutdown_grace: Duration::from_secs(20),
        }
    }
}

impl RevocationSettings {
    /// What the machine needs to know of it.
    pub(crate) fn policy(&self) -> Policy {
        Policy {
            retry_initial: self.retry_initial,
            retry_max: self.retry_max,
            concurrency: self.concurrency,
        }
    }
}

impl Config {
    /// The instance of this name, or the default one.
    pub(crate) fn instance(&self, name: Option<&str>) -> Option<&Arc<Instance>> {
        self.instances.get(name.or(self.default_instance.as_deref())?)
    }
}

impl Instance {
    /// What a session at this instance is, fixed when it is taken in.
    pub(crate) fn about(&self, username: Option<String>, keyring: StoreKind) -> Arc<About> {
        Arc::new(About {
            instance: self.name.clone(),
            username: username.or_else(|| self.username.clone()),
            origin: self.origin(),
            keyring: keyring.name().to_owned(),
            limits: self.limits,
        })
    }

    /// Where its tokens come from and go to.
    pub(crate) fn origin(&self) -> Origin {
        Origin {
            url: self.endpoint.url().to_owned(),
            ca_file: self.ca_file.as_ref().map(|file| file.to_string_lossy().into_owned()),
            format: self.format.name().to_owned(),
        }
    }
}
