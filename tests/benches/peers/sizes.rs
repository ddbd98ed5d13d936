//! How large the programs are, and of how many crates they are made.

use std::fs;
use std::path::Path;

use securid_tests::programs::{crates, programs};

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
