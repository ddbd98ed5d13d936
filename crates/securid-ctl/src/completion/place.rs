//! What belongs at the cursor, by the command line's own definition.
//!
//! What an argument means is told by its name for people, as help and manual have it: `SELECTOR`, `INSTANCE`.

use clap::{Arg, Command, CommandFactory as _, ValueHint};
use securid_ipc::paths::Overrides;

use super::Candidate;
use crate::args::Cli;

/// What belongs at the cursor.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    Words(Vec<Candidate>),
    Sessions(Which),
    /// Instances of the config.
    Instances,
    Files,
    Folders,
    /// A program or its arguments; how many words come before it.
    Program(usize),
}

/// Sessions that an argument can be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// Those that can be used.
    Active,
    /// Those that are not dead yet.
    All,
    /// Those that nothing but a person may be able to end: pending and lost ones.
    Stuck,
    /// The same, by their ids alone.
    StuckIds,
}

/// A place in a command line.
#[derive(Debug)]
pub(crate) struct Place {
    /// What of the word at the cursor stands before what is completed: `--instance=`.
    pub(crate) before: String,
    pub(crate) wanted: Wanted,
    /// Where flags before the cursor say that things are.
    pub(crate) said: Overrides,
}

/// Reads the words before the cursor, the program's name among them, and what there is of the word at it.
pub(crate) fn find(words: &[String], current: &str) -> Place {
    let mut cli = Cli::command();
    cli.build();
    let mut reader = Reader {
        command: &cli,
        given: 0,
        option: None,
        is_login: false,
        program_at: None,
        said: Overrides::default(),
    };
    for (at, word) in words.iter().enumerate().skip(1) {
        reader.read(at, word);
    }
    let before = match current.split_once('=') {
        Some((flag, _)) if flag.starts_with("--") && reader.expects_flag() => format!("{flag}="),
        _ => String::new(),
    };
    Place { wanted: reader.at_cursor(current), before, said: reader.said }
}

struct Reader<'a> {
    command: &'a Command,
    /// How many arguments without a flag this command was given.
    given: usize,
    /// The flag whose value comes next.
    option: Option<&'a Arg>,
    /// Whether `--login` was said, after which an instance is meant and no session.
    is_login: bool,
    /// Behind `--`: how many words come before the program's.
    program_at: Option<usize>,
    said: Overrides,
}

impl<'a> Reader<'a> {
    fn read(&mut self, at: usize, word: &str) {
        if self.program_at.is_some() {
            return;
        }
        if let Some(option) = self.option.take() {
            return self.note(option, word);
        }
        if word == "--" {
            self.program_at = Some(at + 1);
        } else if let Some(long) = word.strip_prefix("--") {
            self.is_login |= long == "login";
            match long.split_once('=') {
                Some((name, value)) => {
                    if let Some(option) = self.long(name) {
                        self.note(option, value);
                    }
                }
                None => self.option = self.long(long),
            }
        } else if let Some(short) = word.strip_prefix('-') {
            // With more behind it, that is its value.
            self.option = self.short(short);
        } else if let Some(command) = self.command.find_subcommand(word) {
            (self.command, self.given) = (command, 0);
        } else {
            self.given += 1;
        }
    }

    /// The flag of this name, if it takes a value.
    fn long(&self, name: &str) -> Option<&'a Arg> {
        let mut args = self.command.get_arguments();
        args.find(|arg| arg.get_long() == Some(name) && takes_value(arg))
    }

    fn short(&self, name: &str) -> Option<&'a Arg> {
        let mut letters = name.chars();
        let (letter, None) = (letters.next(), letters.next()) else { return None };
        let mut args = self.command.get_arguments();
        args.find(|arg| arg.get_short() == letter && takes_value(arg))
    }

    fn note(&mut self, option: &Arg, value: &str) {
        let place = match option.get_id().as_str() {
            "socket" => &mut self.said.socket,
            "state_dir" => &mut self.said.state_dir,
            "config" => &mut self.said.config,
            _ => return,
        };
        *place = Some(value.into());
    }

    /// Whether a flag may stand at the cursor.
    fn expects_flag(&self) -> bool {
        self.option.is_none() && self.program_at.is_none()
    }

    fn at_cursor(&self, current: &str) -> Wanted {
        if let Some(option) = self.option {
            return self.value(option);
        }
        if let Some(at) = self.program_at {
            return Wanted::Program(at);
        }
        if current.starts_with('-') {
            let name = current.split_once('=').and_then(|(flag, _)| flag.strip_prefix("--"));
            return match name {
                Some(name) => self.long(name).map_or(NOTHING, |option| self.value(option)),
                None => Wanted::Words(self.flags()),
            };
        }
        let commands = self.command.get_subcommands().filter(|command| !command.is_hide_set());
        let commands: Vec<_> = commands
            .map(|command| candidate(command.get_name(), command.get_about().map(first_line)))
            .collect();
        if !commands.is_empty() {
            return Wanted::Words(commands);
        }
        let positionals: Vec<_> = self.command.get_positionals().collect();
        let (last, others): (Vec<&Arg>, Vec<&Arg>) =
            positionals.into_iter().partition(|arg| arg.is_last_set());
        let next = others.get(self.given).or(others.last().filter(|arg| is_list(arg)));
        match next {
            Some(arg) => self.value(arg),
            None if !last.is_empty() => Wanted::Words(vec![candidate("--", None)]),
            None => NOTHING,
        }
    }

    fn flags(&self) -> Vec<Candidate> {
        let shown = self.command.get_arguments().filter(|arg| !arg.is_hide_set());
        let about = |arg: &Arg| arg.get_help().map(first_line);
        shown
            .filter_map(|arg| Some(candidate(&format!("--{}", arg.get_long()?), about(arg))))
            .collect()
    }

    /// What an argument can be.
    fn value(&self, arg: &Arg) -> Wanted {
        let possible = arg.get_possible_values();
        if !possible.is_empty() {
            let about = |value: &clap::builder::PossibleValue| value.get_help().map(first_line);
            let shown = possible.iter().filter(|value| !value.is_hide_set());
            return Wanted::Words(
                shown.map(|value| candidate(value.get_name(), about(value))).collect(),
            );
        }
        match arg.get_value_hint() {
            ValueHint::AnyPath | ValueHint::FilePath => return Wanted::Files,
            ValueHint::DirPath => return Wanted::Folders,
            _ => {}
        }
        let name = arg.get_value_names().and_then(|names| names.first());
        match (self.command.get_name(), name.map(|name| name.as_str()).unwrap_or_default()) {
            ("exec", "SELECTOR") if self.is_login => Wanted::Instances,
            ("logout", "SELECTOR") => Wanted::Sessions(Which::All),
            ("retry", "SELECTOR") => Wanted::Sessions(Which::Stuck),
            ("forget", "ID") => Wanted::Sessions(Which::StuckIds),
            (_, "SELECTOR") => Wanted::Sessions(Which::Active),
            (_, "INSTANCE") => Wanted::Instances,
            _ => NOTHING,
        }
    }
}

