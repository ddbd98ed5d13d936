//! The socket, and the daemon behind it.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

use std::time::Duration;

use securid_ipc::{
    checks::CheckView,
    client::{Client, ClientError, ConnectError},
    messages::{Call, StatusView},
};

use super::of_failure;
use crate::{
    Context,
    daemon::holder,
    failure::Failure,
    process::{how_to_end, is_stopped},
};
use system::{absent, socket};

/// How long it may take with its keyring, which it looks at before it says how it is.
const ANSWERS_WITHIN: Duration = Duration::from_secs(8);

/// So many seconds a revocation may be pending: the first few attempts fall in it.
const PENDING_TOO_LONG: u64 = 60;

/// Looks at both.
pub(super) fn look(context: &Context) -> Vec<CheckView> {
    match Client::connect(&context.paths.sockets) {
        Ok(mut client) => {
            let mut checks = vec![socket(client.path())];
            match client.call::<StatusView>(&Call::Status, ANSWERS_WITHIN) {
                Ok(status) => checks.extend(answering(&status)),
                Err(error) => checks.push(mute(context, error)),
            }
            checks
        }
        Err(ConnectError::NoDaemon { tried }) => absent(&tried),
        Err(ConnectError::Unresponsive { path }) => {
            let error = ConnectError::Unresponsive { path: path.clone() };
            vec![socket(&path), of_process(context, &error.into())]
        }
        Err(error) => vec![
            of_failure("socket", "", &error.into()),
            CheckView::unknown("daemon", "", "because socket comes first"),
        ],
    }
}

/// It takes connections, and does not say how it is.
fn mute(context: &Context, error: ClientError) -> CheckView {
    match error {
        ClientError::Unresponsive { .. } => of_process(context, &error.into()),
        ClientError::WrongProtocol { .. } => CheckView::wrong("daemon", "", error.to_string())
            .then("securid-ctl stop of the version that it is of; then securid-ctl start."),
        error => of_failure("daemon", "", &error.into()),
    }
}

/// It does not answer: is it stopped, or stuck?
fn of_process(context: &Context, failure: &Failure) -> CheckView {
    let pid = context.paths.state_dirs.iter().find_map(|folder| holder(folder));
    let Some(pid) = pid else { return of_failure("daemon", "", failure) };
    let wrong = |what: &str| {
        let message = format!("{}: process {pid} is {what}", failure.message());
        CheckView::wrong("daemon", "", message)
    };
    match is_stopped(pid) {
        true => wrong("stopped").then(format!("kill -CONT {pid}")),
        false => wrong("stuck").then(format!(
            "{}; then securid-ctl start, which goes on where it was.",
            how_to_end(pid)
        )),
    }
}

fn answering(status: &StatusView) -> Vec<CheckView> {
    let (ours, theirs) = (securid_ipc::VERSION, &status.version);
    let mut checks = Vec::new();
    if theirs != ours {
        let message = format!("it is version {theirs}, and this program is {ours}");
        checks.push(CheckView::wrong("daemon", "", message).then("securid-ctl restart"));
    }
    for problem in &status.problems {
        checks.push(CheckView::wrong("daemon", "", problem.as_str()).then(
            match problem.starts_with("draining") {
                true => "Mend the config; then securid-ctl restart.",
                false => "securid-ctl status shows it as long as it is so.",
            },
        ));
    }
    if checks.is_empty() {
        let message = format!("it answers: version {theirs}, process {}", status.pid);
        checks.push(CheckView::fine("daemon", "", message));
    }
    checks.push(sessions(status));
    checks
}

fn sessions(status: &StatusView) -> CheckView {
    let counts = status.sessions;
    let wrong = |message: String, next: &str| CheckView::wrong("sessions", "", message).then(next);
    match status.oldest_pending_seconds {
        Some(seconds) if seconds > PENDING_TOO_LONG => wrong(
            format!("a revocation has been pending for {seconds} s"),
            "securid-ctl list shows why; securid-ctl retry tries it now.",
        ),
        _ if counts.lost > 0 => wrong(
            format!("sessions whose tokens are gone from the keyring: {}", counts.lost),
            "securid-ctl list shows them; securid-ctl retry looks for their tokens again.",
        ),
        _ if status.undecided > 0 => wrong(
            format!(
                "sessions without a good record, of whose tokens nobody knows: {}",
                status.undecided
            ),
            "securid-ctl status",
        ),
        _ => {
            let message = format!("{} active, {} under revocation", counts.active, counts.revoking);
            CheckView::fine("sessions", "", message)
        }
    }
}
