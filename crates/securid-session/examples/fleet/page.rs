//! The tables of `docs/fleet.md`, which stand between marks in the page.

use securid_manual::drawing::number;

use crate::scenario::Played;
use crate::words::{rate, span, time};

/// The page with this table in the place of the one under its name.
///
/// # Errors
/// If the page has no such marks.
pub(crate) fn put(page: &str, name: &str, table: &str) -> Result<String, String> {
    let (begin, end) = (format!("<!-- {name} -->\n"), "<!-- end -->");
    securid_manual::between(page, [&begin, end], table).ok_or_else(|| {
        format!("docs/fleet.md has no table between \"{}\" and \"{end}\"", begin.trim())
    })
}

/// 100,000 people leave.
pub(crate) fn leaving(all: &[Played]) -> String {
    let heads = [
        "they leave",
        "above 2,000 a second it answers",
        "18:00: requests",
        "peak a second",
        "dead by night",
        "8:00: requests",
        "peak a second",
        "peak : mean",
        "all dead",
    ];
    table(&heads, all, |played| {
        let (tally, scenario) = (&played.tally, &played.scenario);
        let by_night = tally.confirmed_before(scenario.back);
        let mut cells = vec![
            number(tally.requests(scenario.before.clone())),
            number(tally.peak(scenario.before.clone()).into()),
            percent(by_night, tally.tokens),
        ];
        cells.extend(match played.recovery() {
            Some(recovery) => vec![
                number(tally.requests(recovery.clone())),
                number(tally.peak(recovery.clone()).into()),
                peak_to_mean(played),
            ],
            None => vec!["–".into(); 3],
        });
        cells.push(tally.confirmed_percent(100).map_or_else(|| "–".into(), time));
        cells
    })
}

/// A server is lost.
pub(crate) fn outages(all: &[Played]) -> String {
    recoveries(&["it is lost for", "meanwhile it", "back, it"], all)
}

/// A network is lost.
pub(crate) fn networks(all: &[Played]) -> String {
    recoveries(&["the server manages"], all)
}

/// The same with other settings.
pub(crate) fn settings(all: &[Played]) -> String {
    recoveries(&["`retry_max`", "back, the server manages"], all)
}

/// What is lost and comes back, each row beginning with what it is.
fn recoveries(is: &[&str], all: &[Played]) -> String {
    let heads = [
        "meanwhile: mean a second",
        "peak",
        "back: peak a second",
        "mean",
        "peak : mean",
        "99 % dead after",
        "all",
    ];
    table(&[is, &heads].concat(), all, recovery)
}

fn recovery(played: &Played) -> Vec<String> {
    let (tally, scenario) = (&played.tally, &played.scenario);
    let until = tally.confirmed_percent(100).unwrap_or(scenario.horizon);
    let recovery = scenario.back..until;
    let never = || format!("not in {}", span(scenario.horizon - scenario.back));
    let after = |percent| {
        tally.confirmed_percent(percent).map_or_else(never, |at| span(at - scenario.back))
    };
    vec![
        rate(tally.mean(scenario.before.clone())),
        number(tally.peak(scenario.before.clone()).into()),
        number(tally.peak(recovery.clone()).into()),
        rate(tally.mean(recovery)),
        peak_to_mean(played),
        after(99),
        after(100),
    ]
}

fn peak_to_mean(played: &Played) -> String {
    played.peak_to_mean().map_or_else(|| "–".into(), |ratio| format!("{ratio:.1}"))
}

fn percent(part: u64, whole: u64) -> String {
    format!("{:.1} %", part as f64 * 100.0 / whole as f64)
}

fn table(heads: &[&str], all: &[Played], cells: impl Fn(&Played) -> Vec<String>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let heads: Vec<String> = heads.iter().map(|head| (*head).to_owned()).collect();
    let mut table = line(&heads);
    table += &format!("|{}\n", "---|".repeat(heads.len()));
    for played in all {
        let mut row: Vec<String> = played.scenario.is.iter().map(|&cell| cell.into()).collect();
        row.extend(cells(played));
        table += &line(&row);
    }
    table
}
