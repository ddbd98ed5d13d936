//! The sections of a help text, as `after_long_help` has them:
//!
//! ```text
//! Examples:
//!   securid-ctl logout prod
//!       ends the sessions of prod
//!
//! Environment:
//!   NO_COLOR  prints without colours
//!   Prose has neither a gap nor lines below it that are indented further.
//! ```

use roff::{Roff, bold, roman};

/// How far a section's text is indented, and what stands at least between a word and what is said of it.
const GAP: &str = "  ";

/// The sections of a text, as parts of a page.
pub(crate) fn sections(text: &str) -> String {
    let mut roff = Roff::new();
    let lines: Vec<&str> = text.lines().collect();
    // What stands below what is said of a word is about something else.
    let mut below_an_item = false;
    for (at, line) in lines.iter().enumerate() {
        let Some(line) = line.strip_prefix(GAP) else {
            match line.strip_suffix(':') {
                Some(heading) => _ = roff.control("SH", [&*heading.to_uppercase()]),
                None if line.is_empty() => {}
                None => _ = roff.text([roman(*line)]),
            }
            below_an_item = false;
            continue;
        };
        if line.starts_with(' ') {
            roff.text([roman(line.trim_start())]);
            continue;
        }
        let next = lines.get(at + 1).and_then(|next| next.strip_prefix(GAP)).unwrap_or_default();
        let (word, said) = line.split_once(GAP).unwrap_or((line, ""));
        if word == line && !next.starts_with(' ') {
            if below_an_item || (at > 0 && lines[at - 1].is_empty()) {
                roff.control("PP", []);
            }
            below_an_item = false;
            roff.text([roman(line)]);
            continue;
        }
        below_an_item = true;
        roff.control("TP", []);
        roff.text([bold(word)]);
        if !said.is_empty() {
            roff.text([roman(said.trim_start())]);
        }
    }
    roff.render()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_has_items_and_prose() {
        let text = "Examples:\n  run it\n      runs\n      fast\n\nExit status:\n  0  done\n  1   \
                    failed,\n      badly\n  Nothing else\n  is said.";
        let made = sections(text);
        let (_, made) = made.split_once(".SH").unwrap();
        let wanted = " EXAMPLES\n.TP\n\\fBrun it\\fR\nruns\nfast\n.SH \"EXIT STATUS\"\n.TP\n\\fB0\\fR\ndone\n\
                      .TP\n\\fB1\\fR\nfailed,\nbadly\n.PP\nNothing else\nis said.\n";
        assert_eq!(made, wanted);
    }
}
