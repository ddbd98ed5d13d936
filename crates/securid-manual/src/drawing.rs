//! What drawings of figures share: their frame and tones, and how numbers stand in them.

/// Tones that can be read on white and on black, so that the page's theme does not matter.
const STYLE: &str = "text{font:11px sans-serif;fill:#808080}.t{font-weight:bold}\
    .a{stroke:#808080;fill:none}.g{stroke:#808080;stroke-opacity:.3;fill:none}\
    .m{fill:#2f81d6;fill-opacity:.45}.p{stroke:#2f81d6;fill:none}\
    .d{stroke:#d9730d;fill:none;stroke-width:1.5}.l{fill:#2f81d6}.r{fill:#d9730d}";

/// An SVG of that many pixels. Its classes: `t` a title, `a` an axis, `g` a grid; of the first thing `m` an area,
/// `p` a line and `l` words, of the second `d` a line and `r` words.
#[must_use]
pub fn svg(width: u64, height: u64, drawn: &str) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         width=\"{width}\" height=\"{height}\">\n<style>{STYLE}</style>\n{drawn}</svg>\n"
    )
}

/// `12,345`.
#[must_use]
pub fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (nth, digit) in digits.chars().enumerate() {
        if nth > 0 && (digits.len() - nth).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number of tenths, written out.
#[must_use]
pub fn decimal(tenths: u64) -> String {
    format!("{}.{}", tenths / 10, tenths % 10)
}
