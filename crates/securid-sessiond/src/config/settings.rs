//! The config as the daemon uses it: complete, checked, without a trace of files.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use securid_api::{Access, Endpoint, Format};
use securid_session::{About, ClientFiles, Limits, Network, Origin, Policy};
use securid_store::{Preference, StoreKind};

use super::setting::Limit;

/// Everything that can be set.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// The instance meant where none is named: the one that the config says, or the only one.
    pub(crate) default_instance: Option<String>,
    pub(crate) keyring: Preference,
    /// The key of the sealed file.
    pub(crate) key_file: Option<PathBuf>,
    pub(crate) require_durable: bool,
    pub(crate) on_exit: Fate,
    /// What the screen's lock and the machine's sleep mean where no instance says otherwise.
    pub(crate) desktop: DesktopFates,
    /// Whether the desktop is told of sessions that end by themselves.
    pub(crate) notify: bool,
    pub(crate) audit: AuditTarget,
    /// How long there has to be nothing to do before the daemon ends by itself.
    pub(crate) exit_when_empty: Option<Duration>,
    /// How long an ended session stays in the history; `None` without an end.
    pub(crate) history_keep: Option<Duration>,
    pub(crate) revocation: RevocationSettings,
    pub(crate) instances: BTreeMap<String, Arc<Instance>>,
    /// What the machine enforces for all instances, if it does.
    pub(super) enforced_idle: Option<Limit>,
    pub(super) enforced_lifetime: Option<Limit>,
}

/// What becomes of active sessions when something happens: the daemon stops, the screen is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Revoke,
    Keep,
}

/// What becomes of active sessions when the desktop is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DesktopFates {
    pub(crate) on_lock: Fate,
    pub(crate) on_suspend: Fate,
}

/// Where the lives of sessions are written down for an auditor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AuditTarget {
    None,
    Journal,
    /// A file, by its whole path.
    File(PathBuf),
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
    /// Whom to trust, who we are, and the way.
    pub(crate) access: Access,
    pub(crate) format: Format,
    pub(crate) limits: Limits,
    pub(crate) desktop: DesktopFates,
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

    /// The limits that this session is to have: those of the instance that it was made at, or, if that is gone or
    /// has another URL now, its own, as far as the machine enforces none. Nobody is to be rid of these by calling the
    /// instance something else.
    pub(crate) fn limits_of(&self, about: &About) -> Limits {
        let instance = self.instances.get(&about.instance);
        match instance.filter(|instance| instance.endpoint.url() == about.origin.url) {
            Some(instance) => instance.limits,
            None => Limits {
                idle: self.enforced_idle.map_or(about.limits.idle, |limit| limit.0),
                lifetime: self.enforced_lifetime.map_or(about.limits.lifetime, |limit| limit.0),
            },
        }
    }

    /// What tells it from another config, within one version of this program; says nothing else of it.
    pub(crate) fn mark(&self) -> String {
        let mut hasher = DefaultHasher::new();
        // All of it is in there, and keys are in order.
        format!("{self:?}").hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }

    /// Leaves what takes effect at the next start as it is `now`, and tells which keys would change it.
    pub(crate) fn put_off_from(&mut self, now: &Self) -> Vec<&'static str> {
        let changed =
            [("key_file", self.key_file != now.key_file), ("audit", self.audit != now.audit)];
        self.key_file.clone_from(&now.key_file);
        self.audit.clone_from(&now.audit);
        changed.into_iter().filter_map(|(key, changed)| changed.then_some(key)).collect()
    }

    /// Whether there is any session that this would revoke.
    pub(crate) fn may_revoke(&self, fate: impl Fn(DesktopFates) -> Fate) -> bool {
        let instances = self.instances.values().map(|instance| instance.desktop);
        instances.chain([self.desktop]).any(|fates| fate(fates) == Fate::Revoke)
    }

    /// What the desktop's events mean for the sessions of this instance, which may be gone meanwhile.
    pub(crate) fn desktop_fates(&self, instance: &str) -> DesktopFates {
        self.instances.get(instance).map_or(self.desktop, |instance| instance.desktop)
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
            tied: false,
        })
    }

    /// What else it takes to get there, as it is written down.
    fn network(&self) -> Network {
        let Access { client, proxy, .. } = &self.access;
        Network {
            client: client
                .as_ref()
                .map(|files| ClientFiles { cert: text(&files.cert), key: text(&files.key) }),
            proxy: proxy.proxy.clone(),
            no_proxy: proxy.no_proxy.clone(),
            proxy_credentials_file: proxy.credentials_file.as_deref().map(text),
        }
    }

    /// Where its tokens come from and go to.
    pub(crate) fn origin(&self) -> Origin {
        Origin {
            url: self.endpoint.url().to_owned(),
            ca_file: self.access.ca_file.as_deref().map(text),
            format: self.format.name().to_owned(),
            network: self.network(),
        }
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
