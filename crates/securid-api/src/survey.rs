//! A look at the way to a server, step by step, for whoever wants to know where it breaks off. Nothing goes out
//! that could be worth anything: no token, no password but the proxy's.

use std::net::SocketAddr;

use hyper::Uri;
use hyper::header::DATE;
use jiff::{SignedDuration, Timestamp};
use rustls::ProtocolVersion;
use tokio::time::timeout;

use crate::asking::Asking;
use crate::certificate::Certificate;
use crate::conversation::Clock;
use crate::date::instant;
use crate::meeting::Shown;
use crate::stream::Stream;
use crate::transport::Transport;
use crate::{Failure, FailureKind, instructions};

/// How far the way to a server leads. What comes after the first failure was not tried.
#[derive(Debug, Clone, Default)]
pub struct Survey {
    /// The certificate that we show to a server that asks for one.
    pub ours: Option<Certificate>,
    /// The proxy on the way, if there is one: then the addresses are the proxy's.
    pub proxy: Option<ProxyOnTheWay>,
    /// What the host's name stands for, or the address that stands in its place.
    pub addresses: Vec<SocketAddr>,
    /// The address that took the connection.
    pub connected: Option<SocketAddr>,
    /// What the handshake came to; none as well for `http://`.
    pub secured: Option<Secured>,
    /// What the server answered.
    pub answered: Option<Answered>,
    /// Why it went no further; its kind tells the step.
    pub failure: Option<Failure>,
}

/// A proxy between us and the server.
#[derive(Debug, Clone)]
pub struct ProxyOnTheWay {
    /// Where it is, without user name and password.
    pub shown: String,
    /// Where the user name and password are that it is sent, if it is sent any.
    pub password: Option<String>,
}

/// A connection on which it is the server itself that answers.
#[derive(Debug, Clone)]
pub struct Secured {
    /// `TLS 1.2` or `TLS 1.3`.
    pub version: &'static str,
    /// The server's certificate, which was found good.
    pub certificate: Option<Certificate>,
    /// Whether it has asked for ours, and seen it.
    pub has_seen_ours: bool,
}

/// An answer, whichever.
#[derive(Debug, Clone, Copy)]
pub struct Answered {
    /// Its HTTP status.
    pub status: u16,
    /// How far the server's clock is ahead of ours, to a second or so; none if it did not say.
    pub ahead: Option<SignedDuration>,
}

pub(crate) async fn survey(transport: &Transport, command: Uri, clock: Clock) -> Survey {
    let proxy = transport.way.proxy().map(|proxy| ProxyOnTheWay {
        shown: proxy.shown(),
        password: proxy.has_password().then(|| proxy.place_of_password()),
    });
    let mut survey = Survey { proxy, ..Survey::default() };
    if let Some(handshake) = &transport.handshake
        // What is wrong with it, the handshake tells.
        && let Ok(Ok(Some(ours))) = timeout(clock.left(), handshake.ours()).await
    {
        survey.ours = Certificate::read(&[ours]);
    }
    if let Err(failure) = survey.go(transport, command, clock).await {
        survey.failure = Some(failure);
    }
    survey
}

impl Survey {
    async fn go(&mut self, to: &Transport, command: Uri, clock: Clock) -> Result<(), Failure> {
        self.addresses = to.way.addresses(clock).await?;
        let tcp = to.way.connect(clock).await?;
        self.connected = tcp.peer_addr().ok();
        let stream = match &to.handshake {
            None => Stream::new(tcp, Shown::Unasked),
            Some(handshake) => {
                let (tls, shown) = timeout(clock.left(), handshake.shake(tcp))
                    .await
                    .map_err(|_| no_handshake(clock))?
                    .map_err(|failure| to.way.named_in(failure))?;
                let (_, connection) = tls.get_ref();
                self.secured = Some(Secured {
                    version: match connection.protocol_version() {
                        Some(ProtocolVersion::TLSv1_2) => "TLS 1.2",
                        _ => "TLS 1.3",
                    },
                    certificate: connection.peer_certificates().and_then(Certificate::read),
                    has_seen_ours: shown == Shown::Ours,
                });
                Stream::new(tls, shown)
            }
        };
        let end =
            to.converse(Asking::new(stream, false), instructions::request(command), clock).await;
        let answer = end.result?;
        self.answered = Some(Answered {
            status: answer.status,
            ahead: instant(&answer.headers, DATE).map(|date| date.duration_since(Timestamp::now())),
        });
        match answer.status {
            200 if !answer.is_whole_page() => Ok(()),
            _ => Err(answer.failure(&[])),
        }
    }
}

fn no_handshake(clock: Clock) -> Failure {
    let message =
        format!("the TLS handshake had not ended after {}", securid_text::span(clock.deadline));
    Failure::new(FailureKind::Tls, message)
}
