//! The config as `securid-sessiond --show-config` prints it, for whoever shows it to people.

use serde::{Deserialize, Serialize};

/// All that the config says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigView {
    /// Each key: those at the top, those of `[revocation]`, those of each instance.
    pub keys: Vec<ConfigKeyView>,
    /// What is odd in it without making it bad, in words.
    pub warnings: Vec<String>,
}

/// One key, with what counts for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigKeyView {
    /// With its tables, as `instances.prod.idle_timeout`.
    pub key: String,
    /// As it can be given to `--set`; none where nothing holds.
    pub value: Option<String>,
    /// Where it is said: `FILE:LINE`, `NAME (environment)`, `--set`, or `built-in`.
    pub from: String,
    /// Whether nobody but root can change it.
    pub enforced: bool,
    /// What would count if nothing was enforced, where that is something else.
    pub instead_of: Option<OverruledView>,
}

/// A value that does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverruledView {
    /// As it can be given to `--set`.
    pub value: String,
    /// Where it is said.
    pub from: String,
}
