//! A first config, and a key for the sealed file where secrets can be kept nowhere else.

use std::{fmt::Write as _, fs, path::Path};

use super::{
    Args,
    place::{Place, Scope},
    signed::{Found, look, signed},
    step::Step,
};
use crate::{
    failure::{FAILED, Failure},
    program,
    systemd::{ANSWER_WITHIN, Manager},
};

/// How `busctl` shows that an alias means none of the Secret Service's collections.
const NO_COLLECTION: &str = r#"o "/""#;

pub(super) fn steps(args: &Args, place: &Place) -> Result<Vec<Step>, Failure> {
    let modes = place.modes();
    let found = look(&place.config)?;
    let key = place.key();
    let needs_key = match &place.scope {
        // The sandbox of the unit has no kernel keyring that would last.
        Scope::User(manager) => !has_secret_service(manager) && !says_which_keyring(place)?,
        // That of the system has a key of its own, which one that the config names would replace.
        Scope::OfTheSystem | Scope::Alone | Scope::Global => false,
    };
    let mut steps = Vec::new();
    if needs_key && !key.exists() {
        steps.push(Step::MakeKey { path: key.clone(), modes });
    }
    let key_line =
        if needs_key { format!("key_file = {}\n", quoted(&key)?) } else { String::new() };
    let instance = instance(args)?;
    let head = match &found {
        Found::Ours(text) => before_table(text, &instance).map(str::to_owned),
        Found::Nothing | Found::Foreign => None,
    };
    let wanted = match (key_line.is_empty(), instance.is_empty()) {
        (false, false) => format!("{key_line}\n{instance}"),
        _ => format!("{key_line}{instance}"),
    };
    match (found, head) {
        (Found::Nothing, _) if wanted.is_empty() => {
            if !place.configs.iter().any(|file| file.exists()) {
                steps.push(Step::Say(
                    "there is no config yet: --url https://HOST/aveksa writes a first one"
                        .to_owned(),
                ));
            }
        }
        (Found::Nothing, _) => {
            let text = signed(&wanted);
            steps.push(Step::Write { path: place.config.clone(), text, modes, before: None });
            steps.push(Step::Check);
        }
        (Found::Ours(text), _) if !instance.is_empty() && text.ends_with(&instance) => {
            steps.push(Step::Keep(place.config.clone(), "up to date"));
            steps.push(Step::Check);
        }
        // A word was wrong the first time, and nobody has touched the file since.
        (Found::Ours(before), Some(head)) => {
            let text = signed(&format!("{key_line}{head}{instance}"));
            let (path, before) = (place.config.clone(), Some(before));
            steps.push(Step::Write { path, text, modes, before });
            steps.push(Step::Check);
            steps.push(Step::Say("a daemon that runs reads it on: securid-ctl reload".to_owned()));
        }
        (Found::Ours(_) | Found::Foreign, _) => {
            steps.push(Step::Keep(place.config.clone(), "never written over"));
            if !key_line.is_empty() {
                let line = key_line.trim_end();
                steps.push(Step::Say(format!("add this line to it, at its top: {line}")));
            }
            if !instance.is_empty() {
                steps.push(Step::Say(format!("add these lines to it, at its end:\n{instance}")));
            }
            steps.push(Step::Check);
        }
    }
    Ok(steps)
}

/// The table of the instance that was asked for; nothing if none was.
fn instance(args: &Args) -> Result<String, Failure> {
    let Some(url) = &args.url else { return Ok(String::new()) };
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let name = match !args.instance.is_empty() && args.instance.chars().all(bare) {
        true => args.instance.clone(),
        false => string(&args.instance),
    };
    let mut text = format!("[instances.{name}]\nurl = {}\n", string(url));
    // Writing to a String cannot fail.
    if let Some(username) = &args.username {
        let _ = writeln!(text, "username = {}", string(username));
    }
    if let Some(file) = &args.ca_file {
        let _ = writeln!(text, "ca_file = {}", quoted(&std::path::absolute(file)?)?);
    }
    Ok(text)
}

/// What stands in a file of ours between its checksum and the table of this instance, which is its last; none if
/// it has no such table.
fn before_table<'a>(ours: &'a str, instance: &str) -> Option<&'a str> {
    let (_, text) = ours.split_once('\n')?;
    let (table, _) = instance.split_once('\n')?;
    text.find(&format!("{table}\n")).map(|at| &text[..at])
}

/// As TOML writes a string; JSON's are among them.
fn string(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\x7f', "\\u007f")
}

fn quoted(path: &Path) -> Result<String, Failure> {
    let cannot = || {
        let message = format!("a config cannot name {}, which is not UTF-8", path.display());
        Failure::new("setup", message, FAILED)
    };
    path.to_str().map(string).ok_or_else(cannot)
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
fn says_which_keyring(place: &Place) -> Result<bool, Failure> {
    for file in place.configs.iter().filter(|file| file.exists()) {
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
