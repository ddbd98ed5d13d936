//! The socket, and the daemon behind it.

use std::{
    fs,
    os::unix::fs::{FileTypeExt as _, MetadataExt as _},
    path::{Path, PathBuf},
    time::Duration,
};

use securid_ipc::{
    checks::CheckView,
    client::{Client, ClientError, ConnectError},
    messages::{Call, StatusView},
};

use super::of_failure;
use crate::{Context, daemon::holder, failure::Failure};

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

/// One on which somebody listens, in a place that nobody else can change: that was looked at before connecting.
fn socket(path: &Path) -> CheckView {
    let about = path.display().to_string();
    let mode = |path: &Path| path.symlink_metadata().map(|it| (it.uid(), it.mode() & 0o7777));
    let folder = path.parent().unwrap_or(path);
    match (mode(path), mode(folder)) {
        (Ok((_, mode)), _) if mode & 0o077 != 0 => {
            let message = format!("it lets other users connect (mode {mode:04o}), who are refused");
            CheckView::wrong("socket", &about, message)
                .then(format!("chmod 600 {about}; of a unit, set SocketMode=0600 there."))
        }
        (Ok((owner, mode)), Ok((_, folder))) => {
            let message = format!("of uid {owner}, mode {mode:04o}, its folder {folder:04o}");
            CheckView::fine("socket", &about, message)
        }
        (Err(error), _) | (_, Err(error)) => {
            CheckView::unknown("socket", &about, format!("it cannot be looked at: {error}"))
        }
    }
}

fn absent(tried: &[PathBuf]) -> Vec<CheckView> {
    let start = "securid-ctl start";
    let is_socket =
        |path: &&PathBuf| path.symlink_metadata().is_ok_and(|it| it.file_type().is_socket());
    let socket = match tried.iter().find(is_socket) {
        Some(stale) => {
            let about = stale.display().to_string();
            let message = "it is left over: nobody listens there";
            CheckView::wrong("socket", &about, message).then(start)
        }
        None => {
            let places: Vec<_> = tried.iter().map(|path| path.display().to_string()).collect();
            let message = format!("there is none (tried {})", places.join(", "));
            CheckView::unknown("socket", "", message)
        }
    };
    vec![socket, CheckView::wrong("daemon", "", "no daemon is running").then(start)]
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
        false => wrong("stuck")
            .then(format!("kill -KILL {pid}; then securid-ctl start, which goes on where it was.")),
    }
}

fn is_stopped(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The state comes behind the name, which is in brackets and may hold any character.
    stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with(['T', 't']))
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
