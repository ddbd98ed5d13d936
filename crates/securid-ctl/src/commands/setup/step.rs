//! One step: shown beforehand, or carried out and said.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use serde::Serialize;

use super::Work;
use crate::{
    Context,
    ending::PENDING,
    failure::{FAILED, Failure},
    launch, program,
    screen::printable,
};
use system::{make_parents, with_mode};

/// How long the daemon's program may take to make a key: it takes some milliseconds.
const KEY_WITHIN: Duration = Duration::from_secs(5);

/// What a drain may take, and what its end may take beyond that.
const DRAIN: &str = "20s";
const DRAIN_WITHIN: Duration = Duration::from_secs(30);

/// Something that setup does.
#[derive(Debug)]
pub(super) enum Step {
    /// Write a file that is not there, or put it into the place of an older one of ours, whose text is `before`.
    Write { path: PathBuf, text: String, modes: (u32, u32), before: Option<String> },
    /// Remove a file of ours.
    Remove(PathBuf),
    /// Leave a file as it is.
    Keep(PathBuf, &'static str),
    /// Make a key for the sealed file.
    MakeKey { path: PathBuf, modes: (u32, u32) },
    /// Have the daemon check its config.
    Check,
    /// Revoke everything.
    Drain,
    /// Have the system run the daemon, or no longer.
    Work(Work),
    /// Say something.
    Say(String),
}

/// A step as it is shown.
#[derive(Debug, Serialize)]
pub(super) struct Shown {
    /// What kind of step it is.
    step: &'static str,
    /// What it is about.
    about: String,
    /// A file's text, beforehand.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// In words.
    #[serde(skip)]
    words: String,
}

impl Step {
    /// What it would do.
    pub(super) fn preview(&self) -> Shown {
        let (step, [would, _]) = self.words();
        let text = match self {
            Self::Write { text, .. } => Some(text.clone()),
            _ => None,
        };
        Shown { step, about: self.about(), text, words: would.to_owned() }
    }

    /// Does it, and gives back what it has done.
    ///
    /// # Errors
    /// Why it could not be done; what was done before it stays.
    pub(super) fn carry_out(&self, context: &Context) -> Result<Shown, Failure> {
        self.act(context)?;
        let (step, [_, did]) = self.words();
        Ok(Shown { step, about: self.about(), text: None, words: did.to_owned() })
    }

    fn act(&self, context: &Context) -> Result<(), Failure> {
        let failed = |what: &str, path: &Path, error: io::Error| {
            Failure::new("setup", format!("cannot {what} {}: {error}", path.display()), FAILED)
        };
        match self {
            Self::Write { path, text, modes, before } => {
                let written = write(path, text, *modes, before.is_some());
                written.map_err(|error| failed("write", path, error))
            }
            Self::Remove(path) => fs::remove_file(path).map_err(|e| failed("remove", path, e)),
            Self::MakeKey { path, modes: (_, folder) } => {
                make_parents(path, *folder).map_err(|error| failed("write", path, error))?;
                let mut command = Command::new(launch::program());
                command.arg("--make-key").arg(path);
                let ended = program::run(command, KEY_WITHIN)?;
                match ended.status.success() {
                    true => Ok(()),
                    false => Err(Failure::new("setup", ended.complaint(), FAILED)),
                }
            }
            Self::Check => launch::check_config(context),
            Self::Drain => drain(context),
            Self::Work(work) => work.carry_out(context),
            Self::Keep(..) | Self::Say(_) => Ok(()),
        }
    }

    /// Takes back a file that was written just now; whether it was one, and is as it was.
    pub(super) fn undo(&self) -> bool {
        match self {
            Self::Write { path, before: None, .. } | Self::MakeKey { path, .. } => {
                fs::remove_file(path).is_ok()
            }
            Self::Write { path, modes, before: Some(before), .. } => {
                write(path, before, *modes, true).is_ok()
            }
            _ => false,
        }
    }

