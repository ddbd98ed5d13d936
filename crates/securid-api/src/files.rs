//! Files that the config names: whose they have to be.

use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use securid_trust::advice::{self, ROOT};
use securid_trust::{OpenError, Standing};
use thiserror::Error;

/// A file that a setting names, and that cannot be used. It repeats nothing that is in it.
#[derive(Debug, Error)]
#[error("{setting} {path}{problem}", path = path.display())]
pub struct BadFile {
    setting: &'static str,
    path: PathBuf,
    problem: Problem,
}

#[derive(Debug)]
enum Problem {
    /// The system refuses.
    Io(io::Error),
    /// What is wrong with it, as the end of a sentence.
    Words(String),
    /// What is wrong with a part of it.
    Part(String),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, " cannot be read: {error}"),
            Self::Words(words) => write!(f, " {words}"),
            Self::Part(words) => write!(f, ": {words}"),
        }
    }
}

impl BadFile {
    /// The setting that names it, as the config writes it: `ca_file`.
    #[must_use]
    pub fn setting(&self) -> &'static str {
        self.setting
    }
}

/// A file and the setting that names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) setting: &'static str,
    pub(crate) path: PathBuf,
}

/// What others may do with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Others {
    /// Read it.
    Read,
    /// Nothing, but for a group that root lets read: so certificates' keys are often kept, and what systemd
    /// hands to a service.
    Nothing,
}

impl Named {
    pub(crate) fn new(setting: &'static str, path: &Path) -> Self {
        Self { setting, path: path.to_owned() }
    }

    /// Opens it, if nobody but root and we can have written it: whom to trust and who we are is in it.
    pub(crate) fn open(&self, others: Others) -> Result<File, BadFile> {
        let (file, about) = securid_trust::open(&self.path).map_err(|error| match error {
            OpenError::Io(error) => self.unreadable(error),
            OpenError::Untrusted(untrusted) => self.part(untrusted.to_string()),
        })?;
        match self.exposure(&about, others) {
            Some(words) => Err(self.bad(words)),
            None => Ok(file),
        }
    }

    fn exposure(&self, about: &Standing, others: Others) -> Option<String> {
        let (path, access) = (&self.path, about.access());
        if !about.is_trusted() {
            return Some(format!(
                "belongs to {}, who is neither {ROOT} nor this user: run {}",
                about.owner(),
                advice::take_it(path)
            ));
        }
        if about.is_writable_by_others() {
            let advice = advice::shut_writers_out(path);
            return Some(format!("can be written by others ({access}): run {advice}"));
        }
        let is_open = match about.is_roots() {
            true => about.is_open_to_more_than_a_group(),
            false => about.is_open_to_others(),
        };
        (others == Others::Nothing && is_open).then(|| {
            let advice = advice::make_file_private(path);
            format!("can be read by others ({access}): run {advice}")
        })
    }

    pub(crate) fn unreadable(&self, error: io::Error) -> BadFile {
        self.with(Problem::Io(error))
    }

    /// `words` go on with the sentence that begins with the setting and the path.
    pub(crate) fn bad(&self, words: impl Into<String>) -> BadFile {
        self.with(Problem::Words(words.into()))
    }

    pub(crate) fn part(&self, words: impl Into<String>) -> BadFile {
        self.with(Problem::Part(words.into()))
    }

    fn with(&self, problem: Problem) -> BadFile {
        BadFile { setting: self.setting, path: self.path.clone(), problem }
    }
}

/// The text behind the mark that editors and shells of Windows write before UTF-8 (a byte order mark): it is no part of a user's
/// name, and hides the line behind it from who looks for PEM.
pub(crate) fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}
