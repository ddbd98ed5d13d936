//! What can go wrong on a bus.

use std::time::Duration;

use securid_text::span;

/// A bus, or somebody on it, did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no way to the bus.
    #[error("the bus cannot be reached: {0}")]
    Unreachable(String),
    /// There was no answer within the limit, and what was asked may or may not be done.
    #[error("no answer within {}", span(*.0))]
    Silent(Duration),
    /// The connection has ended.
    #[error("the connection to the bus has ended")]
    Ended,
    /// Whoever was asked said no, or the bus did because there is nobody.
    #[error("{name}: {text}")]
    Refused {
        /// The error's name on the bus.
        name: String,
        /// What it says.
        text: String,
    },
    /// What was said is not of the form that was agreed.
    #[error("an answer of another form than {0}")]
    Form(String),
    /// So much came unasked that it was not heard to its end.
    #[error("too many signals at once")]
    Flooded,
}

impl Error {
    /// The error's name on the bus, if somebody refused.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Refused { name, .. } => Some(name),
            _ => None,
        }
    }
}

impl From<dbus::Error> for Error {
    fn from(error: dbus::Error) -> Self {
        let part = |part: Option<&str>| part.unwrap_or_default().to_owned();
        Self::Refused { name: part(error.name()), text: part(error.message()) }
    }
}
