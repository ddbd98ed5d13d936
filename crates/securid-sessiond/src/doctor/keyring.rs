//! The store for new secrets, and the key of the sealed file.

use securid_ipc::checks::CheckView;
use securid_ipc::messages::{KeyringState, StatusView};
use securid_store::{KeyPlace, Keyring, KeyringError, Preference, StoreKind};

use crate::config::Config;
use crate::words;

/// Looks at both, and gives back the store for new secrets, if one can be had.
pub(super) async fn look(
    config: &Config,
    keyring: &Keyring,
    key: Option<&KeyPlace>,
    status: Option<&StatusView>,
) -> (Vec<CheckView>, Option<StoreKind>) {
    let chosen = keyring.choose(config.keyring, false).await;
    let mut checks = vec![match status {
        Some(status) => of_daemon(config, status, &chosen),
        None => alone(config, &chosen),
    }];
    // Where it is chosen, what is wrong with its key is told already.
    let is_told = matches!(&chosen, Err(error) if error.kind() == StoreKind::SealedFile);
    if let Some(key) = key.filter(|_| !is_told) {
        checks.push(of_key(keyring, key).await);
    }
    (checks, chosen.ok())
}

fn alone(config: &Config, chosen: &Result<StoreKind, KeyringError>) -> CheckView {
    match chosen {
        Ok(kind) => ready(config, kind.name(), kind.survives_reboot()),
        Err(error) => wrong(error),
    }
}

/// The daemon's own word counts: a sandbox, or another login, may bar it from what this process reaches.
fn of_daemon(
    config: &Config,
    status: &StatusView,
    chosen: &Result<StoreKind, KeyringError>,
) -> CheckView {
    let view = &status.keyring;
    match (&view.state, chosen) {
        (KeyringState::Ready, _) => ready(config, &view.kind, view.survives_reboot),
        (_, Err(error)) => wrong(error),
        (state, Ok(kind)) => {
            let message = format!(
                "the daemon finds its keyring ({}) {}, though this shell reaches {kind}",
                view.kind,
                state.as_str()
            );
            CheckView::wrong("keyring", "", message).then(words::ONLY_THE_DAEMON)
        }
    }
}

fn ready(config: &Config, kind: &str, survives: bool) -> CheckView {
    if survives {
        return CheckView::fine("keyring", kind, "ready, and survives a reboot");
    }
    if config.require_durable {
        let message =
            "it does not survive a reboot, which require_durable wants: nothing new is taken in";
        return CheckView::wrong("keyring", kind, message).then(words::DURABLE_STORE);
    }
    let message =
        "ready, but does not survive a reboot: tokens that live then cannot be revoked any more";
    CheckView::fine("keyring", kind, message)
}

fn wrong(error: &KeyringError) -> CheckView {
    let next = match error {
        KeyringError::Locked { .. } => {
            format!("{} securid-ctl login asks for its password as well.", error.hint())
        }
        _ => error.hint().to_owned(),
    };
    CheckView::wrong("keyring", error.kind().name(), error.to_string()).then(next)
}

/// Whether it is there, safe, and opens the sealed file.
async fn of_key(keyring: &Keyring, key: &KeyPlace) -> CheckView {
    let (KeyPlace::File(path) | KeyPlace::Credential(path)) = key;
    let about = path.display().to_string();
    match keyring.choose(Preference::Fixed(StoreKind::SealedFile), false).await {
        Ok(_) => CheckView::fine("key", &about, "there, closed to others, and the right one"),
        Err(error) => CheckView::wrong("key", &about, error.to_string()).then(error.hint()),
    }
}
