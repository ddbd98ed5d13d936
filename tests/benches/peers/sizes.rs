//! How large the programs are, and of how many crates they are made.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use securid_tests::programs::programs;

use crate::arguments::Arguments;
use crate::findings::{Findings, OURS, Unit};
use crate::peer::installed;

const PART: &str = "sizes";

pub(crate) fn measure(_: &Arguments, found: &mut Findings) {
    found.put(PART, "daemon", OURS, Unit::Mb, vec![size(&programs().daemon)]);
    for peer in installed() {
        found.put(PART, "daemon", peer.name, Unit::Mb, vec![size(&peer.program())]);
    }
    found.put(PART, "command line", OURS, Unit::Mb, vec![size(&programs().ctl)]);
    for (figure, package) in
        [("crates, daemon", "securid-sessiond"), ("crates, command line", "securid-ctl")]
    {
        found.put(PART, figure, OURS, Unit::Count, vec![crates(package) as f64]);
    }
}

fn size(program: &Path) -> f64 {
    fs::metadata(program).expect("it is there").len() as f64 / 1e6
}

/// Every crate that goes into a program here, ours included.
fn crates(package: &str) -> usize {
    let mut tree = Command::new(env!("CARGO"));
    tree.args(["tree", "--locked", "--edges", "normal", "--prefix", "none", "--package", package]);
    let told = tree.current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("cargo can be run");
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let text = String::from_utf8_lossy(&told.stdout).into_owned();
    // `NAME VERSION (where it is from, or that it was told before)`
    let names = text.lines().map(|line| line.split(" (").next().unwrap_or(line));
    names.filter(|name| !name.is_empty()).collect::<BTreeSet<_>>().len()
}
