//! What `doctor` finds out, as `securid-sessiond --doctor` hands it on and `securid-ctl doctor` shows it.

use securid_text::shown;
use serde::{Deserialize, Serialize};

/// One thing that was looked at. With `--json` the daemon's program prints a line for each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckView {
    /// What was looked at: `config`, `socket`, `keyring`, `tls` and so on.
    pub check: String,
    /// Which one of several, as an instance's name; else empty.
    pub about: String,
    /// How it is.
    pub state: CheckState,
    /// What was found, in words.
    pub message: String,
    /// What to do next, where something is wrong: a command, if there is one.
    pub next: Option<String>,
}

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckState {
    /// As it should be.
    Fine,
    /// Not as it should be.
    Wrong,
    /// Nobody knows, for something else came first; or a later version has a word for it.
    #[serde(other)]
    Unknown,
}

/// All that was looked at, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChecksView {
    /// Each check.
    pub checks: Vec<CheckView>,
    /// Whether all of them are fine.
    pub fine: bool,
}

impl CheckView {
    /// It is as it should be.
    #[must_use]
    pub fn fine(check: &str, about: &str, message: impl Into<String>) -> Self {
        Self::new(check, about, CheckState::Fine, message.into())
    }

    /// It is not. What to do about it is for [`next`](Self::then).
    #[must_use]
    pub fn wrong(check: &str, about: &str, message: impl Into<String>) -> Self {
        Self::new(check, about, CheckState::Wrong, message.into())
    }

    /// It could not be looked at.
    #[must_use]
    pub fn unknown(check: &str, about: &str, why: impl Into<String>) -> Self {
        Self::new(check, about, CheckState::Unknown, why.into())
    }

    /// With what to do next.
    #[must_use]
    pub fn then(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }

    fn new(check: &str, about: &str, state: CheckState, message: String) -> Self {
        Self { check: check.to_owned(), about: about.to_owned(), state, message, next: None }
    }

    /// For people: what was found in a line, what to do in one below. `paint` may colour the first word.
    #[must_use]
    pub fn text(&self, paint: impl FnOnce(String, CheckState) -> String) -> String {
        let word = match self.state {
            CheckState::Fine => "fine",
            CheckState::Wrong => "WRONG",
            CheckState::Unknown => "left out",
        };
        let about = if self.about.is_empty() { String::new() } else { format!(" {}", self.about) };
        let heading = format!("{}{about}", self.check);
        let mut said = self.message.lines();
        let first = said.next().unwrap_or_default();
        let mut text = paint(format!("{word:<8}"), self.state);
        text.push_str(&format!("  {}: {}\n", shown(&heading), shown(first)));
        for line in said {
            text.push_str(&format!("          {}\n", shown(line)));
        }
        for line in self.next.iter().flat_map(|next| next.lines()) {
            text.push_str(&format!("          -> {}\n", shown(line)));
        }
        text
    }
}

impl From<Vec<CheckView>> for ChecksView {
    fn from(checks: Vec<CheckView>) -> Self {
        let fine = checks.iter().all(|check| check.state == CheckState::Fine);
        Self { checks, fine }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_check_is_a_line_with_what_to_do_below() {
        let check = CheckView::wrong("daemon", "", "it is stopped\nfor long").then("kill -CONT 7");
        let text = check.text(|word, _| format!("[{word}]"));
        assert_eq!(
            text,
            "[WRONG   ]  daemon: it is stopped\n          for long\n          -> kill -CONT 7\n"
        );
        let check = CheckView::fine("tls", "prod", "TLS 1.3\u{1b}[2J");
        let text = check.text(|word, _| word);
        assert!(text.starts_with("fine      tls prod: TLS 1.3"), "{text}");
        assert!(!text.contains('\u{1b}'), "{text:?}");
    }

    #[test]
    fn all_is_fine_only_if_everything_is_known_to_be() {
        let fine = CheckView::fine("socket", "", "");
        assert!(ChecksView::from(vec![fine.clone()]).fine);
        assert!(!ChecksView::from(vec![fine.clone(), CheckView::unknown("tls", "", "")]).fine);
        assert!(!ChecksView::from(vec![CheckView::wrong("tls", "", ""), fine]).fine);
    }

    #[test]
    fn a_word_of_a_later_version_is_not_taken_for_fine() {
        let line = r#"{"check":"a","about":"","state":"shaky","message":"","next":null,"more":1}"#;
        let check: CheckView = serde_json::from_str(line).unwrap();
        assert_eq!(check.state, CheckState::Unknown);
    }
}
