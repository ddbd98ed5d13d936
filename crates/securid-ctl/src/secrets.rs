//! Reading a password or a token, straight into memory for secrets.

use std::{
    env,
    fs::{self, File},
    io::{self, IsTerminal as _, Read, stdin},
    os::{fd::AsFd as _, unix::fs::MetadataExt as _},
    path::{Path, PathBuf},
};

use securid_ipc::framing::REQUEST_LIMIT;
use securid_secret::{Secret, SecretBytes};

use crate::{
    failure::Failure,
    interrupt::{INTERRUPTED, Interrupt},
};

/// Whether there is a person to ask.
pub(crate) fn is_terminal() -> bool {
    stdin().is_terminal()
}

/// Reads standard input to its end, past its buffer, which nobody would wipe.
pub(crate) fn from_stdin(what: &str) -> Result<Secret, Failure> {
    let unbuffered = stdin().as_fd().try_clone_to_owned().map(File::from);
    let unbuffered = unbuffered
        .map_err(|error| Failure::usage(format!("cannot read standard input: {error}")))?;
    read(unbuffered, what, "standard input")
}

/// The file of this name that systemd has put among the service's credentials, if it has.
pub(crate) fn credential(name: &str) -> Option<PathBuf> {
    let file = credentials()?.join(name);
    // One that cannot be looked at is there, and the reason is told when it is read.
    file.try_exists().unwrap_or(true).then_some(file)
}

fn credentials() -> Option<PathBuf> {
    env::var_os("CREDENTIALS_DIRECTORY").filter(|folder| !folder.is_empty()).map(PathBuf::from)
}

/// Reads a file that nobody else may read.
pub(crate) fn from_file(path: &Path, what: &str) -> Result<Secret, Failure> {
    let shown = path.display();
    let cannot = |error: io::Error| Failure::usage(format!("cannot read {shown}: {error}"));
    // Before it is opened: to open a pipe would wait for whoever writes to it.
    if !fs::metadata(path).map_err(cannot)?.is_file() {
        return Err(Failure::usage(format!("{shown} is no regular file")));
    }
    let file = File::open(path).map_err(cannot)?;
    let mode = file.metadata().map_err(cannot)?.mode() & 0o7777;
    // From version 254 on systemd's credentials are root's, and an access list lets the service read them: 0440.
    let is_credential =
        path.parent().is_some_and(|folder| credentials().as_deref() == Some(folder));
    let too_open = if is_credential { 0o037 } else { 0o077 };
    if mode & too_open != 0 {
        let message = format!("others may read {shown} (mode {mode:04o})");
        return Err(Failure::usage(message).with_hint(format!("Run: chmod 600 {shown}")));
    }
    read(file, what, &shown.to_string())
}

/// Asks on the terminal, without echo.
pub(crate) fn from_terminal(interrupt: &Interrupt, prompt: &str) -> Result<Secret, Failure> {
    let answer = interrupt.spare(|| rpassword::prompt_password(prompt));
    let password = answer.map(Secret::from).map_err(|error| match error.kind() {
        io::ErrorKind::Interrupted => Failure::new("interrupted", "interrupted", INTERRUPTED),
        _ => Failure::usage(format!("no password was given: {error}")),
    })?;
    not_empty(password, "password")
}

fn read(source: impl Read, what: &str, source_name: &str) -> Result<Secret, Failure> {
    let bytes = SecretBytes::read_from(source, REQUEST_LIMIT)
        .map_err(|error| Failure::usage(format!("cannot read {source_name}: {error}")))?;
    if bytes.len() == REQUEST_LIMIT {
        return Err(Failure::usage(format!("{source_name} is far too long for a {what}")));
    }
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| Failure::usage(format!("the {what} from {source_name} is no UTF-8")))?;
    let text = text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line));
    not_empty(Secret::from(text), &format!("{what} from {source_name}"))
}

fn not_empty(secret: Secret, what: &str) -> Result<Secret, Failure> {
    if secret.expose().is_empty() {
        return Err(Failure::usage(format!("the {what} is empty; nothing was sent")));
    }
    Ok(secret)
}
