//! The agent of launchd.

use securid_ipc::checks::CheckView;

use super::super::of_failure;
use crate::{Context, commands::setup::macos::agent_file, manager::Agent};

/// What mends it.
const SETUP: &str = "securid-ctl setup";

/// Looks whether launchd has the daemon.
pub(in super::super) fn look(context: &Context) -> Vec<CheckView> {
    if context.is_elsewhere() {
        let message = "left aside, for it knows nothing of --config, --socket, --state-dir and their variables";
        return vec![CheckView::fine("agent", "", message)];
    }
    let path = match agent_file() {
        Ok(path) => path,
        Err(failure) => return vec![of_failure("agent", "", &failure)],
    };
    let about = path.display().to_string();
    vec![match (path.exists(), Agent::ours().told().is_some()) {
        (false, _) => CheckView::wrong("agent", &about, "it is not installed").then(SETUP),
        (true, false) => CheckView::wrong("agent", &about, "launchd does not know it").then(SETUP),
        (true, true) => CheckView::fine("agent", &about, "launchd has it"),
    }]
}
