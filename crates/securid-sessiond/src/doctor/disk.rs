//! The state folder, and the audit's file.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::fs;
use std::io;
use std::path::Path;

use securid_ipc::checks::CheckView;
use securid_trust::advice;
use securid_trust::folder::{FolderError, check_private};

use crate::audit;
use crate::config::{AuditTarget, Config};
use crate::state::{DAMAGED, set_aside};
use crate::words;
#[cfg(unix)]
use unix::{room, takes_files, takes_lines};
#[cfg(windows)]
use windows::{room, takes_files, takes_lines};

/// Less room than this, in bytes, is told: what else writes there fills it any day.
const ROOM: u64 = 16 * 1024 * 1024;

/// What a file system has left.
struct Room {
    /// In bytes, for this user.
    free: u64,
    is_out_of_files: bool,
}

/// Looks at both. It blocks.
pub(super) fn look(config: &Config, state_dir: &Path) -> Vec<CheckView> {
    let mut checks = vec![folder(state_dir)];
    let aside = set_aside(state_dir).len();
    if aside > 0 {
        let place = state_dir.join(DAMAGED);
        let place = place.display();
        let message = format!("{place} has damaged files that were set aside: {aside}");
        let advice = format!("{} {place}: look at them, then remove them.", words::LIST);
        checks.push(CheckView::wrong("damaged", "", message).then(advice));
    }
    if let AuditTarget::File(path) = &config.audit {
        checks.push(audit_file(path));
    }
    checks
}

fn folder(path: &Path) -> CheckView {
    let about = path.display().to_string();
    let wrong =
        |message: String, next: String| CheckView::wrong("disk", &about, message).then(next);
    if fs::symlink_metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
        return CheckView::fine("disk", &about, "not there yet: the daemon makes it");
    }
    if let Err(error) = check_private(path) {
        let next = match &error {
            FolderError::Open { path, .. } => advice::make_folder_private(path),
            _ => {
                "Name another folder with --state-dir, to the daemon and to securid-ctl.".to_owned()
            }
        };
        return wrong(error.to_string(), next);
    }
    if let Err(error) = takes_files(path) {
        let message = format!("it cannot be written to: {error}");
        return wrong(message, words::MOUNT_IT.to_owned());
    }
    let Room { free, is_out_of_files } = match room(path) {
        Ok(room) => room,
        Err(error) => {
            let message = format!("the file system does not tell how full it is: {error}");
            return CheckView::unknown("disk", &about, message);
        }
    };
    let mebibytes = free / 1024 / 1024;
    if free < ROOM || is_out_of_files {
        let message = match is_out_of_files {
            true => "the file system takes no more files".to_owned(),
            false => format!("the file system has only {mebibytes} MiB left"),
        };
        return wrong(message, format!("Make room there: {} {about}", words::ROOM_IN));
    }
    CheckView::fine("disk", &about, format!("yours alone, writable, {mebibytes} MiB left"))
}

fn audit_file(path: &Path) -> CheckView {
    let about = path.display().to_string();
    if let Err(problem) = audit::check(path) {
        return CheckView::wrong("audit", &about, problem)
            .then("Mend it; then securid-ctl restart, for the daemon opens it at its start.");
    }
    match takes_lines(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            CheckView::wrong("audit", &about, format!("it cannot be written to: {error}"))
                .then(format!("{} {about}", words::LIST))
        }
        _ => CheckView::fine("audit", &about, "it can be written to"),
    }
}
