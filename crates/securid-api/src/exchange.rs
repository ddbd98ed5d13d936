//! One command on a connection of its own, its body and its answer as streams: neither is ever in memory as a whole.

use std::convert::Infallible;
use std::fmt;
use std::future::{Future, pending, poll_fn};
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::Response;
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue, TRANSFER_ENCODING};
use hyper_util::rt::TokioIo;
use securid_secret::SecretBytes;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::answer::Answer;
use crate::asking::Asking;
use crate::conversation::MAX_HEAD;
use crate::leak::{Found, Leak};
use crate::meeting::Shown;
use crate::outgoing::{Outgoing, Part};
use crate::stream::Stream;
use crate::words::words;
use crate::{
    BadCommand, Command, Confirmed, Failure, FailureKind, Format, MAX_REPLY, Token, fault, judge,
};

/// How long the page of a refusal may take to come, once its head is there.
const PAGE_WITHIN: Duration = Duration::from_secs(5);

/// How long what was sent may go without a sign that it has arrived. Longer than for a short request: a server that
/// carries out what it has got may read the rest later.
const ARRIVES_WITHIN: Duration = Duration::from_secs(60);

/// A connection on which nothing was sent yet.
pub struct Line {
    pub(crate) stream: Stream,
    pub(crate) origin: String,
    pub(crate) host: HeaderValue,
    pub(crate) path: String,
    pub(crate) format: Format,
}

/// A command that was sent, while its body goes out and until its answer begins.
pub struct Asked {
    wire: Wire,
    answer: Option<Coming>,
    head: Option<Response<Incoming>>,
    to_server: mpsc::Sender<Part>,
}

/// The head of the answer, when it comes.
type Coming = Pin<Box<dyn Future<Output = hyper::Result<Response<Incoming>>> + Send>>;

/// What has come about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The server takes that part, or wants no more of the body.
    Took,
    /// The server begins to answer, with this status.
    Answers(u16),
}

/// What the server says.
#[derive(Debug)]
pub enum Reply {
    /// 2xx: the command's own result, most likely.
    Answering(Box<Answering>),
    /// Any other status.
    Refused(Refused),
}

/// An answer with another status than 2xx.
#[derive(Debug)]
pub struct Refused {
    /// The HTTP status.
    pub status: u16,
    /// The server itself says that the token is dead, in the words that confirm it.
    pub dead: bool,
    /// What it says, for a person.
    pub failure: Failure,
}

/// An answer that comes piece by piece.
pub struct Answering {
    wire: Wire,
    body: Incoming,
    leak: Leak,
    status: u16,
    content_type: Option<String>,
}

/// The connection, with hyper's part of it.
struct Wire {
    connection: http1::Connection<TokioIo<Asking>, Outgoing>,
    /// As long as it lives another request might come, for all that hyper knows.
    _sender: http1::SendRequest<Outgoing>,
    over: bool,
    origin: String,
    shown: Shown,
    token: Token,
}

impl Line {
    /// Sends the command, whose body has that length if it is known. Dropping what it gives closes the connection.
    ///
    /// # Errors
    /// [`BadCommand::TooLong`]; nothing was sent.
    pub async fn ask(
        self,
        token: &Token,
        command: &Command,
        length: Option<u64>,
    ) -> Result<Result<Asked, Failure>, BadCommand> {
        let (body, to_server) = Outgoing::new(length);
        let request = command.request((&self.path, &self.host), self.format, token, body)?;
        self.stream.may_take(ARRIVES_WITHIN);
        let asking = Asking::new(self.stream, false);
        let shown = asking.shown();
        let mut settings = http1::Builder::new();
        settings.max_buf_size(MAX_HEAD).max_header_size(MAX_HEAD);
        let (mut sender, connection) = match settings.handshake(TokioIo::new(asking)).await {
            Ok(both) => both,
            Err(error) => return Ok(Err(fault::no_answer(&error, &self.origin, shown))),
        };
        let answer = Box::pin(sender.send_request(request));
        let (token, origin) = (token.clone(), self.origin);
        let wire = Wire { connection, _sender: sender, over: false, origin, shown, token };
        Ok(Ok(Asked { wire, answer: Some(answer), head: None, to_server }))
    }
}

impl Asked {
    /// Goes on until the server takes `part`, of which nothing is left then, or begins to answer. Safe to drop
    /// between two polls. With nothing to give, after the answer has begun, it never ends.
    ///
    /// # Errors
    /// If the connection is lost.
    pub async fn progress(&mut self, part: &mut Option<Part>) -> Result<Progress, Failure> {
        let Self { wire, answer, head, to_server } = self;
        let given = async {
            match part {
                None => pending().await,
                Some(_) => {
                    // An error: the server has said enough already.
                    if let (Ok(room), Some(part)) = (to_server.reserve().await, part.take()) {
                        room.send(part);
                    }
                    *part = None;
                }
            }
        };
        let answered = async {
            match answer {
                None => pending().await,
                Some(answer) => answer.await,
            }
        };
        let begun = tokio::select! {
            biased;
            begun = answered => begun,
            () = given => return Ok(Progress::Took),
            never = wire.drive() => match never {},
        };
        *answer = None;
        match begun {
            Ok(response) => {
                let status = response.status().as_u16();
                *head = Some(response);
                Ok(Progress::Answers(status))
            }
            Err(error) => Err(wire.no_answer(&error)),
        }
    }

