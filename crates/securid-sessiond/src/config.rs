//! What the config says, and where it says something wrong.
//!
//! - `file`: one TOML file, with the line of whatever is wrong in it;
//! - `layers`: which files count, and whether what they name is of use;
//! - `merge`: how the later ones win, and `network` what they say of proxies and client certificates;
//! - `settings`: what comes out, complete and checked;
//! - `live`: the one that counts now.

mod file;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzz;
mod layers;
mod live;
mod merge;
mod network;
mod settings;

use std::fmt::{self, Write as _};
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

/// One line, whatever the file and its keys are called: it goes to terminals and into the log.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut told = self.file.display().to_string();
        if let Some(line) = self.line {
            told += &format!(":{line}");
        }
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
