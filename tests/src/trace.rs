//! What a daemon built with `crash-points` told of its way: each point that it passed, and what it
//! did to files there.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// One passing of one point.
#[derive(Debug, Clone, PartialEq)]
pub struct Pass {
    /// The point's name.
    pub point: String,
    /// The how manieth passing of it this is, from 1.
    pub number: u64,
    /// For whom, mostly a session's id.
    pub about: String,
    /// The whole line: for the points of the file layer, also what was done.
    pub line: Value,
}

impl Pass {
    /// `NAME#N`, as `SECURID_CRASH_AT` wants it.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}#{}", self.point, self.number)
    }
}

/// All passes in a trace, in order; none if there is no trace.
///
/// # Panics
/// If it is not one.
#[must_use]
pub fn read(path: &Path) -> Vec<Pass> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().map(|line| pass(serde_json::from_str(line).expect("a line is JSON"))).collect()
}

fn pass(line: Value) -> Pass {
    let text = |key: &str| line[key].as_str().expect("it is text").to_owned();
    let number = line["pass"].as_u64().expect("passes are counted");
    Pass { point: text("point"), number, about: text("about"), line }
}
