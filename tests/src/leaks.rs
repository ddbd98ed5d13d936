//! Looking for secrets where none may be.

use std::fs;
use std::path::Path;

use crate::house::{House, PASSWORD};

impl House {
    /// Neither a token nor the password is in the state folder, in the log, or in what the daemon
    /// answered (but for `session.token`).
    ///
    /// # Panics
    /// If one is.
    pub fn assert_no_leak(&self) {
        let mut places =
            vec![("the log".to_owned(), self.log()), ("an answer".to_owned(), self.heard())];
        collect(&self.state_dir(), &mut places);
        let truth = self.simulator.truth();
        let tokens = truth.tokens.iter().map(|token| token.token.as_str());
        for secret in tokens.chain([PASSWORD]) {
            for (place, text) in &places {
                assert!(!text.contains(secret), "{secret:?} is in {place}");
            }
        }
    }
}

fn collect(folder: &Path, places: &mut Vec<(String, String)>) {
    for file in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = file.path();
        if path.is_dir() {
            collect(&path, places);
        } else {
            let bytes = fs::read(&path).unwrap_or_default();
            let text = String::from_utf8_lossy(&bytes).into_owned();
            places.push((path.display().to_string(), text));
        }
    }
}
