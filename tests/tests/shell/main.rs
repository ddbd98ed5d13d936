//! What `securid-ctl` is in a shell, before a real terminal.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod bars;
mod completions;

use securid_tests::House;
use securid_tests::programs::programs;

/// A line for the terminal's first shell, which tmux has put into its client's folder, with its `PATH`.
fn at_home(house: &House) -> String {
    let (folder, programs) = (house.path(""), programs().ctl.parent().unwrap());
    format!("cd {}; PATH={}:$PATH", folder.display(), programs.display())
}
