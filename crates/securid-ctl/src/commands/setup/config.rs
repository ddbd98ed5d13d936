//! A first config, and a key for the sealed file where secrets can be kept nowhere else.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use super::{
    Args,
    files::Files,
    signed::{Found, look, signed},
    step::Step,
};
use crate::{
    Context,
    failure::{FAILED, Failure},
};

/// What becomes of the config, and of the key where secrets need one.
pub(super) fn steps(args: &Args, files: &Files, needs_key: bool) -> Result<Vec<Step>, Failure> {
    let modes = files.modes;
    let found = look(&files.own)?;
    let key = files.key();
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
            if !files.all.iter().any(|file| file.exists()) {
                steps.push(Step::Say(
                    "there is no config yet: --url https://HOST/aveksa writes a first one"
                        .to_owned(),
                ));
            }
        }
        (Found::Nothing, _) => {
            let text = signed(&wanted);
            steps.push(Step::Write { path: files.own.clone(), text, modes, before: None });
            steps.push(Step::Check);
        }
        (Found::Ours(text), _) if !instance.is_empty() && text.ends_with(&instance) => {
            steps.push(Step::Keep(files.own.clone(), "up to date"));
            steps.push(Step::Check);
        }
        // A word was wrong the first time, and nobody has touched the file since.
        (Found::Ours(before), Some(head)) => {
            let text = signed(&format!("{key_line}{head}{instance}"));
            let (path, before) = (files.own.clone(), Some(before));
            steps.push(Step::Write { path, text, modes, before });
            steps.push(Step::Check);
            steps.push(Step::Say("a daemon that runs reads it on: securid-ctl reload".to_owned()));
        }
        (Found::Ours(_) | Found::Foreign, _) => {
            steps.push(Step::Keep(files.own.clone(), "never written over"));
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
        let _ = writeln!(text, "ca_file = {}", quoted(&whole(file)?)?);
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

/// With its backslashes as they are, if it has any and can be written so.
fn literal(path: &str) -> Option<String> {
    let fits = path.contains('\\') && !path.contains(|c: char| c == '\'' || c.is_control());
    fits.then(|| format!("'{path}'"))
}

fn whole(path: &Path) -> Result<PathBuf, Failure> {
    let cannot = |error| Failure::system("tell which folder --ca-file is relative to", &error);
    std::path::absolute(path).map_err(cannot)
}

fn quoted(path: &Path) -> Result<String, Failure> {
    let cannot = || {
        let message = format!("a config cannot name {}, which is not UTF-8", path.display());
        Failure::new("setup", message, FAILED)
    };
    path.to_str().map(|path| literal(path).unwrap_or_else(|| string(path))).ok_or_else(cannot)
}

/// A config that is as setup wrote it, and its key, unless there is a file that it opens.
pub(super) fn removal(context: &Context, files: &Files) -> Result<Vec<Step>, Failure> {
    let text = match look(&files.own)? {
        Found::Nothing => return Ok(vec![]),
        Found::Foreign => {
            return Ok(vec![Step::Keep(files.own.clone(), "not as setup wrote it")]);
        }
        Found::Ours(text) => text,
    };
    let mut steps = vec![Step::Remove(files.own.clone())];
    let key = files.key();
    if text.contains("\nkey_file = ") && key.exists() {
        steps.push(match has_sealed_file(&context.paths.state_dir) {
            true => Step::Keep(key, "the sealed file in the state folder opens with it alone"),
            false => Step::Remove(key),
        });
    }
    Ok(steps)
}

fn has_sealed_file(state: &Path) -> bool {
    let files = fs::read_dir(state).into_iter().flatten().flatten();
    files.map(|file| file.path()).any(|path| path.extension().is_some_and(|end| end == "sealed"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn paths_are_written_so_that_a_person_can_read_them() {
        for (path, written) in [
            ("/etc/ca.pem", r#""/etc/ca.pem""#),
            (r"C:\Users\Jörg M\ca.pem", r"'C:\Users\Jörg M\ca.pem'"),
            (r"C:\Users\O'Hara\ca.pem", r#""C:\\Users\\O'Hara\\ca.pem""#),
        ] {
            assert_eq!(quoted(Path::new(path)).unwrap(), written);
        }
    }
}
