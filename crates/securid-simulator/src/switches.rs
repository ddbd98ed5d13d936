//! Which faults are on, and how slow the server is.

use std::collections::HashMap;
use std::time::Duration;

use crate::fault::Fault;

#[derive(Default)]
pub(crate) struct Switches {
    /// For every request that has no fault of its own.
    pub(crate) general: Option<Fault>,
    /// By the command's name.
    pub(crate) by_command: HashMap<String, Fault>,
    /// What every reply of a command takes longer.
    pub(crate) latency: Duration,
    /// What logins get in the place of a new token.
    pub(crate) handed_out: Option<String>,
    /// What people are told before a login, in the place of the usual words.
    pub(crate) instructions: Option<String>,
    /// Whose word counts.
    pub(crate) assertions: Vec<Assertion>,
}

/// What another party says of a user.
pub(crate) struct Assertion {
    /// Where it is checked.
    pub(crate) auth_source: String,
    pub(crate) text: String,
    pub(crate) username: String,
}

impl Switches {
    /// Sets or clears one fault: that of a command, or the general one.
    pub(crate) fn set(&mut self, command: Option<&str>, fault: Option<Fault>) {
        match (command, fault) {
            (None, fault) => self.general = fault,
            (Some(command), Some(fault)) => {
                self.by_command.insert(command.to_owned(), fault);
            }
            (Some(command), None) => {
                self.by_command.remove(command);
            }
        }
    }

    /// Of whom this is said; the outer `None` if that source checks passwords.
    pub(crate) fn vouched_for(&self, auth_source: &str, text: &[u8]) -> Option<Option<String>> {
        let mut there =
            self.assertions.iter().filter(|it| it.auth_source == auth_source).peekable();
        there.peek()?;
        Some(there.find(|it| it.text.as_bytes() == text).map(|it| it.username.clone()))
    }

    /// What happens to a request of this command: its own fault before the general one.
    pub(crate) fn fault_for(&self, command: Option<&str>) -> Option<Fault> {
        command.and_then(|command| self.by_command.get(command).copied()).or(self.general)
    }

    /// Whether the listener is to be closed.
    pub(crate) fn is_down(&self) -> bool {
        self.general == Some(Fault::Down) || self.by_command.values().any(|f| *f == Fault::Down)
    }
}
