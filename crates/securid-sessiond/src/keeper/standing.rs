//! How things stand, for the service manager: a line that it shows to people.

use std::time::Duration;

use securid_session::{Moment, Phase};

use super::Keeper;
use crate::clock;
use crate::notify::ServiceManager;

/// How long changes are collected: a thousand revocations are not worth a thousand lines.
const COLLECTED_FOR: Duration = Duration::from_secs(1);

/// What the manager was told, and when it is to be told anew.
pub(super) struct Standing {
    pub(super) manager: ServiceManager,
    told: String,
    due: Option<Moment>,
}

impl Standing {
    /// Tells nobody.
    pub(super) fn unreported() -> Self {
        Self { manager: ServiceManager::none(), told: String::new(), due: None }
    }

    pub(super) fn wakes_at(&self) -> Option<Moment> {
        self.due
    }

    /// Something may be another way now.
    pub(super) fn note_change(&mut self) {
        if self.manager.listens() && self.due.is_none() {
            self.due = Some(clock::now().after(COLLECTED_FOR));
        }
    }
}

impl Keeper {
    /// Clients are served from now on: tells this manager, and how things stand whenever that changes.
    pub(crate) fn report_to(&mut self, manager: ServiceManager) {
        manager.ready();
        self.standing = Standing { manager, ..Standing::unreported() };
        self.report();
    }

    /// Whom it reports to.
    pub(crate) fn manager(&self) -> ServiceManager {
        self.standing.manager.clone()
    }

    pub(super) fn report_if_due(&mut self) {
        if self.standing.due.is_some_and(|due| due.reached(clock::now())) {
            self.standing.due = None;
            self.report();
        }
    }

    fn report(&mut self) {
        let line = self.line();
        if line != self.standing.told {
            self.standing.manager.status(&line);
            self.standing.told = line;
        }
    }

    fn line(&self) -> String {
        let phases =
            [(Phase::Active, "active"), (Phase::Revoking, "pending"), (Phase::Lost, "lost")];
        let counts = phases.map(|(phase, word)| (self.count(phase), word));
        let present = counts.iter().filter(|(count, _)| *count > 0);
        let present: Vec<String> = present.map(|(count, word)| format!("{count} {word}")).collect();
        let doing = match (&self.draining, &self.stopping) {
            (Some(_), _) => "draining: ",
            (None, Some(_)) => "stopping: ",
            (None, None) => "",
        };
        let sessions =
            if present.is_empty() { "no sessions".to_owned() } else { present.join(", ") };
        format!("{doing}{sessions}")
    }
}
