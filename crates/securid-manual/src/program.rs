//! The manual pages of a program: one of its own, and one for each command.

use clap::{Arg, Command};
use clap_mangen::Man;
use roff::{Inline, Roff, bold, italic, roman};

use crate::{Manual, help};

/// The pages of a program: what `--help` says of it and of each of its commands, hidden ones left out. `others`
/// are the pages that its own refers to.
#[must_use]
pub fn of_program(command: Command, section: &'static str, others: &[&str]) -> Vec<Manual> {
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let mut pages = vec![page(&command, section, others)];
    let own = format!("{}({section})", command.get_name());
    add_commands(&command, section, &own, &mut pages);
    pages
}

fn add_commands(of: &Command, section: &'static str, own: &str, pages: &mut Vec<Manual>) {
    for command in commands(of) {
        pages.push(page(command, section, &[own]));
        add_commands(command, section, own, pages);
    }
}

fn page(command: &Command, section: &'static str, others: &[&str]) -> Manual {
    let about = about(command);
    // For `whatis` a sentence, or the first of several.
    let mut page = Manual::begin(page_name(command), section, about.split(". ").next().unwrap());
    let man = Man::new(command.clone()).section(section);
    page.add(&synopsis(command));
    page.add(&rendered(|to| man.render_description_section(to)));
    page.add(&rendered(|to| man.render_options_section(to)));
    page.add(&list(command, section));
    if let Some(rest) = command.get_after_long_help() {
        page.add(&help::sections(&rest.to_string()));
    }
    page.see_also(others)
}

fn commands(of: &Command) -> impl Iterator<Item = &Command> {
    of.get_subcommands().filter(|command| !command.is_hide_set())
}

fn page_name(command: &Command) -> &str {
    command.get_display_name().unwrap_or(command.get_name())
}

fn about(command: &Command) -> String {
    command.get_about().expect("what it does").to_string()
}

fn rendered(render: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>) -> String {
    let mut bytes = Vec::new();
    render(&mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// The commands, with their pages.
fn list(command: &Command, section: &str) -> String {
    let mut roff = Roff::new();
    if commands(command).next().is_some() {
        roff.control("SH", ["COMMANDS"]);
    }
    for command in commands(command) {
        roff.control("TP", []);
        roff.text([bold(page_name(command)), roman(format!("({section})"))]);
        roff.text([roman(about(command))]);
    }
    roff.render()
}

/// The command with all its arguments; those that have to be there without brackets.
fn synopsis(command: &Command) -> String {
    // What every command takes is said once, on the program's page.
    let everywhere =
        |arg: &Arg| arg.get_id() == "help" || (arg.is_global_set() && !is_program(command));
    let shown = command.get_arguments().filter(|arg| !arg.is_hide_set() && !everywhere(arg));
    let (positionals, options): (Vec<_>, Vec<_>) = shown.partition(|arg| arg.is_positional());
    let mut line = vec![bold(command.get_bin_name().unwrap_or(command.get_name()))];
    for arg in options.into_iter().chain(positionals) {
        let (before, after) = if arg.is_required_set() { (" ", "") } else { (" [", "]") };
        line.push(roman(before));
        line.extend(argument(arg));
        line.push(roman(after));
    }
    if commands(command).next().is_some() {
        line.extend([roman(" "), italic("COMMAND"), roman(" …")]);
    }
    let mut roff = Roff::new();
    roff.control("SH", ["SYNOPSIS"]);
    roff.text(line);
    roff.render()
}

fn is_program(command: &Command) -> bool {
    command.get_version().is_some()
}

fn argument(arg: &Arg) -> Vec<Inline> {
    let flag = match (arg.get_long(), arg.get_short()) {
        (Some(long), _) => format!("--{long}"),
        (None, Some(short)) => format!("-{short}"),
        (None, None) if arg.is_last_set() => "--".to_owned(),
        (None, None) => String::new(),
    };
    let range = arg.get_num_args().expect("a command that is built");
    if !range.takes_values() {
        return vec![bold(flag)];
    }
    let names = arg.get_value_names().map(|names| names.join(" "));
    let name = names.unwrap_or_else(|| arg.get_id().as_str().to_uppercase());
    let mut line = Vec::new();
    if !flag.is_empty() {
        line.extend([bold(flag), roman(" ")]);
    }
    line.push(italic(name));
    if range.max_values() > 1 {
        line.push(roman(" …"));
    }
    if range.min_values() == 0 && arg.get_long().is_some() {
        line.insert(2, roman("["));
        line.push(roman("]"));
    }
    line
}
