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
        let later = config.put_off_from(&self.config.now()).into_iter();
        let later = later.map(|key| format!("{key} takes effect at the next start")).collect();
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

    /// Gives sessions the limits that the config has now for them. Gives back which have others than before.
    pub(crate) fn limit_as_configured(&mut self) -> Vec<SessionId> {
        let config = self.config.now();
        let limits_of = |session: &Session| {
            let limits = config.limits_of(session.about());
            let applies = matches!(session.phase(), Phase::Adding | Phase::Active | Phase::Lost)
                && session.pending().is_none()
                && limits != session.about().limits;
            applies.then(|| (session.id().clone(), limits))
        };
        let other: Vec<_> = self.machine.sessions().filter_map(limits_of).collect();
        for (id, limits) in &other {
            self.event(Event::Limits { id: id.clone(), limits: *limits });
        }
        other.into_iter().map(|(id, _)| id).collect()
    }
}
