//! What is run at log-on.

use securid_ipc::checks::CheckView;

use super::super::of_failure;
use crate::{
    Context,
    commands::setup::windows::{self, AtLogOn},
};

/// What mends it.
const SETUP: &str = "securid-ctl setup";

/// What mends it where a person has switched it off.
const SWITCH: &str = "Switch it on in the Task Manager, among the apps that start with Windows.";

/// Looks whether the daemon is started at log-on.
pub(in super::super) fn look(context: &Context) -> Vec<CheckView> {
    if context.is_elsewhere() {
        let message = "left aside, for it knows nothing of --config, --socket, --state-dir and their variables";
        return vec![CheckView::fine("log-on", "", message)];
    }
    let (place, standing, is_off) = match windows::look() {
        Ok(found) => found,
        Err(failure) => return vec![of_failure("log-on", "", &failure)],
    };
    vec![match standing {
        AtLogOn::Missing => {
            CheckView::wrong("log-on", place, "the daemon is not started at log-on").then(SETUP)
        }
        _ if is_off => {
            let message = "the daemon is not started at log-on: that is switched off";
            CheckView::wrong("log-on", place, message).then(SWITCH)
        }
        AtLogOn::UpToDate => CheckView::fine("log-on", place, "the daemon is started at log-on"),
        AtLogOn::ByHand(command) => {
            CheckView::fine("log-on", place, format!("changed by hand: {command}"))
        }
        AtLogOn::Older(command) => {
            let message = format!("it is an earlier setup's, and another now: {command}");
            CheckView::wrong("log-on", place, message).then(SETUP)
        }
    }]
}
