//! What the documents say of the tests.
#![allow(clippy::unwrap_used, clippy::expect_used)]
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use securid_tests::is_installed;

/// The pages that name tests as proof.
const PAGES: [&str; 2] = ["docs/threat-model.md", "docs/security.md"];

#[test]
fn tests_that_are_named_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut seen = 0;
    for page in PAGES {
        let text = fs::read_to_string(root.join(page)).unwrap();
        for (file, test) in text.split('`').filter_map(|word| word.split_once("::")) {
            if test == "…" {
                continue;
            }
            let path = source(root, file).unwrap_or_else(|| panic!("{page}: no file for {file}"));
            let has = fs::read_to_string(&path).unwrap().contains(&format!("fn {test}("));
            assert!(has, "{page}: no test {test} in {}", path.display());
            seen += 1;
        }
    }
    assert!(seen > 50, "only {seen} were found");
}

/// `peers` and `systemd/service` are files here, `securid-api/tls` is one of a crate's.
fn source(root: &Path, name: &str) -> Option<PathBuf> {
    let in_crate = name.split_once('/').filter(|(start, _)| start.starts_with("securid-"));
    let folder = match in_crate {
        Some((package, _)) => root.join("crates").join(package).join("tests"),
        None => root.join("tests/tests"),
    };
    let file = in_crate.map_or(name, |(_, file)| file);
    let places = [format!("{file}.rs"), format!("stores/{file}.rs"), format!("{file}/main.rs")];
    places.iter().map(|place| folder.join(place)).find(|path| path.is_file())
}

/// The picture in the README has the steps of the diagram in `docs/architecture.md`.
#[test]
fn the_life_of_a_session_is_drawn_as_it_is_told() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let page = fs::read_to_string(docs.join("architecture.md")).unwrap();
    let (_, diagram) = page.split_once("stateDiagram-v2\n").unwrap();
    let (diagram, _) = diagram.split_once("```").unwrap();
    let steps = diagram.lines().filter_map(|line| line.split_once(" --> "));
    let told: BTreeSet<(&str, &str)> =
        steps.map(|(from, to)| (from.trim(), to.split(':').next().unwrap().trim())).collect();
    let picture = fs::read_to_string(docs.join("life.svg")).unwrap();
    let drawn: BTreeSet<(&str, &str)> = picture
        .split("data-from=\"")
        .skip(1)
        .map(|step| {
            let (from, rest) = step.split_once("\" data-to=\"").unwrap();
            (from, rest.split('"').next().unwrap())
        })
        .collect();
    assert!(told.len() > 10, "{told:?}");
    assert_eq!(drawn, told);
}

/// As a person reads them, and as `whatis` finds them.
#[test]
fn manual_pages_are_in_order() {
    if !is_installed("man") || !is_installed("lexgrog") {
        return;
    }
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/man");
    let pages: Vec<_> = fs::read_dir(pages).unwrap().map(|page| page.unwrap().path()).collect();
    assert!(pages.len() > 20, "{pages:?}");
    for page in &pages {
        let mut man = Command::new("man");
        man.args(["--warnings", "-P", "cat", "-l"]).arg(page);
        let shown = man.env("MANWIDTH", "80").output().unwrap();
        let (text, warnings) = (String::from_utf8(shown.stdout).unwrap(), shown.stderr);
        assert!(shown.status.success() && text.contains("SEE ALSO"), "{page:?}: {text}");
        assert_eq!(String::from_utf8_lossy(&warnings), "", "{page:?}");
        let found = Command::new("lexgrog").arg(page).output().unwrap();
        let name = page.file_stem().unwrap().to_str().unwrap();
        let found = String::from_utf8_lossy(&found.stdout).into_owned();
        assert!(found.contains(&format!("{name} - ")), "{page:?}: {found}");
    }
}

/// Where a program may write `{:?}` outside of its tests, and why no person reads what comes of it.
const DEBUG: [(&str, &str, &str); 6] = [
    ("securid-text/src/lib.rs", "{text:?}", "quotes what has letters and digits alone"),
    ("securid-ipc/src/messages/call.rs", "{name:?}", "is compared with that"),
    ("securid-sessiond/src/config/place.rs", "{name:?}", "is compared with that"),
    ("securid-sessiond/src/config/settings.rs", "{self:?}", "is hashed"),
    (
        "securid-sessiond/src/log/lines.rs",
        "{value:?}",
        "tracing's words for any field, texts as they are",
    ),
    ("securid-sessiond/src/log/linux/to_journal.rs", "{value:?}", "the same"),
];

/// How Rust sees a value is for those who write it.
#[test]
fn nobody_is_shown_how_rust_sees_a_value() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("crates");
    let mut seen = Vec::new();
    for file in sources_of(&crates).filter(|file| !is_for_tests(file)) {
        let text = fs::read_to_string(&file).unwrap();
        let program = text.split("#[cfg(test)]\nmod ").next().unwrap();
        let name = file.strip_prefix(&crates).unwrap().to_str().unwrap();
        for line in program.lines().filter(|line| !line.trim_start().starts_with("//")) {
            let shows = [":?}", ":#?}"].iter().any(|how| line.contains(how));
            // As tracing has it: `error!(?value)`, `name = ?value`.
            let logs = ["!(?", " = ?", ", ?"].iter().any(|how| line.contains(how));
            let known = DEBUG.iter().find(|(at, what, _)| name == *at && line.contains(what));
            if shows || logs {
                let why =
                    "tell it in words, or add it to DEBUG with the reason why nobody reads it";
                seen.push(known.unwrap_or_else(|| panic!("crates/{name}: {}\n{why}", line.trim())));
            }
        }
    }
    for place in &DEBUG {
        assert!(seen.contains(&place), "{place:?} is there no more");
    }
}

/// The simulator's words are for us, and so are those of what is fuzzed and tested.
fn is_for_tests(file: &Path) -> bool {
    let file = file.to_str().unwrap();
    [
        "securid-simulator",
        "securid-manual",
        "/tests",
        "/fuzz",
        "/examples/",
        "/benches/",
        "/page.rs",
    ]
    .iter()
    .any(|part| file.contains(part))
}

fn sources_of(folder: &Path) -> Box<dyn Iterator<Item = PathBuf>> {
    let entries: Vec<_> = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    Box::new(entries.into_iter().flat_map(|path| match path.is_dir() {
        true => sources_of(&path),
        false => {
            Box::new(Some(path).into_iter().filter(|it| it.extension() == Some("rs".as_ref())))
        }
    }))
}
