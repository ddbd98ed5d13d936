//! The first thing that anybody tries: the demo, as it is drawn in the README.
//!
//! ```sh
//! WRITE_PAGES=1 cargo test -p securid-tests --test walks demo     # draws it
//! cargo test -p securid-tests --test walks demo                   # compares
//! ```

use std::fs;
use std::path::Path;
use std::time::Duration;

use securid_tests::programs::programs;
use securid_tests::{Terminal, picture, within};

/// It waits for a session to be idle, and for a server that is down: 8 s, on an idle machine.
const PLAYED_WITHIN: Duration = Duration::from_secs(60);

/// The steps that are drawn, by the beginning of their headings; the rest would be a long picture.
const DRAWN: [&str; 6] = ["2. ", "3. ", "8. ", "9. ", "11. ", "12. "];

#[test]
fn the_demo_is_as_it_is_drawn() {
    let folder = programs().ctl.parent().unwrap();
    let open = Terminal::open(|shell| {
        shell.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        shell.env("SECURID_BIN_DIR", folder);
    });
    let Some(terminal) = open else { return };
    terminal.begin("securid-demo");
    within(PLAYED_WITHIN, "the demo's end", || {
        let is_over = terminal.screen().contains("each as announced")
            || terminal.screen().contains("DIFFERS");
        is_over.then_some(())
    });
    let played = terminal.end();
    assert_eq!(played.status, 0, "{}", played.text);

    let drawn = excerpt(&terminal.everything_in_colours());
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/demo.svg");
    if std::env::var_os("WRITE_PAGES").is_some() {
        let title =
            "securid-demo: log in, list, a server that is down, a crash, and what comes of it";
        fs::write(&file, picture::draw(title, &drawn)).unwrap();
    }
    let committed = fs::read_to_string(&file).unwrap();
    assert!(committed.len() < 60_000, "{} bytes", committed.len());
    assert_eq!(normal(&picture::text(&committed)), normal(&picture::plain(&drawn)));
}

/// The steps that are drawn, and the demo's last word.
fn excerpt(screen: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    let (mut is_drawn, mut is_last) = (false, false);
    for line in screen.lines() {
        let bare = picture::plain(line);
        let is_heading =
            bare.split_once(". ").is_some_and(|(number, _)| number.parse::<u8>().is_ok());
        is_last |= bare.contains("each as announced");
        if is_heading {
            is_drawn = DRAWN.iter().any(|start| bare.starts_with(start));
        }
        // The shell's prompt comes after it.
        if (is_drawn || is_last) && !bare.contains(")$") {
            lines.push(line.trim_end());
        }
        is_drawn &= !is_last;
    }
    lines.join("\n").trim_end().to_owned()
}

/// Words by which moments and attempts are told: each run has others.
const TIMES: [&str; 8] = ["", "now", "ago", "in", "next", "try", "once", "times"];

/// What is the same each time: the words. Ids, numbers and times are none, and neither is where lines are folded.
fn normal(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let has_digit = word.contains(|c: char| c.is_ascii_digit());
        let varies = has_digit || TIMES.contains(&word.trim_matches([',', ':', '-']));
        let word = if varies { "#" } else { word };
        if words.last().is_none_or(|last| last != "#" || word != "#") {
            words.push(word.to_owned());
        }
    }
    words
}
