//! Every page of help, of the commands that the first one names.

use super::{compare, told};
use crate::fake::Home;

#[test]
fn every_command_explains_itself() {
    let home = Home::new();
    let first = home.run(["--help"]).out;
    let commands = first.lines().skip_while(|line| *line != "Commands:").skip(1);
    let commands: Vec<_> = commands
        .take_while(|line| !line.is_empty())
        // What is longer than a line goes on further in.
        .filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')))
        .filter_map(|line| line.split(' ').next())
        .filter(|name| *name != "help")
        .collect();
    assert!(commands.len() > 15, "{first}");

    let mut pages = vec![told(&home, &["--help"])];
    for command in commands {
        pages.push(told(&home, &[command, "-h"]));
        let short = home.run([command, "-h"]).out;
        // The same page twice tells nobody anything.
        if home.run([command, "--help"]).out != short {
            pages.push(told(&home, &[command, "--help"]));
        }
    }
    pages.push(told(&home, &["config", "show", "--help"]));
    compare("help", &pages);
}
