//! The command line.

use crate::PARTS;
use crate::effort::{Effort, QUICK, WHOLE};

/// What is asked for.
pub(crate) struct Arguments {
    /// Names of parts; all if there are none.
    parts: Vec<String>,
    /// How much is to be done.
    pub(crate) effort: Effort,
    /// As it can be typed again.
    pub(crate) line: String,
}

impl Arguments {
    /// What this process was given. What makes no sense ends it.
    pub(crate) fn read() -> Self {
        // Cargo adds `--bench`.
        let words: Vec<String> =
            std::env::args().skip(1).filter(|word| word != "--bench").collect();
        let (flags, parts): (Vec<_>, Vec<_>) =
            words.iter().cloned().partition(|word| word.starts_with('-'));
        let is_part = |word: &&String| PARTS.iter().any(|part| part.name == word.as_str());
        let bad = flags.iter().find(|flag| *flag != "--quick");
        if let Some(bad) = bad.or_else(|| parts.iter().find(|word| !is_part(word))) {
            let names: Vec<_> = PARTS.iter().map(|part| part.name).collect();
            eprintln!("peers: {bad:?} is neither --quick nor a part: {}", names.join(", "));
            std::process::exit(2);
        }
        let mut line = "cargo bench -p securid-tests --bench peers".to_owned();
        if !words.is_empty() {
            line += &format!(" -- {}", words.join(" "));
        }
        let effort = if flags.is_empty() { WHOLE } else { QUICK };
        Self { parts, effort, line }
    }

    /// Whether this part is to be measured.
    pub(crate) fn wants(&self, part: &str) -> bool {
        self.parts.is_empty() || self.parts.iter().any(|wanted| wanted == part)
    }

    /// Whether all parts are.
    pub(crate) fn wants_all(&self) -> bool {
        self.parts.is_empty()
    }
}
