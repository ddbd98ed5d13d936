//! The client of one endpoint.

use std::sync::Arc;
use std::time::Duration;

use hyper::Uri;

use crate::answer::Answer;
use crate::conversation::Clock;
use crate::logout::GoodFor;
use crate::transport::Transport;
use crate::turn::Turn;
use crate::{
    Access, AssertionRequest, Endpoint, Failure, FailureKind, Format, Line, LoginError,
    LoginRequest, LogoutReply, Proxies, SetupError, Survey, Token, instructions, login, logout,
    survey,
};

/// How long a server that was reached may take for its instructions: a person waits for them before he can type, and
/// can do without.
const INSTRUCTIONS_WITHIN: Duration = Duration::from_secs(5);

/// Sends commands to one endpoint, over connections that all its clones share. It works within a
/// tokio runtime that has its timer and I/O switched on.
///
/// A deadline covers the whole of a call: name, connection, proxy, handshake, request, answer. Tokio's
/// clock stands still while the machine sleeps, and so do the deadlines. A name service that hangs
/// keeps one of tokio's blocking threads beyond the deadline: end the runtime with
/// `shutdown_background`, or it waits for it.
#[derive(Debug, Clone)]
pub struct Client(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    transport: Transport,
    endpoint: Endpoint,
    /// The form of reply that a connection's first request asks for.
    format: Format,
    login: Uri,
    instructions: Uri,
    /// For a reply in JSON, and for one in properties.
    logout: [Uri; 2],
}

impl Client {
    /// A client of `endpoint` that has this `access` to it, asks for replies in `format`, and goes through one
    /// of `proxies`, the environment's, where that is the way. It connects when it is used.
    ///
    /// Reads files, so it blocks for some milliseconds. For `http://` there is no TLS and
    /// no certificate is looked at.
    ///
    /// # Errors
    /// [`SetupError`] if a certificate, the key or the proxy is of no use, or nobody at all is trusted.
    pub fn new(
        endpoint: Endpoint,
        access: &Access,
        format: Format,
        proxies: &Proxies,
    ) -> Result<Self, SetupError> {
        let command = |name, format: Format| {
            format!("{}?cmd={name}&format={}", endpoint.path(), format.name())
                .parse::<Uri>()
                .map_err(|_| SetupError::TooLong)
        };
        Ok(Self(Arc::new(Inner {
            format,
            login: command(login::COMMAND, format)?,
            instructions: format!("{}?cmd={}", endpoint.path(), instructions::COMMAND)
                .parse()
                .map_err(|_| SetupError::TooLong)?,
            logout: [
                command(logout::COMMAND, Format::Json)?,
                command(logout::COMMAND, Format::Properties)?,
            ],
            transport: Transport::new(&endpoint, access, proxies)?,
            endpoint,
        })))
    }

    /// Asks the server to end `token`: one attempt, and what came of it.
    ///
    /// If the future is dropped, the server may or may not have ended the token.
    pub async fn logout(&self, token: &Token, deadline: Duration) -> LogoutReply {
        match self.ask_to_end(token, Clock::start(deadline)).await {
            Ok(answer) => logout::read(&answer, token),
            Err(failure) => LogoutReply::Unconfirmed(failure.guarded(&[token.expose()])),
        }
    }

    /// Goes the whole way to the server and asks it for what needs no token, on a connection of its own: what came
    /// of each step, up to the first that failed.
    pub async fn survey(&self, deadline: Duration) -> Survey {
        let Inner { transport, instructions, .. } = &*self.0;
        survey::survey(transport, instructions.clone(), Clock::start(deadline)).await
    }

    async fn ask_to_end(&self, token: &Token, clock: Clock) -> Result<Answer, Failure> {
        let Inner { transport, format, logout: [json, properties], .. } = &*self.0;
        let request = |turn: Turn| {
            let uri = match turn.format(*format) {
                Format::Json => json,
                Format::Properties => properties,
            };
            logout::request(uri.clone(), token)
        };
        let (answer, turn) = transport.in_turn(request, clock).await?;
        match logout::good_for(&answer, turn, *format) {
            GoodFor::Counting => Ok(answer),
            // A token that is dead by now may be asked for its end once more.
            GoodFor::Asking => transport.alone(request(Turn::FIRST), clock).await,
            GoodFor::Nothing => {
                transport.distrust();
                transport.alone(request(Turn::FIRST), clock).await
            }
        }
    }

    /// Connects for another command, on a connection of its own. Nothing is sent yet.
    ///
    /// # Errors
    /// If there is no way, or it is not the server, within the deadline.
    pub async fn line(&self, deadline: Duration) -> Result<Line, Failure> {
        let Inner { transport, endpoint, format, .. } = &*self.0;
        Ok(Line {
            stream: transport.connect(Clock::start(deadline)).await?,
            origin: endpoint.origin().to_owned(),
            host: transport.host().clone(),
            path: endpoint.path().to_owned(),
            format: *format,
        })
    }

    /// Asks the server for a token: one attempt, on a connection of its own.
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
        let answer = self.0.transport.alone(request, Clock::start(deadline)).await;
        let answer = answer.map_err(|failure| failure.guarded(&[login.password.expose()]))?;
        login::read(&answer, &login)
    }

    /// Asks the server for a token on another party's word: one attempt, on a connection of its own.
    ///
    /// # Errors
    /// As [`login`](Self::login); [`EmptyAssertion`](LoginError::EmptyAssertion) and
    /// [`TooLong`](LoginError::TooLong) say that nothing was sent.
    pub async fn login_with_assertion(
        &self,
        login: AssertionRequest,
        deadline: Duration,
    ) -> Result<Token, LoginError> {
        let request = login::request_with_assertion(&self.0.login, &login)?;
        let answer = self.0.transport.alone(request, Clock::start(deadline)).await;
        let sent = [login.assertion.expose()];
        let answer = answer.map_err(|failure| failure.guarded(&sent))?;
        login::read_without(&answer, &sent)
    }

    /// Asks the server what a person should know before a login, on a connection of its own: at most 24 lines and
    /// 2,000 characters, fit for a terminal. None if the server has nothing to say, does not know the command, or
    /// does not answer it within 5 s: that keeps nobody from logging in.
    ///
    /// # Errors
    /// If the server cannot be reached within the deadline, there is no trust, or somebody else's page came in the
    /// place of its words.
    pub async fn instructions(
        &self,
        auth_source: Option<&str>,
        deadline: Duration,
    ) -> Result<Option<String>, Failure> {
        let Inner { transport, instructions: command, .. } = &*self.0;
        let at_source = auth_source.and_then(|source| login::at_source(command, source));
        let request = instructions::request(at_source.unwrap_or_else(|| command.clone()));
        let clock = Clock::start(deadline);
        match transport.alone_if_reached(request, clock, INSTRUCTIONS_WITHIN).await? {
            Ok(answer) => instructions::read(&answer),
            // A server may refuse our certificate only when it is asked.
            Err(failure) if failure.kind == FailureKind::Tls => Err(failure),
            Err(_) => Ok(None),
        }
    }
}
