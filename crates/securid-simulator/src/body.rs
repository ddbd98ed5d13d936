//! Bodies of replies, the broken ones included.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Interval, interval};

/// One write's worth of [`ReplyBody::endless`]: spaces, which JSON may begin with.
static PADDING: [u8; 64 * 1024] = [b' '; 64 * 1024];

/// Where an endless body ends after all: no client of ours may read that far, and a runaway one
/// fills no disk.
const ENDLESS_LIMIT: usize = 64 * 1024 * 1024;

/// The pace of [`ReplyBody::slow_drip`]: no timeout between two bytes ends it, only a deadline for
/// the whole reply.
const DRIP_PERIOD: Duration = Duration::from_secs(1);

pub(crate) enum ReplyBody {
    Whole(Option<Bytes>),
    CutShort(Cut),
    Endless { bytes_left: usize },
    SlowDrip(Box<Interval>),
}

pub(crate) enum Cut {
    Unsent(Bytes),
    Unflushed,
    Flushed,
}

/// The body breaks off: hyper then drops the connection.
#[derive(Debug, thiserror::Error)]
#[error("the body breaks off on purpose")]
pub(crate) struct BrokenOff;

impl ReplyBody {
    pub(crate) fn whole(bytes: impl Into<Bytes>) -> Self {
        Self::Whole(Some(bytes.into()).filter(|bytes: &Bytes| !bytes.is_empty()))
    }

    /// Sends these bytes and breaks off.
    pub(crate) fn cut_short(bytes: impl Into<Bytes>) -> Self {
        Self::CutShort(Cut::Unsent(bytes.into()))
    }

    pub(crate) fn endless() -> Self {
        Self::Endless { bytes_left: ENDLESS_LIMIT }
    }

    pub(crate) fn slow_drip() -> Self {
        Self::SlowDrip(Box::new(interval(DRIP_PERIOD)))
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        let bytes = match &mut *self {
            Self::Whole(bytes) => return Poll::Ready(bytes.take().map(Frame::data).map(Ok)),
            Self::CutShort(cut) => match std::mem::replace(cut, Cut::Flushed) {
                Cut::Unsent(bytes) => {
                    *cut = Cut::Unflushed;
                    bytes
                }
                // hyper writes out what it has when a body is not ready, not when it fails.
                Cut::Unflushed => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Cut::Flushed => return Poll::Ready(Some(Err(BrokenOff))),
            },
            Self::Endless { bytes_left: 0 } => return Poll::Ready(Some(Err(BrokenOff))),
            Self::Endless { bytes_left } => {
                *bytes_left = bytes_left.saturating_sub(PADDING.len());
                Bytes::from_static(&PADDING)
            }
            Self::SlowDrip(interval) => {
                std::task::ready!(interval.poll_tick(cx));
                Bytes::from_static(b" ")
            }
        };
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            _ => SizeHint::default(),
        }
    }
}
