//! The drawings: our figures as so many times those of the others, and how costs grow with the number of sessions.

use std::fmt::Write as _;

use securid_manual::drawing::{decimal, number, svg};

use crate::findings::{Findings, OURS, Unit};
use crate::growth::{LIST, MEMORY, REQUESTS, START, at};
use crate::table::amount;

/// What is compared in the drawing; the page's tables have the rest.
const COMPARED: [(&str, &str, &str); 8] = [
    ("cli", "list", "the command line asks one thing"),
    ("start", "without records", "start to connectable"),
    ("memory", "PSS, idle", "memory when idle (PSS)"),
    ("requests", "one kept connection", "time for a request, one connection"),
    ("requests", "32 kept connections", "time for a request, 32 connections"),
    ("logout", "0 ms away", "one logout, on this machine"),
    ("logout", "100 ms away", "one logout, 100 ms away"),
    ("shutdown", "all dead after, keyutils", "1,000 sessions at shutdown"),
];

/// From here to there, in pixels: a tenth to tenfold.
const SCALE: (f64, f64) = (330.0, 690.0);
const ROW: u64 = 16;

/// Each of ours beside each other one's, on a scale of powers: left of the line is better.
pub(crate) fn ratios(found: &Findings) -> String {
    let x = |ratio: f64| {
        let place = (ratio.clamp(0.1, 10.0).log10() + 1.0) / 2.0;
        tenths(SCALE.0 + place * (SCALE.1 - SCALE.0))
    };
    let mut drawn = String::new();
    let mut y = 20;
    for (part, figure, title) in COMPARED {
        let Some(ours) = found.of(part).find(|one| one.figure == figure && one.who == OURS) else {
            continue;
        };
        let _ = writeln!(drawn, "<text x=\"10\" y=\"{y}\" class=\"t\">{title}</text>");
        for theirs in found.of(part).filter(|one| one.figure == figure && one.who != OURS) {
            y += ROW;
            let ratio = match ours.unit {
                Unit::PerSecond => theirs.median() / ours.median(),
                _ => ours.median() / theirs.median(),
            };
            let (from, to) = (x(ratio.min(1.0)), x(ratio.max(1.0)));
            let class = if ratio <= 1.0 { ("p", "l") } else { ("d", "r") };
            let _ = writeln!(
                drawn,
                "<text x=\"320\" y=\"{y}\" text-anchor=\"end\">{}</text>\
                 <path class=\"{}\" style=\"stroke-width:6\" d=\"M{from} {line}H{to}\"/>\
                 <text x=\"{}\" y=\"{y}\" class=\"{}\">{ratio:.2}</text>",
                theirs.who,
                class.0,
                SCALE.1 + 15.0,
                class.1,
                line = y - 4,
            );
        }
        y += ROW + ROW / 2;
    }
    for (ratio, words) in [(0.1, "0.1"), (0.5, "0.5"), (1.0, "as much"), (2.0, "2"), (10.0, "10")] {
        let class = if ratio == 1.0 { "a" } else { "g" };
        let _ = writeln!(
            drawn,
            "<path class=\"{class}\" d=\"M{x} 8V{bottom}\"/>\
             <text x=\"{x}\" y=\"{below}\" text-anchor=\"middle\">{words}</text>",
            x = x(ratio),
            bottom = y - ROW,
            below = y,
        );
    }
    let words = "ours as so many times the other's: less is better";
    let _ = writeln!(drawn, "<text x=\"10\" y=\"{y}\">{words}</text>");
    svg(760, y + 10, &drawn)
}

/// A panel's size, and its plot's place in it: left, top, width, height.
const PANEL: (u64, u64) = (380, 190);
const PLOT: (f64, f64, f64, f64) = (40.0, 40.0, 300.0, 110.0);

/// Four costs over the number of sessions, both on scales of powers.
pub(crate) fn growth(found: &Findings, sessions: &[usize]) -> String {
    let panels = [
        (START, "start, until all are known"),
        (LIST, "securid-ctl list"),
        (MEMORY, "memory (PSS), all sessions"),
        (REQUESTS, "requests a second, one connection"),
    ];
    let mut drawn = String::new();
    for (nth, (what, title)) in (0..).zip(panels) {
        let (x, y) = (nth % 2 * PANEL.0, nth / 2 * PANEL.1);
        let points: Vec<_> = sessions
            .iter()
            .filter_map(|&n| {
                found
                    .of("growth")
                    .find(|one| one.figure == at(what, n))
                    .map(|one| (n, one.median(), one.unit))
            })
            .collect();
        let _ =
            writeln!(drawn, "<g transform=\"translate({x} {y})\">\n{}</g>", panel(title, &points));
    }
    svg(2 * PANEL.0, 2 * PANEL.1, &drawn)
}

fn panel(title: &str, points: &[(usize, f64, Unit)]) -> String {
    let (left, top, width, height) = PLOT;
    let mut drawn = format!("<text x=\"{left}\" y=\"16\" class=\"t\">{title}</text>\n");
    let most = points.iter().map(|point| point.0).max().unwrap_or(1).max(10) as f64;
    let costs = points.iter().map(|point| point.1);
    let low = 10_f64.powf(costs.clone().fold(f64::MAX, f64::min).log10().floor());
    let high = 10_f64.powf(costs.fold(low * 10.0, f64::max).log10().ceil());
    let mut line = String::new();
    for (nth, (sessions, cost, unit)) in points.iter().enumerate() {
        let across = (*sessions as f64).log10() / most.log10();
        let up = (cost / low).log10() / (high / low).log10();
        let (x, y) = (tenths(left + across * width), tenths(top + (1.0 - up) * height));
        let _ = write!(line, "{}{x} {y}", if nth == 0 { 'M' } else { 'L' });
        let _ = writeln!(
            drawn,
            "<circle class=\"m\" cx=\"{x}\" cy=\"{y}\" r=\"3\"/>\
             <text x=\"{x}\" y=\"{}\" text-anchor=\"middle\" class=\"l\">{}</text>\
             <text x=\"{x}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            tenths(top + (1.0 - up) * height - 8.0),
            amount(*cost, *unit),
            top + height + 15.0,
            number(*sessions as u64),
        );
    }
    let (bottom, right) = (top + height, left + width);
    let _ = writeln!(
        drawn,
        "<path class=\"p\" d=\"{line}\"/>\n<path class=\"a\" d=\"M{left} {top}V{bottom}H{right}\"/>\n\
         <text x=\"{right}\" y=\"{}\" text-anchor=\"end\">sessions</text>",
        bottom + 30.0
    );
    drawn
}

fn tenths(pixels: f64) -> String {
    decimal((pixels * 10.0).round() as u64)
}
