//! Figures in rows and columns, on a terminal and in Markdown. Ratios come first: they are what other machines
//! have in common with this one.

use crate::findings::{Findings, OURS, Unit};
use crate::targets;

/// Rows of cells, the first of which are headings.
pub(crate) type Table = Vec<Vec<String>>;

/// What was wanted of these parts, and what came out.
pub(crate) fn targets(found: &Findings, is_told: impl Fn(&str) -> bool) -> Table {
    let heads = ["part", "figure", "wanted", "ratio", "ours", "beside", ""];
    let mut table = vec![heads.map(str::to_owned).to_vec()];
    for target in targets::all().into_iter().filter(|target| is_told(target.part)) {
        let verdict = target.judge(found);
        let unit = verdict.as_ref().map_or(Unit::Count, |verdict| verdict.unit);
        let mut row =
            vec![target.part.to_owned(), target.figure.clone(), target.wanted.words(unit)];
        row.extend(match verdict {
            None => ["–", "–", "–", "not measured"].map(str::to_owned),
            Some(verdict) => {
                let (ratio, beside) = verdict.beside.map_or_else(
                    || ("–".to_owned(), "–".to_owned()),
                    |(who, theirs, times)| {
                        (format!("{times:.2}"), format!("{who}: {}", amount(theirs, unit)))
                    },
                );
                let met = if verdict.is_met { "met" } else { "**missed**" };
                [ratio, amount(verdict.ours, unit), beside, met.to_owned()]
            }
        });
        table.push(row);
    }
    table
}

/// All figures of a part: ours, and beside each other one's how many times that ours is.
pub(crate) fn beside(found: &Findings, part: &str) -> Table {
    let mut others: Vec<&str> = Vec::new();
    let mut figures: Vec<&str> = Vec::new();
    for one in found.of(part) {
        if one.who != OURS && !others.contains(&one.who) {
            others.push(one.who);
        }
        if !figures.contains(&one.figure.as_str()) {
            figures.push(&one.figure);
        }
    }
    let heads = ["", OURS].into_iter().chain(others.iter().copied());
    let mut table: Table = vec![heads.map(str::to_owned).collect()];
    for figure in figures {
        let of = |who: &str| found.of(part).find(|one| one.figure == figure && one.who == who);
        let ours = of(OURS);
        let mut row = vec![figure.to_owned()];
        row.push(ours.map_or_else(|| "–".into(), |one| amount(one.median(), one.unit)));
        row.extend(others.iter().map(|who| {
            let Some(theirs) = of(who) else { return "–".to_owned() };
            let (amount, theirs) = (amount(theirs.median(), theirs.unit), theirs.median());
            match ours {
                Some(ours) if theirs != 0.0 => {
                    format!("**{:.2}** · {amount}", ours.median() / theirs)
                }
                _ => amount,
            }
        }));
        table.push(row);
    }
    table
}

/// In columns.
pub(crate) fn plain(table: &Table) -> String {
    let cell = |text: &str| text.replace("**", "");
    let columns = table.first().map_or(0, Vec::len);
    let width =
        |nth: usize| table.iter().map(|row: &Vec<String>| cell(&row[nth]).chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|nth| width(nth).unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(text, width)| format!("{:width$}", cell(text)));
        format!("  {}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    table.iter().map(line).collect()
}

/// In Markdown.
pub(crate) fn markdown(table: &Table) -> String {
    let mut lines = table.iter().map(|row| format!("| {} |\n", row.join(" | ")));
    let heads = lines.next().unwrap_or_default();
    let rule = format!("|{}\n", "---|".repeat(table.first().map_or(0, Vec::len)));
    heads + &rule + &lines.collect::<String>()
}

/// A number with its unit, of three digits where it has a fraction.
pub(crate) fn amount(number: f64, unit: Unit) -> String {
    let number = match number.abs() {
        ..10.0 if number.fract() != 0.0 => format!("{number:.2}"),
        10.0..100.0 if number.fract() != 0.0 => format!("{number:.1}"),
        _ => securid_manual::drawing::number(number.round() as u64),
    };
    format!("{number} {}", unit.sign()).trim_end().to_owned()
}
