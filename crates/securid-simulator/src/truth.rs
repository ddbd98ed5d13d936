//! What really happened, as only the server can know it.

use serde::{Deserialize, Serialize};

/// The ground truth at one moment. Its tokens are a simulator's and shown as they are.
///
/// A request counts when it arrives, whatever fault answers it; requests of the control interface
/// count as connections only.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Truth {
    /// Every token ever issued, oldest first.
    pub tokens: Vec<TokenTruth>,
    /// `loginUser` requests that were carried out: a token was made.
    pub logins_ok: u64,
    /// `loginUser` requests refused for their user name or password.
    pub logins_refused: u64,
    /// `logoutUser` requests, good or bad.
    pub logout_requests: u64,
    /// `logoutUser` requests with a bearer token that this server never issued.
    pub logouts_of_unknown_tokens: u64,
    /// Requests that the server itself (not a fault) answered with a 4xx status, other than logins
    /// counted in `logins_refused`.
    pub requests_refused: u64,
    /// Connections accepted, including those of the control interface and those without a request.
    pub connections: u64,
    /// The most `logoutUser` requests that were being handled at once.
    pub in_flight_peak: u64,
    /// The names in the certificates that clients have shown, one for each connection with one.
    #[serde(default)]
    pub client_certificates: Vec<String>,
    /// Requests to the place where [`crate::Fault::Redirect`] sends its followers.
    pub redirects_followed: u64,
    /// The bodies that came whole with `findUsers`, those of no bytes left out.
    #[serde(default)]
    pub bodies: Vec<BodyTruth>,
    /// How many broke off.
    #[serde(default)]
    pub bodies_broken_off: u64,
}

/// A request's body, as it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BodyTruth {
    /// How many bytes it had.
    pub bytes: u64,
    /// Their SHA-256, in hex.
    pub sha256: String,
}

/// What became of one token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenTruth {
    /// The token.
    pub token: String,
    /// Whose it is.
    pub username: String,
    /// The authentication source that the login named, in its body or its URL.
    pub auth_source: Option<String>,
    /// Whether the server still accepts it.
    pub alive: bool,
    /// When it was made, in Unix milliseconds.
    pub issued_at: u64,
    /// When it died, in Unix milliseconds.
    pub ended_at: Option<u64>,
    /// What it died of.
    pub ended_by: Option<EndedBy>,
    /// `logoutUser` requests for it, dead or alive.
    pub logout_requests: u32,
    /// Requests of other commands that carried it, dead or alive.
    pub other_requests: u32,
}

/// What a token died of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum EndedBy {
    /// A `logoutUser` that was carried out.
    #[serde(rename = "logoutUser")]
    LogoutUser,
    /// The server itself: [`crate::Simulator::expire`].
    #[serde(rename = "expired")]
    Expired,
}

impl Truth {
    /// The tokens that the server still accepts, oldest first.
    #[must_use]
    pub fn alive(&self) -> Vec<&str> {
        self.tokens.iter().filter(|t| t.alive).map(|t| t.token.as_str()).collect()
    }

    /// What became of `token`; `None` if this server never issued it.
    #[must_use]
    pub fn token(&self, token: &str) -> Option<&TokenTruth> {
        self.tokens.iter().find(|t| t.token == token)
    }
}
