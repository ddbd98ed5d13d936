//! How much may wait for clients to read it: of one connection, and in all.
//!
//! A line's memory is at most twice its length, and what is not a page is also kept as the reply. Short answers always find room: so nobody is kept from a token by those who do not read.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use crate::messages::{ErrorCode, RpcError};

/// Up to this long (in bytes) an answer is short: one session, one token, one error. With the bounds on
/// connections and on requests in flight these make 16 MiB at the very most.
const SHORT: usize = 4 * 1024;

/// How much of one connection (in bytes): two of the longest lines, so that a client that reads one page
/// after the other never meets it.
const OF_ONE: usize = 2 * 1024 * 1024;

/// How much in all (in bytes): a page of 500 sessions for each of a hundred clients who ask at the same moment.
const OF_ALL: usize = 32 * 1024 * 1024;

/// What waits unread of one connection.
#[derive(Debug)]
pub(super) struct Unread {
    of_one: Count,
    of_all: Count,
}

/// A line's share, until it is dropped.
#[derive(Debug)]
pub(super) struct Share {
    length: usize,
    counted: [Count; 2],
}

type Count = Arc<AtomicUsize>;

impl Unread {
    /// Of a connection that is counted together with others.
    pub(super) fn together_with(of_all: &Count) -> Self {
        Self { of_one: Count::default(), of_all: Arc::clone(of_all) }
    }

    /// A share of that length.
    ///
    /// # Errors
    /// What the client is told if there is no room for a long answer.
    pub(super) fn share(&self, length: usize) -> Result<Share, RpcError> {
        // Two at once on two threads may both find the last room: then it is a line more.
        let is_full = |count: &Count, most| count.load(Ordering::Relaxed) + length > most;
        let full = |message: String, hint| {
            Err(RpcError::new(ErrorCode::LimitExceeded, message).with_hint(hint))
        };
        if length > SHORT && is_full(&self.of_one, OF_ONE) {
            let message = format!("this connection has left answers of over {OF_ONE} bytes unread");
            return full(message, "Read them before the next long one is asked for.");
        }
        if length > SHORT && is_full(&self.of_all, OF_ALL) {
            let message = format!("clients have left answers of over {OF_ALL} bytes unread");
            return full(message, "Try again: who does not read is let go within 10 s.");
        }
        Ok(self.share_in_any_case(length))
    }

    /// The same for what has to be said.
    pub(super) fn share_in_any_case(&self, length: usize) -> Share {
        let counted = [Arc::clone(&self.of_one), Arc::clone(&self.of_all)];
        for count in &counted {
            count.fetch_add(length, Ordering::Relaxed);
        }
        Share { length, counted }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        for count in &self.counted {
            count.fetch_sub(self.length, Ordering::Relaxed);
        }
    }
}
