//! What is written: the tables between the marks of `docs/performance.md`, and beside it the pictures and every
//! figure.

use std::fs;
use std::path::{Path, PathBuf};

use crate::arguments::Arguments;
use crate::findings::Findings;
use crate::{PARTS, pictures, surroundings, table};

/// Writes them, from a run of all parts.
pub(crate) fn write(arguments: &Arguments, found: &Findings) {
    if !arguments.wants_all() {
        println!(
            "\nNothing is written: the page tells of one run, and this one has not all parts."
        );
        return;
    }
    let page = docs().join("performance.md");
    let mut text = fs::read_to_string(&page).expect("the page is there");
    let run = surroundings::told(arguments);
    let targets = table::markdown(&table::targets(found, |_| true));
    text = put(&text, "run", &run);
    text = put(&text, "targets", &targets);
    for part in PARTS {
        let figures = table::markdown(&table::beside(found, part.name));
        text = put(&text, part.name, &figures);
    }
    let beside = docs().join("performance");
    fs::create_dir_all(&beside).expect("docs can be written");
    for (file, text) in [
        (page, text),
        (beside.join("ratios.svg"), pictures::ratios(found)),
        (beside.join("growth.svg"), pictures::growth(found, arguments.effort.growth)),
        (beside.join("figures.csv"), figures(found)),
    ] {
        fs::write(&file, text).expect("docs can be written");
        println!("written: {}", file.display());
    }
}

fn put(page: &str, name: &str, text: &str) -> String {
    let begin = format!("<!-- {name} -->\n");
    securid_manual::between(page, [&begin, "<!-- end -->"], text)
        .unwrap_or_else(|| panic!("docs/performance.md has no place for {name}"))
}

/// Every figure, with the least and the most of its rounds.
fn figures(found: &Findings) -> String {
    let mut csv = csv::Writer::from_writer(Vec::new());
    let heads = ["part", "figure", "who", "unit", "median", "least", "most", "rounds"];
    csv.write_record(heads).expect("there is memory");
    for one in found.all() {
        let (least, most) = (one.rounds[0], one.rounds[one.rounds.len() - 1]);
        let [median, least, most] = [one.median(), least, most].map(|n| format!("{n:.3}"));
        let (rounds, unit) = (one.rounds.len().to_string(), one.unit.sign());
        let row = [one.part, &one.figure, one.who, unit, &median, &least, &most, &rounds];
        csv.write_record(row).expect("there is memory");
    }
    String::from_utf8(csv.into_inner().expect("there is memory")).expect("it was text")
}

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}