    /// The answer that has begun.
    ///
    /// # Errors
    /// If its end would be in doubt, or none has begun.
    pub async fn reply(self) -> Result<Reply, Failure> {
        let Self { wire, head, .. } = self;
        let Some(response) = head else {
            return Err(Failure::new(FailureKind::Cut, "there is no answer yet"));
        };
        let (head, body) = response.into_parts();
        let status = head.status.as_u16();
        let headers = head.headers;
        if headers.contains_key(CONTENT_LENGTH) && headers.contains_key(TRANSFER_ENCODING) {
            return Err(fault::two_ends(status));
        }
        if head.status.is_success() {
            let content_type = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
            let content_type = content_type.map(|it| words(it, &[wire.token.expose()]));
            let leak = Leak::new(wire.token.clone());
            let answering = Answering { wire, body, leak, status, content_type };
            return Ok(Reply::Answering(Box::new(answering)));
        }
        Ok(Reply::Refused(wire.refused(status, headers, body).await))
    }
}

impl Answering {
    /// The answer's HTTP status, from 200 to 299.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// What it is, as far as the server says so: short, and fit to be shown.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        self.content_type.as_deref()
    }

    /// Whether nothing follows what has come. If not, perhaps nothing does either.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.body.is_end_stream() && !self.leak.holds_back()
    }

    /// The next piece, which is never empty; none once all has come. Safe to drop between two polls.
    ///
    /// # Errors
    /// If the answer breaks off, or the token is in it. Nothing more may be passed on then.
    pub async fn piece(&mut self) -> Result<Option<Bytes>, Failure> {
        loop {
            let frame = tokio::select! {
                biased;
                frame = self.body.frame() => frame,
                never = self.wire.drive() => match never {},
            };
            let piece = match frame {
                None => {
                    let rest = self.leak.rest();
                    return Ok(Some(rest).filter(|rest| !rest.is_empty()));
                }
                Some(Err(error)) => return Err(fault::no_end(&error, self.status)),
                Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
            };
            match self.leak.pass(piece) {
                Ok(piece) if piece.is_empty() => {}
                Ok(piece) => return Ok(Some(piece)),
                Err(Found) => {
                    let message = "the answer repeats the session's token, which is told to nobody";
                    return Err(Failure::new(FailureKind::NotConfirmed, message));
                }
            }
        }
    }
}

impl Wire {
    /// Lets hyper do its part.
    async fn drive(&mut self) -> Infallible {
        if !self.over {
            // What is wrong with it, the exchange is told as well.
            drop(poll_fn(|cx| self.connection.poll_without_shutdown(cx)).await);
            self.over = true;
        }
        pending().await
    }

    fn no_answer(&self, error: &hyper::Error) -> Failure {
        fault::no_answer(error, &self.origin, self.shown).guarded(&[self.token.expose()])
    }

    /// Reads what the server has to say, as far as there is room and time.
    async fn refused(mut self, status: u16, headers: HeaderMap, mut body: Incoming) -> Refused {
        let mut content = SecretBytes::new();
        let read = async {
            while let Some(frame) = body.frame().await {
                let Ok(frame) = frame else { return false };
                let data = frame.into_data().unwrap_or_default();
                let room = MAX_REPLY - content.len();
                content.extend_from_slice(&data[..data.len().min(room)]);
                if data.len() > room {
                    return false;
                }
            }
            true
        };
        let whole = tokio::select! {
            biased;
            whole = timeout(PAGE_WITHIN, read) => whole.unwrap_or(false),
            never = self.drive() => match never {},
        };
        let dead = whole && judge(status, &content) == Some(Confirmed::AlreadyInvalid);
        let answer = Answer { status, headers, content };
        let secrets = [self.token.expose()];
        let failure = if dead {
            let message =
                format!("the server says that the token is dead: {}", answer.words(&secrets));
            Failure::new(FailureKind::NotConfirmed, message)
        } else {
            answer.refusal(&secrets)
        };
        Refused { status, dead, failure: failure.guarded(&secrets) }
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").field("origin", &self.origin).finish_non_exhaustive()
    }
}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked").field("origin", &self.wire.origin).finish_non_exhaustive()
    }
}

impl fmt::Debug for Answering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answering").field("status", &self.status).finish_non_exhaustive()
    }
}
