//! Bodies of replies, the broken ones included.

use std::pin::Pin;
use std::sync::LazyLock;
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
    Made(Made),
    Piecewise(std::vec::IntoIter<Bytes>),
}

/// A long answer, made while it goes out: [`line`] again and again.
pub(crate) struct Made {
    pub(crate) bytes_left: u64,
    pub(crate) then: Then,
}

/// What comes behind a [`Made`] answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    End,
    /// Nothing ever.
    Silence,
    /// The connection breaks off.
    Cut,
}

/// What a long answer consists of.
pub(crate) const LINE: &[u8; 32] = b"userid=alice,name=Alice Example\n";

/// One write's worth of them.
static LINES: LazyLock<Bytes> = LazyLock::new(|| LINE.repeat(2048).into());

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

    /// These pieces, each sent by itself.
    pub(crate) fn piecewise(pieces: impl Iterator<Item = Bytes>) -> Self {
        let pieces: Vec<Bytes> = pieces.flat_map(|piece| [piece, Bytes::new()]).collect();
        Self::Piecewise(pieces.into_iter())
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
            Self::Made(Made { bytes_left: 0, then }) => match then {
                Then::End => return Poll::Ready(None),
                // Nobody wakes it.
                Then::Silence => return Poll::Pending,
                // What there is goes out first, as above.
                Then::Cut => {
                    *self = Self::CutShort(Cut::Unflushed);
                    return self.poll_frame(cx);
                }
            },
            Self::Made(Made { bytes_left, .. }) => {
                let now = LINES.len().min(usize::try_from(*bytes_left).unwrap_or(usize::MAX));
                *bytes_left -= now as u64;
                LINES.slice(..now)
            }
            Self::Piecewise(pieces) => match pieces.next() {
                None => return Poll::Ready(None),
                // Empty ones are for what stands before them to go out by itself.
                Some(pause) if pause.is_empty() => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Some(piece) => piece,
            },
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
