//! The client of one endpoint.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hyper::Uri;

use crate::transport::Transport;
use crate::{
    Endpoint, Format, LoginError, LoginRequest, LogoutReply, SetupError, Token, login, logout,
};

/// Sends commands to one endpoint. Clones share its connections, which are kept for a short while
/// and used again. It works within a tokio runtime that has its timer and I/O switched on.
///
/// A deadline covers the whole of a call: name, connection, handshake, request, answer. Tokio's
/// clock stands still while the machine sleeps, and so do the deadlines. A name service that hangs
/// keeps one of tokio's blocking threads beyond the deadline: end the runtime with
/// `shutdown_background`, or it waits for it.
#[derive(Debug, Clone)]
pub struct Client(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    transport: Transport,
    login: Uri,
    logout: Uri,
}

impl Client {
    /// A client of `endpoint` that trusts the system's certificate authorities and those of the
    /// PEM file `ca_file`, and asks for replies in `format`. It connects when it is used first.
    ///
    /// Reads files, so it blocks for some milliseconds. For `http://` there is no TLS and
    /// `ca_file` is not looked at.
    ///
    /// # Errors
    /// [`SetupError`] if `ca_file` is of no use, or nobody at all is trusted.
    pub fn new(
        endpoint: Endpoint,
        ca_file: Option<&Path>,
        format: Format,
    ) -> Result<Self, SetupError> {
        let command = |name| {
            format!("{}?cmd={name}&format={}", endpoint.url(), format.name())
                .parse::<Uri>()
                .map_err(|_| SetupError::TooLong)
        };
        Ok(Self(Arc::new(Inner {
            login: command(login::COMMAND)?,
            logout: command(logout::COMMAND)?,
            transport: Transport::new(&endpoint, ca_file)?,
        })))
    }

    /// Asks the server to end `token`: one attempt, and what came of it. The request is sent anew
    /// only where a kept connection was found dead before anything was written to it.
    ///
    /// If the future is dropped, the server may or may not have ended the token.
    pub async fn logout(&self, token: &Token, deadline: Duration) -> LogoutReply {
        let request = logout::request(self.0.logout.clone(), token);
        match self.0.transport.exchange(request, deadline).await {
            Ok(answer) => logout::read(&answer, token),
            Err(failure) => LogoutReply::Unconfirmed(failure.guarded(&[token.expose()])),
        }
    }

    /// Asks the server for a token: one attempt.
    ///
    /// If the future is dropped or the deadline passes, the server may have made a token that
    /// nobody knows.
    ///
    /// # Errors
    /// [`LoginError`]; its [`EmptyPassword`](LoginError::EmptyPassword) and
    /// [`Unsendable`](LoginError::Unsendable) say that nothing was sent.
    pub async fn login(
        &self,
        login: LoginRequest,
        deadline: Duration,
    ) -> Result<Token, LoginError> {
        let request = login::request(self.0.login.clone(), &login)?;
        let answer = self.0.transport.exchange(request, deadline).await;
        let answer = answer.map_err(|failure| failure.guarded(&[&login.password]))?;
        login::read(&answer, &login)
    }
}
