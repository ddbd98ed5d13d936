//! A terminal's screen as a drawing: text that can be selected, on a ground of its own, so that the page's theme does
//! not matter.

use std::fmt::Write as _;

/// A line of so many pixels, a column of so many tenths of one.
const LINE: usize = 19;
const COLUMN: usize = 84;

/// Around the text, in pixels.
const MARGIN: usize = 16;

/// The colours that our programs use, by the numbers of SGR.
const STYLE: &str = "rect{fill:#161b22}text{font:14px ui-monospace,Menlo,Consolas,monospace;fill:#c9d1d9;white-space:pre}\
    .c1{font-weight:bold;fill:#f0f6fc}.c31{fill:#ff7b72}.c32{fill:#7ee787}.c33{fill:#e3b341}.c36{fill:#79c0ff}";

/// Draws what was printed, with its colours (SGR).
///
/// # Panics
/// If a number cannot be written into a text, which is always possible.
#[must_use]
pub fn draw(title: &str, screen: &str) -> String {
    let lines: Vec<Vec<(String, String)>> = spans(screen);
    let length =
        |line: &Vec<(String, String)>| line.iter().map(|(_, text)| text.chars().count()).sum();
    let columns: usize = lines.iter().map(length).max().unwrap_or(0);
    let (width, height) = (2 * MARGIN + columns * COLUMN / 10, 2 * MARGIN + lines.len() * LINE);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" role=\"img\">\n<title>{}</title>\n<style>{STYLE}</style>\n\
         <rect width=\"{width}\" height=\"{height}\" rx=\"8\"/>\n",
        escaped(title)
    );
    for (nth, line) in lines.iter().enumerate().filter(|(_, line)| length(line) > 0) {
        let tenths: usize = length(line) * COLUMN;
        // Whatever font there is, columns stand below each other.
        let _ = write!(
            svg,
            "<text xml:space=\"preserve\" x=\"{MARGIN}\" y=\"{}\" textLength=\"{}.{}\">",
            MARGIN + nth * LINE + LINE - 5,
            tenths / 10,
            tenths % 10
        );
        for (class, text) in line {
            let _ = match class.as_str() {
                "" => write!(svg, "{}", escaped(text)),
                class => write!(svg, "<tspan class=\"{class}\">{}</tspan>", escaped(text)),
            };
        }
        svg.push_str("</text>\n");
    }
    svg.push_str("</svg>\n");
    svg
}

/// What a drawing says, line by line.
#[must_use]
pub fn text(svg: &str) -> String {
    let lines = svg.lines().filter(|line| line.starts_with("<text"));
    let bare = lines.map(|line| {
        let parts = line.split('<').filter_map(|part| part.split_once('>'));
        let text: String = parts.map(|(_, text)| text).collect();
        text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    });
    bare.collect::<Vec<_>>().join("\n")
}

/// What was printed, without its colours.
#[must_use]
pub fn plain(screen: &str) -> String {
    let line = |line: Vec<(String, String)>| line.into_iter().map(|(_, text)| text).collect();
    spans(screen).into_iter().map(line).collect::<Vec<String>>().join("\n")
}

/// Each line's stretches of one colour, with its class. A colour lasts over lines.
fn spans(screen: &str) -> Vec<Vec<(String, String)>> {
    let (mut is_bold, mut colour) = (false, "");
    let mut lines = Vec::new();
    for line in screen.lines() {
        let mut spans: Vec<(String, String)> = Vec::new();
        for (nth, part) in line.split("\x1b[").enumerate() {
            let text = match part.split_once('m') {
                Some((codes, text)) if nth > 0 => {
                    for code in codes.split(';') {
                        match code {
                            "" | "0" => (is_bold, colour) = (false, ""),
                            "1" => is_bold = true,
                            "39" => colour = "",
                            code => colour = code,
                        }
                    }
                    text
                }
                _ => part,
            };
            if !text.is_empty() {
                let class = match (is_bold, colour) {
                    (false, "") => String::new(),
                    (true, "") => "c1".to_owned(),
                    (_, colour) => format!("c{colour}"),
                };
                spans.push((class, text.to_owned()));
            }
        }
        lines.push(spans);
    }
    lines
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
