//! One exchange with the server: request out, whole answer in, within a deadline.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{HOST, HeaderValue};
use hyper::{Request, Uri};
use tokio::time::timeout;

use crate::answer::Answer;
use crate::asking::Asking;
use crate::conversation::{Clock, End, converse};
use crate::handshake::Handshake;
use crate::kept::Kept;
use crate::meeting::Shown;
use crate::stream::Stream;
use crate::turn::Turn;
use crate::way::Way;
use crate::{Access, Endpoint, Failure, Proxies, SetupError, fault};

/// The way to one endpoint, and the connections to it that may be used again.
///
/// On one that is used again, an answer that comes late or twice could be read as the answer to the
/// next request. So a connection is kept only after an exchange that ended cleanly, used only if nothing
/// lies on it when the request goes out, none is kept any more once there was something, and each
/// request asks for another form of reply than the one before it ([`Turn`]).
#[derive(Debug)]
pub(crate) struct Transport {
    pub(crate) way: Way,
    /// None towards an `http://` endpoint.
    pub(crate) handshake: Option<Handshake>,
    kept: Kept,
    origin: String,
    host: HeaderValue,
}

impl Transport {
    /// Sets up TLS, if the endpoint wants it; connects nowhere yet.
    pub(crate) fn new(
        endpoint: &Endpoint,
        access: &Access,
        proxies: &Proxies,
    ) -> Result<Self, SetupError> {
        let url: Uri = endpoint.url().parse().map_err(|_| SetupError::TooLong)?;
        let host = url.authority().map_or("", |authority| authority.as_str());
        Ok(Self {
            way: Way::new(endpoint, &proxies.as_set(&access.proxy))?,
            handshake: Handshake::new(endpoint, access)?,
            kept: Kept::default(),
            origin: endpoint.origin().to_owned(),
            host: HeaderValue::from_str(host).map_err(|_| SetupError::TooLong)?,
        })
    }

    /// Sends `request`, whose URI is path and query, on a connection of its own, and reads the whole
    /// answer. No redirection is followed, and nothing is sent a second time. Dropping the future closes the
    /// connection, and so does the end: nothing of the answer stays behind in the buffers of TLS.
    pub(crate) async fn alone(
        &self,
        request: Request<Full<Bytes>>,
        clock: Clock,
    ) -> Result<Answer, Failure> {
        let asking = Asking::new(self.connect(clock).await?, false);
        self.converse(asking, request, clock).await.result
    }

    /// The same where it makes a difference whether the server could be reached at all (if not, that is the outer
    /// error). Once it is, its answer may take `part` at most.
    pub(crate) async fn alone_if_reached(
        &self,
        request: Request<Full<Bytes>>,
        clock: Clock,
        part: Duration,
    ) -> Result<Result<Answer, Failure>, Failure> {
        let asking = Asking::new(self.connect(clock).await?, false);
        Ok(self.converse(asking, request, clock.at_most(part)).await.result)
    }

    /// As [`alone`](Self::alone), on a connection that is kept, if there is one, which is kept on afterwards. `request` makes
    /// the one for that turn. It is sent anew only where nothing of it has gone out on a connection that was
    /// found dead. Whoever gets an answer has to see that it is one to this turn.
    pub(crate) async fn in_turn(
        &self,
        request: impl Fn(Turn) -> Request<Full<Bytes>>,
        clock: Clock,
    ) -> Result<(Answer, Turn), Failure> {
        loop {
            let (stream, turn) = match self.kept.take() {
                Some(kept) => kept,
                None => (self.connect(clock).await?, Turn::FIRST),
            };
            let used = turn != Turn::FIRST;
            let end = self.converse(Asking::new(stream, used), request(turn), clock).await;
            if end.unasked {
                self.kept.distrust();
            }
            if let Some(stream) = end.again {
                self.kept.put(stream, turn.next());
            }
            if !(used && end.unsent) {
                return end.result.map(|answer| (answer, turn));
            }
        }
    }

    /// Keeps no connections any more.
    pub(crate) fn distrust(&self) {
        self.kept.distrust();
    }

    /// One request and its answer on a connection that is there.
    pub(crate) async fn converse(
        &self,
        asking: Asking,
        mut request: Request<Full<Bytes>>,
        clock: Clock,
    ) -> End {
        request.headers_mut().insert(HOST, self.host.clone());
        converse(asking, request, clock, &self.origin).await
    }

    /// What `Host` says.
    pub(crate) fn host(&self) -> &HeaderValue {
        &self.host
    }

    /// A new connection, on which nothing was sent.
    pub(crate) async fn connect(&self, clock: Clock) -> Result<Stream, Failure> {
        let tcp = self.way.connect(clock).await?;
        let Some(handshake) = &self.handshake else {
            return Ok(Stream::new(tcp, Shown::Unasked));
        };
        let (tls, shown) = timeout(clock.left(), handshake.shake(tcp))
            .await
            .map_err(|_| fault::too_late(clock.deadline, None))?
            .map_err(|failure| self.way.named_in(failure))?;
        Ok(Stream::new(tls, shown))
    }
}
