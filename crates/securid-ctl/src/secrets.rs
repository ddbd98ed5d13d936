//! Reading a password or a token, straight into memory for secrets.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

use std::{
    env,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use securid_ipc::framing::REQUEST_LIMIT;
use securid_secret::{Secret, SecretBytes};

use crate::failure::Failure;

/// Reads standard input to its end, less one newline.
pub(crate) fn from_stdin(what: &str) -> Result<Secret, Failure> {
    line_of(&all_of_stdin(what)?, &format!("{what} from {STDIN}"))
}

/// Reads a file that nobody else may read, less one newline.
pub(crate) fn from_file(path: &Path, what: &str) -> Result<Secret, Failure> {
    line_of(&all_of_file(path, what)?, &format!("{what} from {}", path.display()))
}

/// Reads a whole file that nobody else may read, or standard input (`-`), as it is.
pub(crate) fn whole(path: &Path, what: &str) -> Result<Secret, Failure> {
    let text = if path == Path::new("-") { all_of_stdin(what)? } else { all_of_file(path, what)? };
    not_empty(text, what)
}

/// What messages call it.
const STDIN: &str = "standard input";

/// Past its buffer, which nobody would wipe.
fn all_of_stdin(what: &str) -> Result<Secret, Failure> {
    let unbuffered = system::stdin()
        .map_err(|error| Failure::usage(format!("cannot read standard input: {error}")))?;
    read(unbuffered, what, STDIN)
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

fn all_of_file(path: &Path, what: &str) -> Result<Secret, Failure> {
    let shown = path.display();
    let cannot = |error: io::Error| {
        Failure::usage(format!("cannot read {shown}: {error}"))
            .with_hint("Name a file that is there, and that you may read.")
    };
    // Before it is opened: to open a pipe would wait for whoever writes to it.
    if !fs::metadata(path).map_err(cannot)?.is_file() {
        let failure = Failure::usage(format!("{shown} is no regular file"));
        return Err(
            failure.with_hint("Name a file; what comes from a pipe goes to standard input.")
        );
    }
    let file = File::open(path).map_err(cannot)?;
    let is_credential =
        path.parent().is_some_and(|folder| credentials().as_deref() == Some(folder));
    system::closed_to_others(&file, path, is_credential).map_err(cannot)??;
    read(file, what, &shown.to_string())
}

fn read(source: impl Read, what: &str, source_name: &str) -> Result<Secret, Failure> {
    let bytes = SecretBytes::read_from(source, REQUEST_LIMIT)
        .map_err(|error| Failure::usage(format!("cannot read {source_name}: {error}")))?;
    if bytes.len() == REQUEST_LIMIT {
        let failure = Failure::usage(format!("{source_name} is far too long for a {what}"));
        return Err(failure.with_hint(format!("Give the {what} alone, and nothing else.")));
    }
    Secret::try_from(bytes).map_err(|_| {
        Failure::usage(format!("the {what} from {source_name} is no UTF-8"))
            .with_hint(format!("Give the {what} alone, as UTF-8{}.", system::HOW_UTF_8))
    })
}

fn line_of(text: &Secret, what: &str) -> Result<Secret, Failure> {
    let text = without_mark(text.expose());
    let line = text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line));
    not_empty(Secret::from(line), what)
}

/// The text behind the mark that editors and shells of Windows write before UTF-8 (a byte order mark). Nobody types one, so none
/// is the beginning of a password; sent along, it is a failed login, and of those a directory counts a few.
pub(crate) fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// Refuses an empty one: some directories take an empty password for an anonymous login.
pub(crate) fn not_empty(secret: Secret, what: &str) -> Result<Secret, Failure> {
    if secret.expose().is_empty() {
        let failure = Failure::usage(format!("the {what} is empty"));
        return Err(failure.with_hint("Nothing was sent: give it in one line."));
    }
    Ok(secret)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_mark_before_utf_8_and_one_newline_are_no_part_of_it() {
        for (given, expected) in [
            ("\u{feff}pw", "pw"),
            ("\u{feff}pw\r\n", "pw"),
            ("\u{feff}\u{feff}p\u{feff}w\n\n", "\u{feff}p\u{feff}w\n"),
            (" pw \r\n", " pw "),
        ] {
            assert_eq!(line_of(&Secret::from(given), "password").unwrap().expose(), expected);
        }
        for nothing in ["", "\u{feff}", "\u{feff}\r\n"] {
            assert!(line_of(&Secret::from(nothing), "password").is_err(), "{nothing:?}");
        }
    }

    #[test]
    fn what_is_no_utf_8_is_refused_with_what_to_do() {
        // As PowerShell's `>` writes it.
        let failure = read(&b"\xff\xfep\0w\0"[..], "password", STDIN).unwrap_err();
        let told = format!("{failure:?}");
        assert!(told.contains("no UTF-8") && told.contains(system::HOW_UTF_8), "{told}");
    }
}