const NOTHING: Wanted = Wanted::Words(Vec::new());

fn candidate(word: &str, about: Option<String>) -> Candidate {
    Candidate { word: word.to_owned(), about: about.unwrap_or_default() }
}

fn first_line(text: &clap::builder::StyledStr) -> String {
    text.to_string().lines().next().unwrap_or_default().to_owned()
}

fn takes_value(arg: &Arg) -> bool {
    arg.get_num_args().is_some_and(|range| range.takes_values())
}

fn is_list(arg: &Arg) -> bool {
    arg.get_num_args().is_some_and(|range| range.max_values() > 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(line: &str) -> Place {
        let mut words: Vec<_> = line.split(' ').map(str::to_owned).collect();
        let current = words.pop().unwrap_or_default();
        find(&words, &current)
    }

    fn wanted(line: &str) -> Wanted {
        place(line).wanted
    }

    fn words(line: &str) -> Vec<String> {
        match wanted(line) {
            Wanted::Words(words) => words.into_iter().map(|candidate| candidate.word).collect(),
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn each_argument_is_known_by_its_name() {
        use Wanted::{Files, Folders, Instances, Program, Sessions};
        for (line, expected) in [
            ("securid-ctl logout ", Sessions(Which::All)),
            ("securid-ctl logout prod --timeout 3s ", Sessions(Which::All)),
            ("securid-ctl --json retry ", Sessions(Which::Stuck)),
            ("securid-ctl forget ", Sessions(Which::StuckIds)),
            ("securid-ctl token ", Sessions(Which::Active)),
            ("securid-ctl check --remaining 3m ", Sessions(Which::Active)),
            ("securid-ctl exec ", Sessions(Which::Active)),
            ("securid-ctl exec --login ", Instances),
            ("securid-ctl login ", Instances),
            ("securid-ctl add ", Instances),
            ("securid-ctl history --instance ", Instances),
            ("securid-ctl login --password-file ", Files),
            ("securid-ctl --config ", Files),
            ("securid-ctl --state-dir ", Folders),
            ("securid-ctl exec prod -- ", Program(4)),
            ("securid-ctl exec prod -- echo --login ", Program(4)),
        ] {
            assert_eq!(wanted(line), expected, "{line}");
        }
        for line in ["token prod ", "login --username ", "list ", "history --since ", "nonsense"] {
            assert_eq!(
                words(&format!("securid-ctl {line}")).len().min(1),
                usize::from(line == "nonsense")
            );
        }
    }

    #[test]
    fn commands_and_flags_are_words() {
        assert!(words("securid-ctl ").contains(&"logout".to_owned()));
        assert!(!words("securid-ctl ").contains(&"__complete".to_owned()));
        assert_eq!(words("securid-ctl config s")[0], "show");
        assert_eq!(words("securid-ctl exec prod "), ["--"]);
        assert_eq!(words("securid-ctl completions "), ["bash", "zsh", "fish", "powershell"]);
        let flags = words("securid-ctl logout --");
        assert!(flags.contains(&"--no-wait".to_owned()) && flags.contains(&"--socket".to_owned()));
    }

    #[test]
    fn a_value_may_stand_in_the_word_of_its_flag() {
        let place = place("securid-ctl history --instance=pr");
        assert_eq!((place.wanted, &*place.before), (Wanted::Instances, "--instance="));
    }

    #[test]
    fn flags_say_which_daemon_is_asked() {
        let place = place("securid-ctl --socket /s logout --state-dir=/d ");
        assert_eq!(place.said.socket, Some("/s".into()));
        assert_eq!(place.said.state_dir, Some("/d".into()));
    }
}