    /// Its kind, and its words before and after.
    fn words(&self) -> (&'static str, [&'static str; 2]) {
        match self {
            Self::Write { before: None, .. } => ("write", ["would write", "wrote"]),
            Self::Write { .. } => ("update", ["would update", "updated"]),
            Self::Remove(_) => ("remove", ["would remove", "removed"]),
            Self::Keep(..) => ("keep", ["would keep", "kept"]),
            Self::MakeKey { .. } => ("make-key", ["would make the key", "made the key"]),
            Self::Check => ("check", ["would check", "checked"]),
            Self::Drain => ("drain", ["would revoke", "revoked"]),
            Self::Work(work) => work.words(),
            Self::Say(_) => ("say", ["", ""]),
        }
    }

    fn about(&self) -> String {
        match self {
            Self::Write { path, .. } | Self::Remove(path) | Self::MakeKey { path, .. } => {
                path.display().to_string()
            }
            Self::Keep(path, why) => format!("{} ({why})", path.display()),
            Self::Check => "the config".to_owned(),
            Self::Drain => "every session".to_owned(),
            Self::Work(work) => work.about(),
            Self::Say(text) => text.clone(),
        }
    }
}

impl Shown {
    /// As text, with a file's own indented below it.
    pub(super) fn line(&self) -> String {
        let mut line = format!("{} {}", self.words, self.about).trim_start().to_owned();
        for text in self.text.iter().flat_map(|text| text.lines()) {
            line.push_str("\n    ");
            line.push_str(&printable(text));
        }
        line.push('\n');
        line
    }
}

/// A new file is made only where there is none; an older one of ours is replaced as a whole.
fn write(path: &Path, text: &str, modes: (u32, u32), replaces: bool) -> io::Result<()> {
    let (mode, folder) = modes;
    make_parents(path, folder)?;
    let draft = path.with_extension("securid-setup");
    let target = if replaces { &*draft } else { path };
    let mut file = with_mode(OpenOptions::new().write(true).create_new(true), mode).open(target)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    let placed = written.and_then(|()| if replaces { fs::rename(target, path) } else { Ok(()) });
    placed.inspect_err(|_| {
        // Half a file of ours would be taken for a person's.
        let _ = fs::remove_file(target);
    })
}

/// Whoever has the sessions is asked to end them; the daemon's own program knows how.
fn drain(context: &Context) -> Result<(), Failure> {
    let mut command = context.daemon_command();
    command.args(["--log", "off", "--drain", "--timeout", DRAIN]);
    let ended = program::run(command, DRAIN_WITHIN)?;
    if ended.status.success() {
        return nothing_elsewhere(context);
    }
    let said = ended.complaint().replace("securid-sessiond: ", "");
    let (code, exit) = match ended.status.code() {
        Some(75) => ("pending", PENDING),
        _ => ("drain", FAILED),
    };
    Err(Failure::new(code, format!("{said}\nnothing was removed"), exit)
        .with_hint(
            "securid-ctl list shows it, and has the daemon go on with it: run this again then. For a server \
             that never comes back there is securid-ctl forget.",
        ))
}

/// The unit's state folder may be another than this shell's (`XDG_STATE_HOME`), where nothing is recorded.
fn nothing_elsewhere(context: &Context) -> Result<(), Failure> {
    let sessions = match launch::answering(context) {
        Ok(None) => return Ok(()),
        Ok(Some(status)) => status.sessions,
        // With a bad config a daemon says how it is only as long as something is recorded.
        Err(_) if launch::check_config(context).is_err() => return Ok(()),
        Err(failure) => return Err(failure),
    };
    let left = sessions.adding + sessions.active + sessions.revoking;
    if left == 0 {
        return Ok(());
    }
    let what = format!("sessions in another state folder than this shell's: {left}");
    Err(Failure::new("pending", format!("{what}\nnothing was removed"), PENDING)
        .with_hint("Revoke them first, with securid-ctl logout; then run this again."))
}
