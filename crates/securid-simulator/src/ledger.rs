//! The books from which the [`Truth`] is read: one lock, and a bell that rings at every entry.

use std::collections::HashMap;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::truth::{BodyTruth, EndedBy, TokenTruth, Truth};

/// As long as tokens of such servers are, and long enough that two are never the same.
const TOKEN_CHARS: usize = 40;

/// What may stand in a token: URL-safe, and within what RFC 6750 allows of a bearer token.
const TOKEN_ALPHABET: &[u8; 64] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

#[derive(Default)]
pub(crate) struct Ledger {
    books: Mutex<Books>,
    bell: Condvar,
}

#[derive(Default)]
struct Books {
    truth: Truth,
    /// Where in `truth.tokens` a token stands: thousands of them are looked up by thousands of requests.
    index: HashMap<String, usize>,
    logouts_in_flight: u64,
}

/// One `logoutUser` being handled, until this is dropped (also when its client goes away).
pub(crate) struct InFlight<'a>(&'a Ledger);

impl Ledger {
    pub(crate) fn truth(&self) -> Truth {
        self.books.lock().unwrap_or_else(PoisonError::into_inner).truth.clone()
    }

    /// Waits until `wanted` holds, at most `timeout`; whether it does.
    pub(crate) fn wait_until(
        &self,
        timeout: Duration,
        mut wanted: impl FnMut(&Truth) -> bool,
    ) -> bool {
        let books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        let (_books, waited) = self
            .bell
            .wait_timeout_while(books, timeout, |books| !wanted(&books.truth))
            .unwrap_or_else(PoisonError::into_inner);
        !waited.timed_out()
    }

    /// A client has shown a certificate with this name.
    pub(crate) fn shown(&self, name: String) {
        self.enter(|books| books.truth.client_certificates.push(name));
    }

    /// A new token, alive.
    pub(crate) fn issue(&self, username: &str, auth_source: Option<&str>) -> String {
        let token = random_token();
        self.enter(|books| {
            books.index.insert(token.clone(), books.truth.tokens.len());
            books.truth.tokens.push(TokenTruth {
                token: token.clone(),
                username: username.to_owned(),
                auth_source: auth_source.map(str::to_owned),
                alive: true,
                issued_at: unix_millis(),
                ended_at: None,
                ended_by: None,
                logout_requests: 0,
                other_requests: 0,
            });
        });
        token
    }

    /// Ends a token; whether it was alive.
    pub(crate) fn end(&self, token: &str, by: EndedBy) -> bool {
        self.enter(|books| match books.token(token) {
            Some(entry) if entry.alive => {
                entry.alive = false;
                entry.ended_at = Some(unix_millis());
                entry.ended_by = Some(by);
                true
            }
            _ => false,
        })
    }

    /// Takes the end of a token back; whether it was dead.
    pub(crate) fn revive(&self, token: &str) -> bool {
        self.enter(|books| match books.token(token) {
            Some(entry) if !entry.alive => {
                (entry.alive, entry.ended_at, entry.ended_by) = (true, None, None);
                true
            }
            _ => false,
        })
    }

    pub(crate) fn is_alive(&self, token: &str) -> bool {
        self.enter(|books| books.token(token).is_some_and(|entry| entry.alive))
    }

    /// A `logoutUser` has arrived.
    pub(crate) fn logout_arrived(&self, token: Option<&str>) -> InFlight<'_> {
        self.enter(|books| {
            books.truth.logout_requests += 1;
            books.logouts_in_flight += 1;
            books.truth.in_flight_peak = books.truth.in_flight_peak.max(books.logouts_in_flight);
            match token.map(|token| books.token(token)) {
                Some(Some(entry)) => entry.logout_requests += 1,
                Some(None) => books.truth.logouts_of_unknown_tokens += 1,
                None => {}
            }
        });
        InFlight(self)
    }

    /// Another command has arrived, with this token or none.
    pub(crate) fn other_arrived(&self, token: Option<&str>) {
        self.enter(|books| {
            if let Some(entry) = token.and_then(|token| books.token(token)) {
                entry.other_requests += 1;
            }
        });
    }

    /// A body has come whole.
    pub(crate) fn body_came(&self, body: BodyTruth) {
        if body.bytes > 0 {
            self.enter(|books| books.truth.bodies.push(body));
        }
    }

    /// Counts something in the totals.
    pub(crate) fn count(&self, total: impl FnOnce(&mut Truth) -> &mut u64) {
        self.enter(|books| *total(&mut books.truth) += 1);
    }

    fn enter<T>(&self, entry: impl FnOnce(&mut Books) -> T) -> T {
        let result = entry(&mut self.books.lock().unwrap_or_else(PoisonError::into_inner));
        self.bell.notify_all();
        result
    }
}

impl Books {
    fn token(&mut self, token: &str) -> Option<&mut TokenTruth> {
        let at = *self.index.get(token)?;
        self.truth.tokens.get_mut(at)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.enter(|books| books.logouts_in_flight -= 1);
    }
}

fn random_token() -> String {
    (0..TOKEN_CHARS).map(|_| char::from(TOKEN_ALPHABET[fastrand::usize(..64)])).collect()
}

fn unix_millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
