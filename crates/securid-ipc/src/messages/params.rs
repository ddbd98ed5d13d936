//! The parameters of each method. All are named; one that is not known here is refused, so that a
//! misspelt `"al": true` never counts as "not given".

use std::time::Duration;

use serde::{Deserialize, Serialize};

use securid_secret::Secret;

use crate::duration::optional;

/// No parameters.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// Of `daemon.stop`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Stop {
    /// Keep the sessions for the next start (true) or revoke them (false); the daemon's own
    /// `on_exit` decides where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep: Option<bool>,
}

/// Of `session.add`: take over a token from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Add {
    /// The instance's name; the default one where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// The token.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::SecretText"))]
    pub token: Secret,
    /// Whose token it is; the instance's own username where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
}

/// Of `session.login`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "LoginOnTheWire", into = "LoginOnTheWire")]
pub struct Login {
    /// The instance's name; the default one where it is not said.
    pub instance: Option<String>,
    /// Who logs in; the instance's own username where it is not said.
    pub username: Option<String>,
    /// What is shown to the server.
    pub proof: Proof,
    /// The authentication source; the instance's own where it is not said.
    pub auth_source: Option<String>,
    /// Revoke this user's other sessions at this instance.
    pub replace: bool,
    /// For one program: this connection holds the session from the beginning, and when nobody holds it any
    /// more, it is revoked.
    pub tied: bool,
}

/// By what a server knows who logs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// A password; the login then needs a username.
    Password(Secret),
    /// What another party says of a person (a SAML assertion, say), sent as it is; the login then needs an
    /// authentication source.
    Assertion(Secret),
}

/// With exactly one of `password` and `assertion`.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::one_proof))]
#[serde(deny_unknown_fields, rename = "login")]
struct LoginOnTheWire {
    /// The instance's name; the default one where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
    /// Who logs in; the instance's own username where it is not said. Beside an assertion it is what the session is
    /// listed under, and nothing that the server is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    /// The password; or `assertion`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::SecretText>"))]
    password: Option<Secret>,
    /// In the password's place what another party says of a person (a SAML assertion, say): the body that the
    /// server gets, as it is. It needs an authentication source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::SecretText>"))]
    assertion: Option<Secret>,
    /// The authentication source; the instance's own where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    auth_source: Option<String>,
    /// Revoke this user's other sessions at this instance.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    replace: bool,
    /// For one program: this connection holds the session from the beginning, and when nobody holds it any
    /// more, it is revoked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    tied: bool,
}

impl TryFrom<LoginOnTheWire> for Login {
    type Error = &'static str;

    fn try_from(wire: LoginOnTheWire) -> Result<Self, Self::Error> {
        let proof = match (wire.password, wire.assertion) {
            (Some(password), None) => Proof::Password(password),
            (None, Some(assertion)) => Proof::Assertion(assertion),
            (None, None) => return Err("missing parameter `password` (or `assertion`)"),
            (Some(_), Some(_)) => return Err("give `password` or `assertion`, not both"),
        };
        let LoginOnTheWire { instance, username, auth_source, replace, tied, .. } = wire;
        Ok(Self { instance, username, proof, auth_source, replace, tied })
    }
}

impl From<Login> for LoginOnTheWire {
    fn from(login: Login) -> Self {
        let (password, assertion) = match login.proof {
            Proof::Password(password) => (Some(password), None),
            Proof::Assertion(assertion) => (None, Some(assertion)),
        };
        let Login { instance, username, auth_source, replace, tied, .. } = login;
        Self { instance, username, password, assertion, auth_source, replace, tied }
    }
}

/// Of `session.instructions`: what a person should know before a login there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Instructions {
    /// The instance's name; the default one where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// The authentication source; the instance's own where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_source: Option<String>,
}

/// Of `session.list`, which answers in pages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct List {
    /// At most so many sessions; the daemon may give fewer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The `cursor` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// Of `session.history`, which answers in pages, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct History {
    /// At most so many ended sessions; the daemon may give fewer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The `cursor` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Only those that ended at this time or later (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Only those that ended before this time (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Only those of this instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Only those that ended without the server's word.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unconfirmed: bool,
}

/// Of `session.token` and `session.touch`: both count as use.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Use {
    /// A selector; the default session where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Count it as in use for this long from now, not just at this moment.
    #[serde(default, rename = "for", with = "optional", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Span>"))]
    pub in_use_for: Option<Duration>,
}

/// Of `session.show` and `session.hold`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OneSession {
    /// A selector; the default session where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
}

/// Of `session.logout`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "LogoutOnTheWire", into = "LogoutOnTheWire")]
pub struct Logout {
    /// What is to end.
    pub targets: Targets,
    /// Answer when all is confirmed, or after this long; without it, as soon as the intent is
    /// durable.
    pub wait: Option<Duration>,
}

/// What a logout is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Targets {
    /// Every session there is.
    All,
    /// The sessions of these selectors, at least one.
    Selected(Vec<String>),
}

/// `{"sessions": […]}` or `{"all": true}`: exactly one of them, so that an empty list from a
/// script's empty variable is neither "all" nor "none".
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(transform = crate::schema::one_of_its_targets))]
#[serde(deny_unknown_fields, rename = "logout")]
struct LogoutOnTheWire {
    /// Selectors, at least one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sessions: Option<Vec<String>>,
    /// Every session there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    all: Option<bool>,
    /// Answer when all is confirmed, or after this long; without it, as soon as the intent is durable.
    #[serde(default, with = "optional", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Span>"))]
    wait: Option<Duration>,
}

impl TryFrom<LogoutOnTheWire> for Logout {
    type Error = &'static str;

    fn try_from(wire: LogoutOnTheWire) -> Result<Self, Self::Error> {
        let targets = match (wire.sessions, wire.all) {
            (None, Some(true)) => Targets::All,
            (Some(selectors), None) if !selectors.is_empty() => Targets::Selected(selectors),
            _ => return Err("give `sessions` with at least one selector, or `all`: true"),
        };
        Ok(Self { targets, wait: wire.wait })
    }
}

impl From<Logout> for LogoutOnTheWire {
    fn from(logout: Logout) -> Self {
        let (sessions, all) = match logout.targets {
            Targets::All => (None, Some(true)),
            Targets::Selected(selectors) => (Some(selectors), None),
        };
        Self { sessions, all, wait: logout.wait }
    }
}

/// Of `session.retry`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// Selectors; every session under revocation where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sessions: Option<Vec<String>>,
}

/// Of `session.forget`: give a token up that the server has not declared dead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Forget {
    /// The session's id.
    pub session: String,
}
