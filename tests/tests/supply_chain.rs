//! What goes into a release: whose code may be unsafe, and nothing that tests alone need.

#![allow(clippy::expect_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use securid_tests::PATIENCE;
use securid_tests::process::{run, told};

/// What cannot be done without: the files that take secrets out of swap and core dumps, and the crates that speak to
/// Windows and macOS themselves. All other code is safe.
const UNSAFE: [&str; 4] = [
    "securid-secret/src/arena.rs",
    "securid-secret/src/allocator.rs",
    "securid-windows/src",
    "securid-macos/src",
];

#[test]
fn every_crate_forbids_unsafe_code_but_those_that_are_named() {
    let workspace = fs::read_to_string(root().join("Cargo.toml")).expect("the manifest is here");
    assert!(workspace.contains("\nunsafe_code = \"forbid\"\n"));
    let mut crates = folders(&root().join("crates"));
    crates.extend([root().join("tests"), root().join("tests/portable")]);
    assert!(crates.len() > 7, "{crates:?}");
    for folder in crates {
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).expect("a crate has one");
        let inherits = manifest.contains("\n[lints]\nworkspace = true\n");
        let denies = manifest.contains("\nunsafe_code = \"deny\"\n");
        let is_named =
            UNSAFE.iter().any(|part| root().join("crates").join(part).starts_with(&folder));
        assert!(inherits || (is_named && denies), "{}", folder.display());
    }
}

#[test]
fn unsafe_code_stands_in_named_files_and_says_why_it_is_sound() {
    let mut files = Vec::new();
    for folder in ["crates", "tests", "fuzz/targets"] {
        sources(&root().join(folder), &mut files);
    }
    assert!(files.len() > 200, "{}", files.len());
    for file in files {
        let text = fs::read_to_string(&file).expect("the source is here");
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| is_unsafe(line)) {
            let place = format!("{}:{}: {line}", file.display(), at + 1);
            let is_named =
                UNSAFE.iter().any(|part| file.starts_with(root().join("crates").join(part)));
            assert!(is_named, "{place}");
            // What a trait asks for is not ours to explain; what is done in it is.
            let explained = || lines[at.saturating_sub(6)..at].join("\n").contains("SAFETY:");
            assert!(line.contains("unsafe fn") || explained(), "{place}");
        }
    }
}

#[test]
fn a_release_has_nothing_that_only_tests_need() {
    // As the README builds it, and cargo-deb: the whole workspace, with nothing switched on.
    assert_eq!(test_features(&[]), [""; 0]);
    let switched_on = test_features(&["--features", "securid-sessiond/test-store"]);
    assert!(!switched_on.is_empty(), "they are not found where they are");
}

/// Our crates in whose build with these flags a feature for tests is on.
fn test_features(flags: &[&str]) -> Vec<String> {
    let mut command = Command::new("cargo");
    command.args(["tree", "--offline", "--workspace", "-e", "normal", "--prefix", "none"]);
    command.args(["-f", "{lib} {f}"]).args(flags).current_dir(root());
    let tree = run(command, "", PATIENCE);
    assert!(tree.status.success(), "{}", told(&tree));
    let tree = String::from_utf8_lossy(&tree.stdout).into_owned();
    let ours = |line: &&str| line.starts_with("securid_");
    let switched_on = |line: &&str| ["test-store", "crash-points"].iter().any(|f| line.contains(f));
    tree.lines().filter(ours).filter(switched_on).map(str::to_owned).collect()
}

/// Whether the word stands there as code: not in a comment, not in a text.
fn is_unsafe(line: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    let code: Vec<&str> = code.split('"').step_by(2).collect();
    let code = code.join(" ");
    code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "unsafe")
}

fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("it is in the workspace").to_owned()
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    let found = fs::read_dir(folder).expect("the folder is here").flatten();
    found.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder is here").flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}
