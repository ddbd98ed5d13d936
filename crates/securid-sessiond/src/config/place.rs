//! Where something in the config is said, and what is wrong with it.

use std::fmt::{self, Write as _};
use std::path::Path;
use std::sync::Arc;

use securid_text::mention;

/// Where a value is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    File {
        path: Arc<Path>,
        /// Counted from one; none for the file as a whole.
        line: Option<usize>,
    },
    /// A variable of the environment, by its name.
    Variable(String),
    /// `--set`
    Flag,
}

impl Place {
    /// Whether this is in the same layer.
    pub(super) fn is_beside(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::File { path, .. }, Self::File { path: other, .. }) => path == other,
            (Self::Variable(_), Self::Variable(_)) | (Self::Flag, Self::Flag) => true,
            _ => false,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line: Some(line) } => write!(f, "{}:{line}", path.display()),
            Self::File { path, line: None } => write!(f, "{}", path.display()),
            Self::Variable(name) => write!(f, "{name} (environment)"),
            Self::Flag => f.write_str("--set"),
        }
    }
}

/// One thing that is wrong in the config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) place: Place,
    /// The key, as `instances.prod.url`; empty for the place as a whole.
    pub(crate) key: String,
    /// What is wrong with it, and what was expected.
    pub(crate) problem: String,
}

impl Fault {
    /// A value, or what is missing in its place, is wrong.
    pub(super) fn new(place: &Place, key: String, problem: impl Into<String>) -> Self {
        Self { place: place.clone(), key, problem: problem.into() }
    }

    /// Whether it is about this key, enforced or not.
    pub(super) fn is_about(&self, key: &str) -> bool {
        self.key.strip_prefix("enforced.").unwrap_or(&self.key) == key
    }

    /// A file is of no use at all.
    pub(super) fn of_file(path: &Path, problem: impl Into<String>) -> Self {
        let place = Place::File { path: path.into(), line: None };
        Self { place, key: String::new(), problem: problem.into() }
    }
}

/// One line, whatever the file and its keys are called: it goes to terminals and into the log.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut told = self.place.to_string();
        if !self.key.is_empty() {
            told += &format!(": {}", self.key);
        }
        told += &format!(": {}", self.problem);
        for c in told.chars() {
            if c.is_control() {
                write!(f, "{}", c.escape_default())?;
            } else {
                f.write_char(c)?;
            }
        }
        Ok(())
    }
}

/// A key in its tables, as an error may name it: somebody may have pasted a token in the place of one.
pub(super) fn dotted(names: &[&str]) -> String {
    let part = |name: &&str| {
        let told = mention(name);
        if told == format!("{name:?}") { (*name).to_owned() } else { told }
    };
    names.iter().map(part).collect::<Vec<_>>().join(".")
}
