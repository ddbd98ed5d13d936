//! The tokens in hand, and which sessions have the same one.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeSet, HashMap};
use std::hash::BuildHasher;

use securid_api::Token;
use securid_session::{Generation, Key, SessionId};

/// The tokens of all live sessions: when a desktop session ends, the keyring is often gone before the
/// daemon, and revocation must not need it. Each is wiped when it is dropped.
#[derive(Default)]
pub(super) struct Tokens {
    held: HashMap<Key, Token>,
    /// The same by a hash of each token: of ten thousand, one that is brought again is found at once. The
    /// hash has a key that each daemon draws, so it tells nobody what it is of.
    alike: BTreeSet<(u64, Key)>,
    hasher: RandomState,
}

impl Tokens {
    pub(super) fn get(&self, key: &Key) -> Option<&Token> {
        self.held.get(key)
    }

    pub(super) fn insert(&mut self, key: Key, token: Token) {
        self.remove(&key);
        self.alike.insert((self.hash(&token), key.clone()));
        self.held.insert(key, token);
    }

    pub(super) fn remove(&mut self, key: &Key) {
        if let Some(token) = self.held.remove(key) {
            self.alike.remove(&(self.hash(&token), key.clone()));
        }
    }

    /// Under which keys this very token is held.
    pub(super) fn same_as(&self, token: &Token) -> impl Iterator<Item = &Key> {
        let hash = self.hash(token);
        let first = Key { id: SessionId::from_bits(0), generation: Generation(0) };
        let alike = self.alike.range((hash, first)..).take_while(move |(other, _)| *other == hash);
        alike.map(|(_, key)| key).filter(move |key| self.held.get(key) == Some(token))
    }

    fn hash(&self, token: &Token) -> u64 {
        self.hasher.hash_one(token.expose())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use securid_secret::Secret;

    use super::*;

    fn key(bits: u64) -> Key {
        Key { id: SessionId::from_bits(bits), generation: Generation(bits) }
    }

    fn token(text: &str) -> Token {
        Token::new(&Secret::from(text)).unwrap()
    }

    #[test]
    fn one_token_is_found_under_all_its_names_and_under_no_other() {
        let mut tokens = Tokens::default();
        for bits in 0..100 {
            tokens.insert(key(bits), token(&format!("token-{}", bits % 50)));
        }
        let found: Vec<_> = tokens.same_as(&token("token-7")).cloned().collect();
        assert_eq!(found, [key(7), key(57)]);
        tokens.remove(&key(7));
        // It is another's from now on.
        tokens.insert(key(57), token("token-8"));
        assert_eq!(tokens.same_as(&token("token-7")).count(), 0);
        assert_eq!(tokens.same_as(&token("token-8")).count(), 3);
        assert!(tokens.get(&key(7)).is_none() && tokens.get(&key(57)).is_some());
    }
}
