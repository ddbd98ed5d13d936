//! One exchange with the server: request out, whole answer in, within a deadline.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{HOST, HeaderValue};
use hyper::{Request, Uri};
use tokio::time::timeout;

use crate::answer::Answer;
use crate::asking::Asking;
use crate::conversation::{Clock, converse};
use crate::handshake::Handshake;
use crate::kept::Kept;
use crate::stream::Stream;
use crate::way::Way;
use crate::{Endpoint, Failure, Proxies, SetupError, fault};

/// The way to one endpoint, and the connections to it that may be used again.
///
/// On one that is used again, an answer that comes late or twice could be read as the answer to the
/// next request, and confirm the death of a token that the server has never been told of. So a
/// connection is kept only after an exchange that ended cleanly, used only if nothing lies on it
/// when the request goes out, and none is kept any more once there was something.
#[derive(Debug)]
pub(crate) struct Transport {
    way: Way,
    /// None towards an `http://` endpoint.
    handshake: Option<Handshake>,
    kept: Kept,
    origin: String,
    host: HeaderValue,
}

/// What becomes of a connection whose exchange has come to a clean end.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Afterwards {
    /// It is kept for the next one.
    Keep,
    /// It is closed: the answer had a secret in it, and TLS has the last one in its buffer as long as the
    /// connection lives.
    Close,
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
            kept: Kept::default(),
            origin: endpoint.origin().to_owned(),
            host: HeaderValue::from_str(host).map_err(|_| SetupError::TooLong)?,
        })
    }

    /// Sends `request`, whose URI is path and query, and reads the whole answer, all of it within
    /// `deadline`. No redirection is followed. What has gone out, be it in part, is never sent a
    /// second time. Dropping the future closes the connection.
    pub(crate) async fn exchange(
        &self,
        mut request: Request<Full<Bytes>>,
        afterwards: Afterwards,
        deadline: Duration,
    ) -> Result<Answer, Failure> {
        let clock = Clock::start(deadline);
        request.headers_mut().insert(HOST, self.host.clone());
        loop {
            let (stream, used) = match self.kept.take() {
                Some(stream) => (stream, true),
                None => (self.connect(clock).await?, false),
            };
            // Header and content of the request are shared, not copied.
            let asking = Asking::new(stream, used);
            let end = converse(asking, request.clone(), clock, &self.origin).await;
            if end.unasked {
                self.kept.distrust();
            }
            if let (Some(stream), Afterwards::Keep) = (end.again, afterwards) {
                self.kept.put(stream);
            }
            if !(used && end.unsent) {
                return end.result;
            }
        }
    }

    async fn connect(&self, clock: Clock) -> Result<Stream, Failure> {
        let tcp = timeout(clock.left(), self.way.connect())
            .await
            .map_err(|_| self.way.too_late(clock.deadline))??;
        let Some(handshake) = &self.handshake else {
            return Ok(Stream::new(tcp));
        };
        let tls = timeout(clock.left(), handshake.shake(tcp))
            .await
            .map_err(|_| fault::too_late(clock.deadline, None))?
            .map_err(|failure| self.way.named_in(failure))?;
        Ok(Stream::new(tls))
    }
}
