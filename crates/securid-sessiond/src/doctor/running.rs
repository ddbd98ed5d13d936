//! The daemon that runs, asked like any other client does. How it is otherwise, `securid-ctl doctor` finds out.

use std::path::PathBuf;
use std::time::Duration;

use securid_ipc::checks::CheckView;
use securid_ipc::client::Client;
use securid_ipc::messages::{Call, StatusView};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::config::Config;

/// How long it may take: a live one answers within 2 s, and looks at its keyring for 5 s at most.
const ANSWERS_WITHIN: Duration = Duration::from_secs(8);

/// A daemon that answers.
pub(super) struct Daemon {
    pub(super) socket: PathBuf,
    pub(super) status: StatusView,
}

/// The one behind these sockets; none if there is none that answers.
pub(super) async fn ask(sockets: Vec<PathBuf>) -> Option<Daemon> {
    let asking = spawn_blocking(move || {
        let mut client = Client::connect(&sockets).ok()?;
        let status = client.call(&Call::Status, ANSWERS_WITHIN).ok()?;
        Some(Daemon { socket: client.path().to_owned(), status })
    });
    timeout(ANSWERS_WITHIN, asking).await.ok()?.ok()?
}

/// Whether it goes by the config that was just read. Another version may mark the same config otherwise.
pub(super) fn same_config(config: &Config, status: &StatusView) -> Vec<CheckView> {
    let Some(theirs) = status.config.as_ref().filter(|_| status.version == securid_ipc::VERSION)
    else {
        return Vec::new();
    };
    vec![if *theirs == config.mark() {
        CheckView::fine("reload", "", "the daemon goes by this config")
    } else {
        CheckView::wrong(
            "reload",
            "",
            "the daemon goes by another config than one that is started in this shell would: the files have \
             changed since it read them, or variables (SECURID_…) and flags are others here",
        )
        .then("securid-ctl reload")
    }]
}
