//! What the config says, and where it says something wrong.
//!
//! - `file`: one TOML file, with the line of whatever is wrong in it;
//! - `layers`: which files count, and whether what they name is of use;
//! - `merge`: how the later ones win;
//! - `settings`: what comes out, complete and checked;
//! - `live`: the one that counts now.

mod file;
mod layers;
mod live;
mod merge;
mod settings;

use std::fmt;
use std::path::PathBuf;

pub(crate) use layers::load;
pub(crate) use live::LiveConfig;
pub(crate) use settings::{AuditTarget, Config, DesktopFates, Fate, Instance, RevocationSettings};

/// One thing that is wrong in a config file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) file: PathBuf,
    /// Counted from one; none for the file as a whole.
    pub(crate) line: Option<usize>,
    /// The key, as `instances.prod.url`; empty for the file as a whole.
    pub(crate) key: String,
    /// What is wrong with it, and what was expected.
    pub(crate) problem: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}", self.problem)
    }
}

/// What the config files came to.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// With faults: what could be understood all the same, which is enough for draining only.
    pub(crate) config: Config,
    /// What makes it unusable.
    pub(crate) faults: Vec<Fault>,
    /// What is wrong in the machine's file without being an error, like a key that we do not know.
    pub(crate) warnings: Vec<Fault>,
}
