//! A socket, with its mode and its folder's.

use std::{
    os::unix::fs::{FileTypeExt as _, MetadataExt as _},
    path::{Path, PathBuf},
};

use securid_ipc::checks::CheckView;

/// One on which somebody listens, in a place that nobody else can change: that was looked at before connecting.
pub(super) fn socket(path: &Path) -> CheckView {
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

/// Nobody listens.
pub(super) fn absent(tried: &[PathBuf]) -> Vec<CheckView> {
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
