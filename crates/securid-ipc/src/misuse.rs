//! A command line that makes no sense, in the words of both programs: what is wrong with it, then what to do.

use clap::error::{ContextKind, ContextValue, Error, ErrorKind};
use securid_text::mention;

/// Why a command line was not understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misuse {
    /// What is wrong with it, in a line. What could be a secret is not repeated.
    pub message: String,
    /// What was meant perhaps, and how it is used: a line or several.
    pub advice: String,
}

impl Misuse {
    /// What the parser complains about.
    #[must_use]
    pub fn of(error: Error) -> Self {
        let told = without_secrets(error).to_string();
        let mut lines = told.trim_start_matches("error: ").lines();
        let about = lines.by_ref().take_while(|line| !line.is_empty());
        let message = about.map(str::trim).collect::<Vec<_>>().join(" ");
        let advice = lines.map(|line| line.trim().trim_start_matches("tip: "));
        let advice: Vec<_> = advice.filter(|line| !line.is_empty()).map(sentence).collect();
        Self { message, advice: advice.join("\n") }
    }
}

/// What was not understood may be a token or a password, in a place where none belongs: there is no argument
/// that takes one.
fn without_secrets(mut error: Error) -> Error {
    let said = |kind| match error.get(kind) {
        Some(ContextValue::String(said)) => Some(said.clone()),
        _ => None,
    };
    // clap puts quotes of its own around it.
    let repeated = |said: &str| mention(said).trim_matches('"').to_owned();
    let (kind, told) = match error.kind() {
        ErrorKind::UnknownArgument => {
            let flag = |said: String| match said.split('=').next() {
                Some(flag) if flag.starts_with('-') => repeated(flag),
                _ => "[not repeated]".to_owned(),
            };
            (ContextKind::InvalidArg, said(ContextKind::InvalidArg).map(flag))
        }
        ErrorKind::InvalidSubcommand => {
            let kind = ContextKind::InvalidSubcommand;
            (kind, said(kind).map(|said| repeated(&said)))
        }
        _ => {
            let kind = ContextKind::InvalidValue;
            (kind, said(kind).map(|said| repeated(&said)))
        }
    };
    if let Some(told) = told {
        error.insert(kind, ContextValue::String(told));
    }
    error
}

/// With a capital and a full stop, unless it shows how a command is written.
fn sentence(line: &str) -> String {
    let mut letters = line.chars();
    let first = letters.next().map(char::to_uppercase).into_iter().flatten();
    let end = if line.starts_with("Usage: ") || line.ends_with('.') { "" } else { "." };
    first.chain(letters).chain(end.chars()).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use clap::{Arg, ArgAction, Command};

    use super::*;

    const STRAY: &str = "9fK2xQ7bLw0ZtR4vYh8sNc1JmE5uGp3aDiOq6XeT";

    fn told<'a>(args: impl IntoIterator<Item = &'a str>) -> Misuse {
        let needed = Arg::new("yes").long("yes").required(true).action(ArgAction::SetTrue);
        let level = Arg::new("level").long("level").value_parser(["low", "high"]);
        let command = Command::new("p").subcommand(Command::new("forget").arg(needed).arg(level));
        let args = ["p"].into_iter().chain(args);
        Misuse::of(command.subcommand_required(true).try_get_matches_from(args).unwrap_err())
    }

    #[test]
    fn what_is_missing_is_named() {
        let Misuse { message, advice } = told(["forget"]);
        assert_eq!(message, "the following required arguments were not provided: --yes");
        assert_eq!(advice, "Usage: p forget --yes\nFor more information, try '--help'.");
    }

    #[test]
    fn what_was_meant_perhaps_is_named() {
        let Misuse { message, advice } = told(["forgte"]);
        assert_eq!(message, "unrecognized subcommand 'forgte'");
        assert!(
            advice.starts_with("A similar subcommand exists: 'forget'.\nUsage: p "),
            "{advice}"
        );
    }

    #[test]
    fn what_could_be_a_secret_is_not_repeated() {
        let option = format!("--{STRAY}");
        for args in [
            &["forget", STRAY][..],
            &["forget", "short"],
            &["forget", &option],
            &["forget", "--level", STRAY],
            &[STRAY],
        ] {
            let told = told(args.iter().copied());
            let text = format!("{}{}", told.message, told.advice);
            assert!(!text.contains(STRAY) && !text.contains("short"), "{text}");
            assert!(text.contains("not repeated"), "{text}");
        }
    }
}
