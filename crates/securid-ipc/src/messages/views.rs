//! The results, with the field names that the contract fixes. What has no value is `null`, not
//! absent, where the contract names the field; clients ignore fields that they do not know.

use serde::{Deserialize, Serialize};

use super::words::{KeyringState, Outcome, Reason, SessionState};
use securid_secret::Secret;

/// A moment in RFC 3339, UTC, as the daemon wrote it: `2026-11-22T12:00:00Z`.
pub type Time = String;

/// Of `daemon.hello`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HelloView {
    /// The number of the protocol that the daemon speaks.
    pub protocol: u32,
    /// The daemon's version.
    pub version: String,
}

/// A session that is not ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SessionView {
    /// 16 lower-case hex digits.
    pub id: String,
    /// The instance's name.
    pub instance: String,
    /// The whole endpoint.
    pub url: String,
    /// Whose session, where it is known.
    pub username: Option<String>,
    /// The kind of store that holds the token.
    pub keyring: String,
    /// Where it stands.
    pub state: SessionState,
    /// When it was taken in.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Moment"))]
    pub created_at: Time,
    /// When it was lent last.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Moment"))]
    pub last_used_at: Time,
    /// When it will be revoked for idleness; null if never, or while it is held.
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Moment>"))]
    pub idle_deadline: Option<Time>,
    /// When its lifetime is over; null if never.
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Moment>"))]
    pub expires_at: Option<Time>,
    /// How many connections hold it.
    pub holds: u32,
    /// Its revocation, once that is under way.
    pub revocation: Option<RevocationView>,
}

/// A revocation under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RevocationView {
    /// Why.
    pub reason: Reason,
    /// Since when.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Moment"))]
    pub since: Time,
    /// How often the server was asked.
    pub attempts: u32,
    /// What the last attempt met.
    pub last_error: Option<String>,
    /// When the next attempt is due.
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Moment>"))]
    pub next_attempt_at: Option<Time>,
    /// Whether the intent is on disk.
    pub durable: bool,
}

/// Of `session.add` and `session.login`: the session, a warning where its store forgets, and what it takes the place of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TakenView {
    /// The session.
    #[serde(flatten)]
    pub session: SessionView,
    /// What a person should know, as that the store does not survive a reboot.
    pub warning: Option<String>,
    /// How many other sessions are under revocation for it; present if the login was to replace them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced: Option<u32>,
}

/// A page of `session.list`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ListView {
    /// The sessions of this page.
    pub sessions: Vec<SessionView>,
    /// Where the next page starts; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// A page of `session.history`, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HistoryView {
    /// The ended sessions of this page; it may have none, and others follow.
    pub sessions: Vec<HistoryItem>,
    /// How many of the lines of the history that were looked at for this page cannot be read; whose they were is not
    /// known. Each is counted on one page.
    #[serde(default)]
    pub damaged: u64,
    /// On the last page: the folder with lines that were damaged and set aside, if there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_aside: Option<String>,
    /// On the last page: sessions that ended before may be in the history no more; absent if none has gone, or has
    /// to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Moment>"))]
    pub kept_since: Option<Time>,
    /// Where the next page starts; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// A session that is ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HistoryItem {
    /// Its id.
    pub id: String,
    /// Which of its tokens it was, as in the audit; null from a daemon that does not say.
    #[serde(default)]
    pub generation: Option<u64>,
    /// The instance's name.
    pub instance: String,
    /// The whole endpoint.
    pub url: String,
    /// Whose session, where it was known.
    pub username: Option<String>,
    /// The kind of store that held the token; null where an older version has written it down.
    #[serde(default)]
    pub keyring: Option<String>,
    /// When it was taken in.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Moment"))]
    pub created_at: Time,
    /// When its end was asked for; null if it never was.
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Moment>"))]
    pub requested_at: Option<Time>,
    /// When it was confirmed dead, or forgotten.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Moment"))]
    pub ended_at: Time,
    /// Why it was to end; null if its end was never asked for.
    pub reason: Option<Reason>,
    /// How it ended.
    pub outcome: Outcome,
    /// How often the server was asked.
    pub attempts: u32,
    /// What the server said.
    pub evidence: Option<String>,
}

/// Of `session.instructions`: where a login goes, and what its server wants a person to know before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct InstructionsView {
    /// The instance's name.
    pub instance: String,
    /// The whole endpoint.
    pub url: String,
    /// Who logs in where nobody says otherwise: the instance's own username.
    pub username: Option<String>,
    /// The authentication source that the login will name.
    pub auth_source: Option<String>,
    /// The server's text: at most 24 lines and 2,000 characters, without markup and without what a terminal obeys
    /// or nobody sees, but for the line ends. Null if the server has none.
    pub instructions: Option<String>,
}

