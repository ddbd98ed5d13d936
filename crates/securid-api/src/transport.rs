//! One exchange with the server: request out, whole answer in, within a deadline.

use std::convert::Infallible;
use std::error::Error;
use std::future::pending;
use std::path::Path;
use std::pin::pin;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{CONTENT_LENGTH, HOST, HeaderValue, TRANSFER_ENCODING};
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use securid_secret::SecretBytes;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use crate::answer::Answer;
use crate::handshake::Handshake;
use crate::retry_after::retry_after;
use crate::way::Way;
use crate::{Endpoint, Failure, MAX_REPLY, Proxies, SetupError, fault};

/// The most bytes that the head of an answer may have, those of a proxy too. Real ones have a few
/// hundred, with cookies and policies of what stands before the server a few thousand.
pub(crate) const MAX_HEAD: usize = 32 * 1024;

/// The way to one endpoint.
///
/// Each exchange has a connection of its own. On one that is used again, an answer that comes late
/// or twice would be read as the answer to the next request, and confirm the death of a token that
/// the server has never been told of.
#[derive(Debug)]
pub(crate) struct Transport {
    way: Way,
    /// None towards an `http://` endpoint.
    handshake: Option<Handshake>,
    origin: String,
    host: HeaderValue,
}

impl Transport {
    /// Sets up TLS, if the endpoint wants it; connects nowhere yet.
    pub(crate) fn new(
        endpoint: &Endpoint,
        ca_file: Option<&Path>,
        proxies: &Proxies,
    ) -> Result<Self, SetupError> {
        let url: Uri = endpoint.url().parse().map_err(|_| SetupError::TooLong)?;
        let host = url.authority().map_or("", |authority| authority.as_str());
        Ok(Self {
            way: Way::new(endpoint, proxies)?,
            handshake: Handshake::new(endpoint, ca_file)?,
            origin: endpoint.origin().to_owned(),
            host: HeaderValue::from_str(host).map_err(|_| SetupError::TooLong)?,
        })
    }

    /// Sends `request`, whose URI is path and query, and reads the whole answer, all of it within
    /// `deadline`. No redirection is followed, nothing is sent a second time. Dropping the future
    /// closes the connection.
    pub(crate) async fn exchange(
        &self,
        mut request: Request<Full<Bytes>>,
        deadline: Duration,
    ) -> Result<Answer, Failure> {
        let clock = Clock { started: Instant::now(), deadline };
        request.headers_mut().insert(HOST, self.host.clone());
        let tcp = timeout(clock.left(), self.way.connect())
            .await
            .map_err(|_| self.way.too_late(deadline))??;
        match &self.handshake {
            Some(handshake) => {
                let tls = timeout(clock.left(), handshake.shake(tcp))
                    .await
                    .map_err(|_| fault::too_late(deadline, None))?
                    .map_err(|failure| self.way.named_in(failure))?;
                self.converse(tls, request, clock).await
            }
            None => self.converse(tcp, request, clock).await,
        }
    }

    /// The exchange proper, with hyper's part of the connection driven beside it.
    async fn converse(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin,
        request: Request<Full<Bytes>>,
        clock: Clock,
    ) -> Result<Answer, Failure> {
        let mut settings = http1::Builder::new();
        settings.max_buf_size(MAX_HEAD).max_header_size(MAX_HEAD);
        let (mut sender, connection) = settings
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| fault::no_answer(&error, &self.origin))?;
        let mut connection = pin!(async {
            // What is wrong with it, the exchange is told as well.
            drop(connection.await);
            pending::<Infallible>().await
        });
        let result = tokio::select! {
            result = self.ask(&mut sender, request, clock) => result,
            never = &mut connection => match never {},
        };
        drop(sender);
        // Polled once: TLS takes its leave if it can at once, and is not waited for.
        let _ = timeout(Duration::ZERO, connection).await;
        result
    }

    async fn ask(
        &self,
        sender: &mut http1::SendRequest<Full<Bytes>>,
        request: Request<Full<Bytes>>,
        clock: Clock,
    ) -> Result<Answer, Failure> {
        let response = timeout(clock.left(), sender.send_request(request))
            .await
            .map_err(|_| fault::too_late(clock.deadline, None))?
            .map_err(|error| fault::no_answer(&error, &self.origin))?;

        let (head, body) = response.into_parts();
        let status = head.status.as_u16();
        if head.headers.contains_key(CONTENT_LENGTH) && head.headers.contains_key(TRANSFER_ENCODING)
        {
            return Err(fault::two_ends(status));
        }
        let content = timeout(clock.left(), read(body))
            .await
            .map_err(|_| fault::too_late(clock.deadline, Some(status)))
            .and_then(|read| read.map_err(|error| fault::no_end(&*error, status)))
            .map_err(|failure| Failure {
                retry_after: retry_after(status, &head.headers),
                ..failure
            })?;
        Ok(Answer { status, headers: head.headers, content })
    }
}

/// What is left of one deadline, over all parts of an exchange.
#[derive(Clone, Copy)]
struct Clock {
    started: Instant,
    deadline: Duration,
}

impl Clock {
    fn left(self) -> Duration {
        self.deadline.saturating_sub(self.started.elapsed())
    }
}

/// The whole body, at most [`MAX_REPLY`] bytes.
async fn read(body: Incoming) -> Result<SecretBytes, Box<dyn Error + Send + Sync>> {
    let mut body = Limited::new(body, MAX_REPLY);
    let mut content = SecretBytes::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            content.extend_from_slice(&data);
        }
    }
    Ok(content)
}
