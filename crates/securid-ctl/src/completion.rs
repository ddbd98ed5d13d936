//! What a shell is told that completes a command line.
//!
//! - `place`: what belongs at the cursor, by the command line's own definition;
//! - `candidates`: sessions and instances, asked of the daemon in little time and without a word of what goes wrong;
//! - `bash`, `powershell`: quoting, which zsh and fish do themselves.
//!
//! Clap's own engine is not used: it has no stable interface, does not quote for bash, and completes file names
//! itself, which shells do better.

pub(crate) mod bash;
pub(crate) mod candidates;
pub(crate) mod place;
pub(crate) mod powershell;

/// A word that may stand at the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) word: String,
    /// What a person is told of it; may be empty.
    pub(crate) about: String,
}
