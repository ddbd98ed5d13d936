//! That the manual pages in `docs/man/` say what `--help` does.

use clap::CommandFactory as _;
use securid_manual::{keep_all, of_program};

use crate::args::Cli;

/// Pages that `securid-ctl`'s refers to.
const OTHERS: [&str; 3] = ["securid-sessiond(8)", "securid.toml(5)", "securid-protocol(7)"];

#[test]
fn the_manual_pages_say_what_help_says() {
    keep_all("securid-ctl", &of_program(Cli::command(), "1", &OTHERS));
}
