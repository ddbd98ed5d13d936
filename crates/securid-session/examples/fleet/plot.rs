//! Drawings: requests a second, and how many tokens are known to be dead.

use std::fmt::Write as _;
use std::ops::Range;

use securid_manual::drawing::{decimal, number, svg};

use crate::clock::{DAY, HOUR, Instant, MINUTE, SECOND};
use crate::scenario::Played;

/// A stretch of a story, and what it is called.
pub(crate) struct View<'a> {
    pub(crate) title: &'a str,
    pub(crate) played: &'a Played,
    pub(crate) during: Range<Instant>,
    /// How far the marks on the time axis are apart.
    pub(crate) mark: Instant,
}

const PANEL: (u64, u64) = (400, 190);
/// The plot within its panel, in pixels: left, top, width, height.
const PLOT: (u64, u64, u64, u64) = (60, 30, 295, 130);
/// How many steps a line has at most: two pixels each.
const STEPS: u64 = 147;

/// All views of a page's part, two in a row.
pub(crate) fn draw(views: &[View<'_>]) -> String {
    let rows = views.len().div_ceil(2) as u64;
    let (width, height) = (2 * PANEL.0, rows * PANEL.1 + 25);
    let mut drawn = String::new();
    for (nth, view) in views.iter().enumerate() {
        let (x, y) = (nth as u64 % 2 * PANEL.0, nth as u64 / 2 * PANEL.1);
        let _ = writeln!(drawn, "<g transform=\"translate({x} {y})\">\n{}</g>", panel(view));
    }
    let _ = writeln!(
        drawn,
        "<text x=\"60\" y=\"{y}\" class=\"l\">requests a second (line: the most, area: on average, \
         within two pixels)</text>\n<text x=\"510\" y=\"{y}\" class=\"r\">tokens known to be \
         dead</text>",
        y = height - 8
    );
    svg(width, height, &drawn)
}

fn panel(view: &View<'_>) -> String {
    let (left, top, width, height) = PLOT;
    let (bottom, right) = (top + height, left + width);
    let tally = &view.played.tally;
    let Range { start, end } = view.during;
    let step = (end - start).div_ceil(SECOND).div_ceil(STEPS) * SECOND;
    let most = round_up(tally.peak(view.during.clone()).into());
    let across = |at: Instant| decimal(left * 10 + (at - start) * width * 10 / (end - start));
    let up =
        |n: f64, most: f64| decimal(bottom * 10 - (n / most * (height * 10) as f64).round() as u64);

    let mut mean = format!("M{left} {bottom}");
    let mut peak = String::new();
    let mut dead = String::new();
    let mut at = start;
    while at < end {
        let next = (at + step).min(end);
        let x = across(at + (next - at) / 2);
        let _ = write!(mean, "L{x} {}", up(tally.mean(at..next), most as f64));
        let pen = if at == start { 'M' } else { 'L' };
        let _ = write!(peak, "{pen}{x} {}", up(tally.peak(at..next).into(), most as f64));
        let share = tally.confirmed_before(next) as f64 / tally.tokens as f64;
        let _ = write!(dead, "{pen}{x} {}", up(share, 1.0));
        at = next;
    }
    let _ = write!(mean, "L{right} {bottom}Z");

    let mut svg = format!("<text x=\"{left}\" y=\"16\" class=\"t\">{}</text>\n", view.title);
    let _ = writeln!(
        svg,
        "<path class=\"g\" d=\"M{left} {top}H{right}M{left} {middle}H{right}\"/>\n\
         <path class=\"m\" d=\"{mean}\"/>\n<path class=\"p\" d=\"{peak}\"/>\n\
         <path class=\"d\" d=\"{dead}\"/>\n<path class=\"a\" d=\"M{left} {top}V{bottom}H{right}\"/>",
        middle = top + height / 2
    );
    for (y, share) in [(top, 2), (top + height / 2, 1), (bottom, 0)] {
        let (y, requests) = (y + 4, number(most * share / 2));
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{y}\" text-anchor=\"end\" class=\"l\">{requests}</text>\
             <text x=\"{}\" y=\"{y}\" class=\"r\">{} %</text>",
            left - 4,
            right + 3,
            share * 50
        );
    }
    let first = start.div_ceil(view.mark) * view.mark;
    for at in (first..=end).step_by(usize::try_from(view.mark).unwrap_or(usize::MAX)) {
        let (hour, minute) = (at % DAY / HOUR, at % HOUR / MINUTE);
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{hour}:{minute:02}</text>",
            across(at),
            bottom + 15
        );
    }
    svg
}

/// The next number above that reads well, and has a half.
fn round_up(most: u64) -> u64 {
    let mut power = 1;
    while power * 10 < most {
        power *= 10;
    }
    let steps = [2, 4, 6, 8, 10].into_iter().map(|digit| digit * power);
    steps.into_iter().find(|step| *step >= most).unwrap_or(most)
}