/// Of `session.token`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TokenView {
    /// The token.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::SecretText"))]
    pub token: Secret,
    /// The whole endpoint that it is for, and no other.
    pub url: String,
    /// The session's id.
    pub session: String,
    /// The instance's name.
    pub instance: String,
    /// When its lifetime is over; null if never.
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Moment>"))]
    pub expires_at: Option<Time>,
}

/// Of `session.touch`, `session.hold` and `session.forget`: which session was meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SessionRef {
    /// The session's id.
    pub session: String,
}

/// Of `events.subscribe`: nothing but that the events follow.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SubscribedView {}

/// Of `session.logout`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LogoutView {
    /// The sessions that were meant; of very many those that went worst.
    pub sessions: Vec<LogoutItem>,
    /// How many more were meant, none of which went worse than those that are listed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unlisted: u32,
    /// Selectors that meant nothing; the others were carried out all the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<RefusedView>,
}

/// How far the logout of one session came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LogoutItem {
    /// Its id.
    pub id: String,
    /// The instance's name.
    pub instance: String,
    /// `revoking`, `ended` or `lost`.
    pub state: SessionState,
    /// How it ended, once it has.
    pub outcome: Option<Outcome>,
    /// What the last attempt met.
    pub last_error: Option<String>,
    /// Whether the intent is on disk.
    pub durable: bool,
    /// Whether the server could not even be asked, for the keyring does not give the token out.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unreachable: bool,
}

/// Of `securid-sessiond --drain --json`: how far each session came that was recorded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DrainView {
    /// As of a logout.
    #[serde(flatten)]
    pub done: LogoutView,
    /// How many sessions without a good record nobody could revoke.
    #[serde(default)]
    pub undecided: u32,
    /// Why nobody knows how far they came, if so.
    #[serde(default)]
    pub error: Option<String>,
}

/// A selector that names no session, or several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RefusedView {
    /// As it was given.
    pub selector: String,
    /// The error that it would be alone.
    #[serde(flatten)]
    pub error: super::RpcError,
}

/// Of `session.retry`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RetryView {
    /// The ids of the sessions whose next attempt is made now.
    pub sessions: Vec<String>,
}

/// Of `daemon.reload`: what counts from now on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReloadView {
    /// The instances of the config, by name.
    pub instances: Vec<String>,
    /// The ids of the sessions that end by themselves at other limits now.
    pub limited: Vec<String>,
    /// What is odd in the config without making it bad, in words.
    pub warnings: Vec<String>,
    /// What has changed and counts only once the daemon is started anew, in words.
    pub later: Vec<String>,
}

/// Of `daemon.stop`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StopView {
    /// Whether the sessions are kept for the next start.
    pub keep: bool,
}

/// Of `daemon.status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StatusView {
    /// The daemon's version.
    pub version: String,
    /// Its process.
    pub pid: u32,
    /// Since when it runs.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Moment"))]
    pub started_at: Time,
    /// How many sessions stand where.
    pub sessions: SessionCounts,
    /// Sessions without a good record of whose tokens nobody can say yet whether they live: the keyring has not
    /// said, or the record is of a newer version or cannot be read.
    #[serde(default)]
    pub undecided: u32,
    /// For how many seconds the oldest revocation has been pending; null if none is.
    pub oldest_pending_seconds: Option<u64>,
    /// The store for new secrets.
    pub keyring: KeyringView,
    /// The instances of the config.
    pub instances: Vec<InstanceView>,
    /// What a person should look at: records of another machine or a newer version, damaged files
    /// that were set aside.
    pub problems: Vec<String>,
    /// What tells the config that counts from another one, within one version of the daemon; null from one that
    /// does not say.
    #[serde(default)]
    pub config: Option<String>,
}

/// How many sessions are in each state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct SessionCounts {
    /// Not yet acknowledged.
    pub adding: u32,
    /// Lent out on request.
    pub active: u32,
    /// Not yet confirmed dead.
    pub revoking: u32,
    /// Recorded without a secret.
    pub lost: u32,
}

impl SessionCounts {
    /// How many may be alive at the server, and can be revoked.
    #[must_use]
    pub fn alive(&self) -> u32 {
        self.adding + self.active + self.revoking
    }
}

/// The store for new secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct KeyringView {
    /// As in the config: `secret-service`, `keyutils`.
    pub kind: String,
    /// How it answers.
    pub state: KeyringState,
    /// Whether what it holds outlives a reboot.
    pub survives_reboot: bool,
}

/// An instance of the config.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct InstanceView {
    /// Its name.
    pub name: String,
    /// Its whole endpoint.
    pub url: String,
    /// The last time that its server was asked anything; null if it never was.
    pub last_contact: Option<ContactView>,
}

/// How a server answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ContactView {
    /// When.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Moment"))]
    pub at: Time,
    /// Whether it answered as a server of this kind does.
    pub ok: bool,
    /// What was wrong, if something was.
    pub message: Option<String>,
}

// serde asks for these signatures.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_false(value: &bool) -> bool {
    !*value
}

#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(count: &u32) -> bool {
    *count == 0
}
