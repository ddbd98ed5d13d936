//! What the page says is what comes out, and no recovery overruns the server.
#![allow(clippy::unwrap_used)]

use std::fs;

use crate::{Findings, documents};

/// How often the mean of a recovery its peak may be.
const MOST: f64 = 10.0;

#[test]
fn the_page_says_what_comes_out_and_no_peak_is_over_ten_times_the_mean() {
    let found = Findings::new();
    for played in found.leaving.iter().chain(&found.outages) {
        assert!(played.tally.confirmed_percent(100).is_some(), "{:?}", played.scenario);
        let ratio = played.peak_to_mean();
        assert!(ratio.is_none_or(|ratio| ratio <= MOST), "{ratio:?}: {:?}", played.scenario);
    }
    for (path, text) in documents(&found).unwrap() {
        let there = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            there == text,
            "{} is not what comes out: cargo run -p securid-session --example fleet, and read it anew",
            path.display()
        );
    }
}
