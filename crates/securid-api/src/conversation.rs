//! One request and its whole answer, on a connection that is there.

use std::convert::Infallible;
use std::error::Error;
use std::future::{pending, poll_fn};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use hyper::http::response;
use hyper::{Request, StatusCode, Version};
use hyper_util::rt::TokioIo;
use securid_secret::SecretBytes;
use tokio::time::timeout;

use crate::answer::Answer;
use crate::asking::Asking;
use crate::meeting::Shown;
use crate::retry_after::retry_after;
use crate::stream::Stream;
use crate::{Failure, MAX_REPLY, fault};

/// The most bytes that the head of an answer may have, those of a proxy too. Real ones have a few
/// hundred, with cookies and policies of what stands before the server a few thousand.
pub(crate) const MAX_HEAD: usize = 32 * 1024;

/// What is left of one deadline, over all parts of an exchange.
#[derive(Clone, Copy)]
pub(crate) struct Clock {
    started: Instant,
    pub(crate) deadline: Duration,
}

impl Clock {
    pub(crate) fn start(deadline: Duration) -> Self {
        Self { started: Instant::now(), deadline }
    }

    pub(crate) fn left(self) -> Duration {
        self.deadline.saturating_sub(self.started.elapsed())
    }

    /// The same for a part that may take so long at most.
    pub(crate) fn at_most(self, part: Duration) -> Self {
        Self::start(part.min(self.left()))
    }
}

/// How a conversation ended.
pub(crate) struct End {
    pub(crate) result: Result<Answer, Failure>,
    /// Nothing of the request has gone out.
    pub(crate) unsent: bool,
    /// There were words that nobody had asked for: before the request, or behind the answer.
    pub(crate) unasked: bool,
    /// The connection, if it may carry another exchange.
    pub(crate) again: Option<Stream>,
}

/// Asks, with hyper's part of the connection driven beside it. Afterwards nothing of hyper's is left,
/// its buffer with the request in it least of all.
pub(crate) async fn converse(
    asking: Asking,
    request: Request<Full<Bytes>>,
    clock: Clock,
    origin: &str,
) -> End {
    let shown = asking.shown();
    let mut settings = http1::Builder::new();
    settings.max_buf_size(MAX_HEAD).max_header_size(MAX_HEAD);
    let (mut sender, mut connection) = match settings.handshake(TokioIo::new(asking)).await {
        Ok(both) => both,
        Err(error) => {
            let result = Err(fault::no_answer(&error, origin, shown));
            return End { result, unsent: true, unasked: false, again: None };
        }
    };
    let asked = tokio::select! {
        biased;
        asked = ask(&mut sender, request, clock, (origin, shown)) => asked,
        never = async {
            // What is wrong with it, the exchange is told as well.
            drop(poll_fn(|cx| connection.poll_without_shutdown(cx)).await);
            pending::<Infallible>().await
        } => match never {},
    };
    let parts = connection.into_parts();
    let asking = parts.io.into_inner();
    let unasked = asking.was_spoken_to() || !parts.read_buf.is_empty();
    let unsent = !asking.has_begun();
    let (result, again) = match asked {
        _ if asking.was_spoken_to() => (Err(fault::spoke_first(origin)), None),
        Ok((answer, Again(true))) if !unasked => (Ok(answer), Some(asking.into_stream())),
        Ok((answer, _)) => (Ok(answer), None),
        Err(failure) => (Err(failure), None),
    };
    End { result, unsent, unasked, again }
}

/// Whether the connection may carry another exchange after this answer.
struct Again(bool);

async fn ask(
    sender: &mut http1::SendRequest<Full<Bytes>>,
    request: Request<Full<Bytes>>,
    clock: Clock,
    (origin, shown): (&str, Shown),
) -> Result<(Answer, Again), Failure> {
    let response = timeout(clock.left(), sender.send_request(request))
        .await
        .map_err(|_| fault::too_late(clock.deadline, None))?
        .map_err(|error| fault::no_answer(&error, origin, shown))?;

    let (head, body) = response.into_parts();
    let status = head.status.as_u16();
    if head.headers.contains_key(CONTENT_LENGTH) && head.headers.contains_key(TRANSFER_ENCODING) {
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
    let again = Again(is_clean(&head));
    Ok((Answer { status, headers: head.headers, content }, again))
}

/// Whether it is certain where the answer ends, that it is the server's own, and that the server
/// wants to go on: only the command's own reply shows that it was understood, and has a form to tell its turn by.
fn is_clean(head: &response::Parts) -> bool {
    let only = |name, word: &str| {
        let mut said = head.headers.get_all(name).iter();
        said.all(|value| value.as_bytes().eq_ignore_ascii_case(word.as_bytes()))
    };
    let has_end = head.headers.contains_key(CONTENT_LENGTH)
        || head.headers.contains_key(TRANSFER_ENCODING) && only(TRANSFER_ENCODING, "chunked");
    let understood = head.status == StatusCode::OK;
    head.version == Version::HTTP_11 && has_end && only(CONNECTION, "keep-alive") && understood
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
