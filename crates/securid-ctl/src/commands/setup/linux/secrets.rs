//! Whether secrets can be kept anywhere without a key of ours.

use std::fs;

use super::{
    super::files::Files,
    place::{Place, Scope},
};
use crate::{
    failure::{FAILED, Failure},
    manager::systemd::{ANSWER_WITHIN, Manager},
    program,
};

/// How `busctl` shows that an alias means none of the Secret Service's collections.
const NO_COLLECTION: &str = r#"o "/""#;

/// Whether the sealed file is what is left, and no key for it is named.
pub(super) fn need_a_key(place: &Place) -> Result<bool, Failure> {
    Ok(match &place.scope {
        // The sandbox of the unit has no kernel keyring that would last.
        Scope::User(manager) => !has_secret_service(manager) && !says_which_keyring(&place.files)?,
        // That of the system has a key of its own, which one that the config names would replace.
        Scope::OfTheSystem | Scope::Alone | Scope::Global => false,
    })
}

/// Whether a Secret Service is on the user's bus, or is started by being asked for, and has a collection
/// for new secrets: one that nobody ever logged in to, as on a server, has none, and the daemon does not
/// choose it then. A bus that does not answer has none.
fn has_secret_service(manager: &Manager) -> bool {
    let mut command = manager.command("busctl");
    command.args(["call", "org.freedesktop.secrets", "/org/freedesktop/secrets"]);
    command.args(["org.freedesktop.Secret.Service", "ReadAlias", "s", "default"]);
    program::run(command, ANSWER_WITHIN)
        .is_ok_and(|ended| ended.status.success() && ended.out.trim() != NO_COLLECTION)
}

/// Whether a config says by itself where secrets are kept. This program reads no TOML: such keys
/// stand at the beginning of a line.
fn says_which_keyring(files: &Files) -> Result<bool, Failure> {
    for file in files.all.iter().filter(|file| file.exists()) {
        let text = fs::read_to_string(file).map_err(|error| {
            Failure::new("setup", format!("cannot read {}: {error}", file.display()), FAILED)
        })?;
        let says = |line: &str, key: &str| {
            line.trim_start().strip_prefix(key).is_some_and(|it| it.trim_start().starts_with('='))
        };
        if text.lines().any(|line| says(line, "key_file") || says(line, "keyring")) {
            return Ok(true);
        }
    }
    Ok(false)
}
