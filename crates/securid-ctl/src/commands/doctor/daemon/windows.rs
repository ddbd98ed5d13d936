//! A pipe, which is there as long as its daemon.

use std::path::{Path, PathBuf};

use securid_ipc::checks::CheckView;

/// One on which somebody listens, of this user: that was looked at before anything was sent.
pub(super) fn socket(path: &Path) -> CheckView {
    CheckView::fine("socket", &path.display().to_string(), "a pipe of this user's")
}

/// Nobody listens.
pub(super) fn absent(tried: &[PathBuf]) -> Vec<CheckView> {
    let places: Vec<_> = tried.iter().map(|path| path.display().to_string()).collect();
    let message = format!("there is none (tried {})", places.join(", "));
    vec![
        CheckView::unknown("socket", "", message),
        CheckView::wrong("daemon", "", "no daemon is running").then("securid-ctl start"),
    ]
}
