//! A line of the audit: JSON, and the journal's fields to search it by. Never a token.

use std::sync::Arc;

use securid_session::{About, Key};
use serde::Serialize;
use tracing::Level;

use crate::clock;
use crate::journal::Entry;

/// The format's number. It grows if a field changes its meaning or goes; new ones may come.
const VERSION: u8 = 1;

/// Something that happened to a session.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    /// When, in Unix milliseconds.
    pub(crate) at: i64,
    pub(crate) happening: Happening,
    /// To which; none for what is about no session.
    pub(crate) subject: Option<Subject>,
    pub(crate) details: Details,
}

/// Whose life it is.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    pub(crate) key: Key,
    pub(crate) about: Arc<About>,
}

/// What can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Happening {
    Created,
    Rejected,
    Resumed,
    Found,
    Lent,
    RevocationAsked,
    Attempt,
    Lost,
    FoundAgain,
    Confirmed,
    Forgotten,
    Dropped,
    /// Lines that could not be kept.
    Gap,
}

/// What there is to say besides; each where it applies.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Details {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) how: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stage: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) outcome: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) evidence: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) attempts: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    /// How many lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lost: Option<u64>,
}

#[derive(Serialize)]
struct Object<'a> {
    v: u8,
    time: String,
    event: &'static str,
    #[serde(flatten)]
    subject: Option<Who<'a>>,
    #[serde(flatten)]
    details: &'a Details,
}

#[derive(Serialize)]
struct Who<'a> {
    session: &'a str,
    generation: u64,
    instance: &'a str,
    url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'a str>,
    keyring: &'a str,
}

impl Happening {
    fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Rejected => "rejected",
            Self::Resumed => "resumed",
            Self::Found => "found",
            Self::Lent => "lent",
            Self::RevocationAsked => "revocation-asked",
            Self::Attempt => "attempt",
            Self::Lost => "lost",
            Self::FoundAgain => "found-again",
            Self::Confirmed => "confirmed",
            Self::Forgotten => "forgotten",
            Self::Dropped => "dropped",
            Self::Gap => "gap",
        }
    }

    /// Whether it can be the last of a session, so that it has to survive what the record does not.
    pub(super) fn may_end(self) -> bool {
        matches!(self, Self::Confirmed | Self::Forgotten | Self::Dropped | Self::Rejected)
    }
}

impl Line {
    /// Says that so many lines are missing here.
    pub(super) fn gap(at: i64, lost: u64) -> Self {
        let details = Details { lost: Some(lost), ..Details::default() };
        Self { at, happening: Happening::Gap, subject: None, details }
    }

    /// The line, without the newline at its end.
    pub(super) fn json(&self) -> String {
        let object = Object {
            v: VERSION,
            time: clock::rfc3339_millis(self.at),
            event: self.happening.name(),
            subject: self.subject.as_ref().map(|Subject { key, about }| Who {
                session: key.id.as_str(),
                generation: key.generation.0,
                instance: &about.instance,
                url: &about.origin.url,
                username: about.username.as_deref(),
                keyring: &about.keyring,
            }),
            details: &self.details,
        };
        // It has nothing in it that JSON does not know.
        serde_json::to_string(&object).unwrap_or_default()
    }

    /// The same for the journal.
    pub(super) fn entry(&self) -> Entry {
        let mut entry = Entry::new(Level::INFO, &self.json());
        entry.add_ours("audit", self.happening.name());
        if let Some(Subject { key, about }) = &self.subject {
            entry.add_ours("session", key.id.as_str());
            entry.add_ours("instance", &about.instance);
        }
        for (name, value) in [("reason", self.details.reason), ("outcome", self.details.outcome)] {
            if let Some(value) = value {
                entry.add_ours(name, value);
            }
        }
        entry
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use securid_session::{Generation, Limits, Network, Origin, SessionId};

    use super::*;

    fn line(happening: Happening, details: Details) -> Line {
        let about = About {
            instance: "prod".to_owned(),
            username: None,
            origin: Origin {
                url: "https://h/aveksa/command.submit".to_owned(),
                ca_file: None,
                format: "json".to_owned(),
                network: Network::default(),
            },
            keyring: "keyutils".to_owned(),
            limits: Limits { idle: None, lifetime: None },
            tied: false,
        };
        let key = Key { id: SessionId::from_bits(10), generation: Generation(3) };
        let subject = Some(Subject { key, about: Arc::new(about) });
        Line { at: 1_800_000_000_042, happening, subject, details }
    }

    #[test]
    fn a_line_says_what_applies() {
        let details = Details {
            reason: Some("idle"),
            outcome: Some("revoked"),
            evidence: Some("two\nlines \"quoted\"".to_owned()),
            attempts: Some(2),
            ..Details::default()
        };
        assert_eq!(
            line(Happening::Confirmed, details).json(),
            "{\"v\":1,\"time\":\"2027-01-15T08:00:00.042Z\",\"event\":\"confirmed\",\
             \"session\":\"000000000000000a\",\"generation\":3,\"instance\":\"prod\",\
             \"url\":\"https://h/aveksa/command.submit\",\"keyring\":\"keyutils\",\
             \"reason\":\"idle\",\"outcome\":\"revoked\",\
             \"evidence\":\"two\\nlines \\\"quoted\\\"\",\"attempts\":2}"
        );
        assert_eq!(
            Line::gap(1_800_000_000_000, 7).json(),
            "{\"v\":1,\"time\":\"2027-01-15T08:00:00.000Z\",\"event\":\"gap\",\"lost\":7}"
        );
    }

    #[test]
    fn in_the_journal_it_is_searched_by_fields() {
        let details = Details { reason: Some("request"), ..Details::default() };
        let entry = line(Happening::RevocationAsked, details).entry().into_bytes();
        let text = String::from_utf8(entry).unwrap();
        assert!(text.starts_with("MESSAGE={\"v\":1,"), "{text}");
        assert!(
            text.ends_with(
                "SECURID_AUDIT=revocation-asked\nSECURID_SESSION=000000000000000a\n\
                 SECURID_INSTANCE=prod\nSECURID_REASON=request\n"
            ),
            "{text}"
        );
    }
}
