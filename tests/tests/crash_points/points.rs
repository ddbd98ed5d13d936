//! The points, as the source and the documentation name them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use securid_tests::process::run;
use securid_tests::{House, PATIENCE, Plan, trace};

/// What passing through a function of the file layer does, one point each. What only a disk that
/// fails brings about is not among it: a write that is taken back (`removed` of a draft, `cut`).
const FILE_LAYER: [(&str, &[&str]); 8] = [
    ("replace(", &["created", "written", "synced", "renamed"]),
    ("replace_with(", &["created", "written", "synced", "renamed"]),
    ("write_new(", &["created", "written", "synced"]),
    ("write_new_with(", &["created", "written", "synced"]),
    ("append(", &["created", "written", "synced"]),
    ("rename(", &["renamed"]),
    ("remove(", &["removed"]),
    ("sync_folder(", &["folder-synced"]),
];

/// `own_folder` calls what it makes by itself.
const OWN_FOLDER: [&str; 2] = ["state.folder-made", "state.folder-synced"];

/// What `record-{}` stands for: the stages on disk.
const STAGES: [&str; 4] = ["adding", "active", "revoking", "ended"];

/// Every point that the source names: `crash::point("…")`, and what the callers of the file layer
/// call their files.
pub(crate) fn of_the_source() -> BTreeSet<String> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
    let mut points: BTreeSet<String> = OWN_FOLDER.map(str::to_owned).into();
    for file in sources(&crates) {
        let text = fs::read_to_string(&file).expect("the source is here");
        let code: Vec<&str> =
            text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        let code = code.join("\n");
        for call in code.split("crash::point(").skip(1) {
            points.extend(texts(call).first().map(|name| (*name).to_owned()));
        }
        for (function, ops) in FILE_LAYER {
            for (before, call) in calls(&code, &format!("files::{function}")) {
                let what = texts(call).pop().or_else(|| texts(last_what(before)).pop());
                let what = what.expect("the file layer is told what it is");
                points.extend(ops.iter().flat_map(|op| spelt_out(&format!("{what}.{op}"))));
            }
        }
    }
    points
}

/// What `--make-key` passes, which is no life.
pub(crate) fn of_making_a_key() -> BTreeSet<String> {
    let house = House::build(Plan::default());
    let trace = house.path("trace");
    let mut command = house.daemon_command();
    command.env("SECURID_CRASH_TRACE", &trace).arg("--make-key").arg(house.path("key"));
    assert!(run(command, "", PATIENCE).status.success());
    trace::read(&trace).into_iter().map(|pass| pass.point).collect()
}

/// What stands in the first column of the table below "Crash points".
pub(crate) fn of_the_documentation() -> BTreeSet<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reliability.md");
    let page = fs::read_to_string(page).expect("the page is there");
    let section = page.split("\n## Crash points\n").nth(1).expect("it has that section");
    let section = section.split("\n## ").next().unwrap_or_default();
    let cells = section.lines().filter_map(|line| line.strip_prefix("| `")?.split('|').next());
    cells
        .flat_map(|cell| cell.split('`').filter(|name| name.contains('.')))
        .map(str::to_owned)
        .collect()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for file in fs::read_dir(folder).expect("the source is here").flatten() {
        let path = file.path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "tests") {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// What stands before each call, and the call itself as far as its closing parenthesis.
fn calls<'a>(code: &'a str, function: &str) -> Vec<(&'a str, &'a str)> {
    let starts = code.match_indices(function).map(|(at, name)| (at, at + name.len()));
    let call = |from: usize| {
        let mut depth = 1;
        let end = code[from..].find(|c| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            depth == 0
        });
        &code[from..from + end.expect("parentheses are balanced")]
    };
    starts.map(|(at, from)| (&code[..at], call(from))).collect()
}

/// The name that was put into a variable first.
fn last_what(before: &str) -> &str {
    let variable = before.rsplit("let what = ").next().unwrap_or_default();
    variable.split(';').next().unwrap_or_default()
}

/// The texts in quotation marks.
fn texts(code: &str) -> Vec<&str> {
    code.split('"').skip(1).step_by(2).collect()
}

fn spelt_out(point: &str) -> Vec<String> {
    if point.contains("{}") {
        STAGES.map(|stage| point.replace("{}", stage)).into()
    } else {
        vec![point.to_owned()]
    }
}
