//! `__complete`: what a shell's script asks, hidden from people.
//!
//! The first line of the answer says what belongs at the cursor: `values`, which follow, one a line, with a tab
//! before what is said of each; `files` or `folders`, which shells find themselves; or `program N`, for a
//! program of which N words come before it. Whatever goes wrong, there is nothing to complete, and no word of it.
//!
//! Bash's line up to the cursor comes on standard input: arguments are open to everybody, and there may be more in the
//! line than what becomes an argument of ours (`<<<` with a password behind it).

use std::{
    ffi::OsString,
    io::{Read as _, stdin},
};

use securid_ipc::paths::{Overrides, Paths};

use super::completions::Shell;
use crate::{
    Context,
    completion::{
        Candidate,
        bash::Line,
        candidates,
        place::{Place, Wanted, find},
        powershell,
    },
    failure::Failure,
};

/// More of a line than anybody types, in bytes.
const LONGEST_LINE: u64 = 64 * 1024;

/// Answer a shell's completion
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[arg(value_enum)]
    shell: Shell,
    /// What there is of the word at the cursor, without quotes
    #[arg(long, default_value = "")]
    current: OsString,
    /// COMP_WORDBREAKS
    #[arg(long, default_value = "")]
    breaks: String,
    /// The words before the cursor, without quotes
    #[arg(last = true)]
    words: Vec<OsString>,
}

impl Args {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failure> {
        let line = match self.shell {
            Shell::Bash => Line::read(&typed(), &self.breaks),
            _ => Line::default(),
        };
        let (words, current) = match self.shell {
            Shell::Bash => (line.words.clone(), line.current.clone()),
            _ => {
                let words = self.words.iter().map(|word| word.to_string_lossy().into_owned());
                (words.collect(), self.current.to_string_lossy().into_owned())
            }
        };
        let Place { before, wanted, said } = find(&words, &current);
        let found = match wanted {
            Wanted::Words(words) => words,
            Wanted::Sessions(which) => {
                places(context, &said).map_or(vec![], |paths| candidates::sessions(paths, which))
            }
            Wanted::Instances => places(context, &said).map_or(vec![], candidates::instances),
            Wanted::Files => return answer(context, "files\n"),
            Wanted::Folders => return answer(context, "folders\n"),
            Wanted::Program(at) => return answer(context, &format!("program {at}\n")),
        };
        let mut text = "values\n".to_owned();
        for Candidate { word, about } in found {
            let word = format!("{before}{word}");
            let written = match self.shell {
                Shell::Bash => line.replacement(&word),
                Shell::Zsh | Shell::Fish => Some(format!("{word}\t{about}")),
                Shell::Pwsh => word
                    .starts_with(&current)
                    .then(|| format!("{}\t{word}\t{about}", powershell::quoted(&word))),
            };
            text.extend(written.into_iter().flat_map(|written| [written, "\n".to_owned()]));
        }
        answer(context, &text)
    }
}

/// What standard input has of a line, without the newline that a here-string adds.
fn typed() -> String {
    let mut typed = Vec::new();
    // What was read before a failure is as good as nothing.
    let _ = stdin().lock().take(LONGEST_LINE).read_to_end(&mut typed);
    let typed = String::from_utf8_lossy(&typed);
    typed.strip_suffix('\n').unwrap_or(&typed).to_owned()
}

/// Where the daemon of the line that is completed is.
fn places(context: &Context, said: &Overrides) -> Option<Paths> {
    match said == &Overrides::default() {
        true => Some(context.paths.clone()),
        false => Paths::from_environment(said).ok(),
    }
}

/// Nobody is told that it cannot be printed.
fn answer(context: &Context, text: &str) -> Result<u8, Failure> {
    let _ = context.screen.text(text);
    Ok(0)
}
