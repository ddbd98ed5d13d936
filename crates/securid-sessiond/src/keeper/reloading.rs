//! Another config counts from now on.

use securid_ipc::messages::{ReloadView, RpcError};
use securid_session::{Event, Phase, Session, SessionId};

use super::Keeper;
use crate::config::Config;
use crate::trouble;

impl Keeper {
    /// Has this config count, for the sessions that there are as well.
    pub(super) fn reload(
        &mut self,
        mut config: Config,
        warnings: Vec<String>,
    ) -> Result<ReloadView, RpcError> {
        if self.stopping.is_some() {
            return Err(trouble::stopping());
        }
        let later = put_off(&self.config.now(), &mut config);
        let known = std::mem::replace(&mut self.config_warnings, warnings.clone());
        self.problems.retain(|problem| !known.contains(problem));
        self.problems.extend_from_slice(&warnings);
        let instances = config.instances.keys().cloned().collect();
        let policy = config.revocation.policy();
        self.errands.disk.keep_history(config.history_keep);
        self.config.replace(config);
        // A CA file may have the same name and another content.
        self.errands.servers.forget_all();
        self.event(Event::Policy(policy));
        let limited = self.limit_as_configured().iter().map(ToString::to_string).collect();
        Ok(ReloadView { instances, limited, warnings, later })
    }

    /// Gives sessions the limits that the config has now for the instance that they were made at, as
    /// long as that has their URL. Gives back which have others than before.
    pub(crate) fn limit_as_configured(&mut self) -> Vec<SessionId> {
        let config = self.config.now();
        let limits_of = |session: &Session| {
            let about = session.about();
            let instance = config.instances.get(&about.instance)?;
            let applies = instance.endpoint.url() == about.origin.url
                && matches!(session.phase(), Phase::Adding | Phase::Active | Phase::Lost)
                && session.pending().is_none()
                && instance.limits != about.limits;
            applies.then(|| (session.id().clone(), instance.limits))
        };
        let other: Vec<_> = self.machine.sessions().filter_map(limits_of).collect();
        for (id, limits) in &other {
            self.event(Event::Limits { id: id.clone(), limits: *limits });
        }
        other.into_iter().map(|(id, _)| id).collect()
    }
}

/// Leaves what takes effect at the next start as it is now, and tells of what would change.
fn put_off(now: &Config, next: &mut Config) -> Vec<String> {
    let keys = [("key_file", now.key_file != next.key_file), ("audit", now.audit != next.audit)];
    next.key_file.clone_from(&now.key_file);
    next.audit.clone_from(&now.audit);
    let changed = keys.into_iter().filter(|(_, changed)| *changed);
    changed.map(|(key, _)| format!("{key} takes effect at the next start")).collect()
}
