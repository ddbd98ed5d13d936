//! Another config counts from now on.

use securid_ipc::messages::{ReloadView, RpcError};
use securid_session::{Event, Phase, Session};

use super::Keeper;
use crate::config::Config;
use crate::trouble;

impl Keeper {
    /// Has this config count, for the sessions that there are as well: they have the limits of the
    /// instance that they were made at, as long as it has their URL.
    pub(super) fn reload(
        &mut self,
        config: Config,
        warnings: Vec<String>,
    ) -> Result<ReloadView, RpcError> {
        if self.stopping.is_some() {
            return Err(trouble::stopping());
        }
        let later = later(&self.config.now(), &config);
        let known = std::mem::replace(&mut self.config_warnings, warnings.clone());
        self.problems.retain(|problem| !known.contains(problem));
        self.problems.extend_from_slice(&warnings);
        let instances = config.instances.keys().cloned().collect();
        let policy = config.revocation.policy();
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
        self.config.replace(config);
        self.event(Event::Policy(policy));
        for (id, limits) in &other {
            self.event(Event::Limits { id: id.clone(), limits: *limits });
        }
        let limited = other.iter().map(|(id, _)| id.to_string()).collect();
        Ok(ReloadView { instances, limited, warnings, later })
    }
}

/// What has changed and does not count yet.
fn later(now: &Config, next: &Config) -> Vec<String> {
    let key = (now.key_file != next.key_file)
        .then(|| "key_file takes effect at the next start".to_owned());
    key.into_iter().collect()
}
