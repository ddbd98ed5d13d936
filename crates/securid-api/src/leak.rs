//! Whether an answer carries the token that it was asked with, whatever pieces it comes in.

use bytes::Bytes;

use crate::Token;

/// A shorter token is in many answers by chance, and no server hands one out.
const LEAST: usize = 8;

/// Looks through an answer for the token, and holds back what may be the beginning of one (the algorithm of Knuth,
/// Morris and Pratt: each byte is looked at once, whatever a server makes up).
pub(crate) struct Leak {
    token: Token,
    /// For each place in the token, how many bytes before and at it are the token's first ones as well.
    borders: Vec<u16>,
    /// How many of the token's first bytes came last. They are held back.
    matched: usize,
}

/// The token is there.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Found;

impl Leak {
    pub(crate) fn new(token: Token) -> Self {
        let secret = token.expose().as_bytes();
        let mut borders = vec![0_u16; secret.len()];
        let mut border = 0;
        for at in 1..secret.len() {
            while border > 0 && secret[at] != secret[border] {
                border = usize::from(borders[border - 1]);
            }
            border += usize::from(secret[at] == secret[border]);
            // A token has 16 KiB at most.
            borders[at] = u16::try_from(border).unwrap_or(u16::MAX);
        }
        Self { token, borders, matched: 0 }
    }

    /// What may be passed on once `piece` has come.
    ///
    /// # Errors
    /// [`Found`]: nothing more may be passed on.
    pub(crate) fn pass(&mut self, piece: Bytes) -> Result<Bytes, Found> {
        let secret = self.token.expose().as_bytes();
        if secret.len() < LEAST {
            return Ok(piece);
        }
        let held = self.matched;
        let mut matched = held;
        for byte in &piece {
            while matched > 0 && *byte != secret[matched] {
                matched = usize::from(self.borders[matched - 1]);
            }
            matched += usize::from(*byte == secret[matched]);
            if matched == secret.len() {
                return Err(Found);
            }
        }
        self.matched = matched;
        if held == 0 {
            return Ok(piece.slice(..piece.len() - matched));
        }
        // What was held back is the token's beginning, so it need not be kept.
        let mut whole = Vec::with_capacity(held + piece.len());
        whole.extend_from_slice(&secret[..held]);
        whole.extend_from_slice(&piece);
        whole.truncate(held + piece.len() - matched);
        Ok(whole.into())
    }

    /// Whether anything is held back.
    pub(crate) fn holds_back(&self) -> bool {
        self.matched > 0
    }

    /// The answer has come to its end: what was held back.
    pub(crate) fn rest(&mut self) -> Bytes {
        let held = std::mem::take(&mut self.matched);
        Bytes::copy_from_slice(&self.token.expose().as_bytes()[..held])
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;
    use securid_secret::Secret;

    fn leak(token: &str) -> Leak {
        Leak::new(Token::new(&Secret::from(token)).unwrap())
    }

    /// What is passed on of an answer in these pieces, and whether to its end.
    fn passed(token: &str, pieces: &[&[u8]]) -> (Vec<u8>, bool) {
        let (mut leak, mut out) = (leak(token), Vec::new());
        for piece in pieces {
            match leak.pass(Bytes::copy_from_slice(piece)) {
                Ok(bytes) => out.extend_from_slice(&bytes),
                Err(Found) => return (out, false),
            }
        }
        out.extend_from_slice(&leak.rest());
        (out, true)
    }

    #[test]
    fn not_even_the_beginning_of_a_token_is_passed_on() {
        let (out, whole) = passed("aabaabaaab", &[b"x: aaba", b"abaab", b"aaabaabaa", b"ab!"]);
        assert_eq!((out, whole), (b"x: aab".to_vec(), false));
    }

    #[test]
    fn a_short_one_is_not_looked_for() {
        assert_eq!(passed("abc", &[b"abcabc"]), (b"abcabc".to_vec(), true));
    }

    proptest! {
        #[test]
        fn an_answer_is_passed_on_whole_or_only_what_stands_before_the_token(
            token in "[ab]{8,12}", pieces in prop::collection::vec("[abc]{0,30}", 0..12),
        ) {
            let whole = pieces.concat();
            let (out, ended) = passed(&token, &pieces.iter().map(String::as_bytes).collect::<Vec<_>>());
            match whole.find(&token) {
                None => {
                    prop_assert!(ended);
                    prop_assert_eq!(out, whole.as_bytes());
                }
                Some(at) => {
                    prop_assert!(!ended);
                    prop_assert!(out.len() <= at && whole.as_bytes().starts_with(&out));
                }
            }
        }
    }
}
