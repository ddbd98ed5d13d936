//! The audit as a file: lines are only ever added, and whoever rotates it needs to tell nobody.

#[cfg(test)]
mod tests;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use securid_trust::{Standing, advice, open_to_append, real_path, us};

use super::line::Line;
use crate::words;
#[cfg(unix)]
use unix::{Identity, identity, identity_at, sync_name};
#[cfg(windows)]
use windows::{Identity, identity, identity_at, sync_name};

/// A file, made (0600) when it is needed.
pub(super) struct AuditFile {
    path: PathBuf,
    open: Option<Open>,
    /// How much of the next line stands in it already: a disk that is full takes a part.
    begun: usize,
    unsynced: bool,
}

struct Open {
    file: File,
    /// To notice that it was moved away.
    identity: Identity,
}

/// Whether lines could be written there, as far as one can tell without writing.
///
/// # Errors
/// What is wrong, and what to do.
pub(crate) fn check(path: &Path) -> Result<(), String> {
    real_path(path).map_err(|untrusted| untrusted.to_string())?;
    match Standing::at(path) {
        Ok(about) => suitable(path, &about),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let folder = path.parent().unwrap_or(path);
            if folder.is_dir() { Ok(()) } else { Err(no_folder(folder)) }
        }
        Err(error) => Err(format!("cannot be looked at: {error}")),
    }
}

fn no_folder(folder: &Path) -> String {
    format!("there is no folder {}: make it, for the daemon's user alone", folder.display())
}

/// Whether what is there is ours to add to.
fn suitable(path: &Path, about: &Standing) -> Result<(), String> {
    if about.metadata().is_symlink() {
        Err("it is a symbolic link: name the file itself".to_owned())
    } else if !about.metadata().is_file() {
        Err("it is no regular file: name another one".to_owned())
    } else if !about.is_ours() {
        let (owner, us, advice) = (about.owner(), us(), advice::take_it_over(path));
        Err(format!("it belongs to {owner}, and this is {us}: name another one, or {advice}"))
    } else if about.is_writable_by_others() {
        Err(format!("others can write it: run {}", advice::shut_writers_out_of_it(path)))
    } else {
        Ok(())
    }
}

impl AuditFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, open: None, begun: 0, unsynced: false }
    }

    pub(super) fn is_unsynced(&self) -> bool {
        self.unsynced
    }

    /// Adds lines, and syncs if one of them may be a session's last.
    pub(super) fn write(&mut self, lines: &[Line]) -> (usize, Result<(), String>) {
        let mut whole = 0;
        let result = self.try_write(lines, &mut whole);
        let path = self.path.display();
        (whole, result.map_err(|why| format!("the audit cannot be written to {path}: {why}")))
    }

    fn try_write(&mut self, lines: &[Line], whole: &mut usize) -> Result<(), String> {
        self.leave_if_moved()?;
        if self.open.is_none() {
            self.open = Some(open(&self.path)?);
            self.begun = 0;
        }
        let Some(open) = &self.open else { return Ok(()) };
        let texts: Vec<String> = lines.iter().map(|line| line.json() + "\n").collect();
        let bytes = texts.concat().into_bytes();
        let (done, result) = add(&open.file, &bytes, self.begun);
        let mut end = 0;
        for (line, text) in lines.iter().zip(&texts) {
            if end + text.len() > done {
                break;
            }
            end += text.len();
            *whole += 1;
            self.unsynced |= line.happening.may_end();
        }
        self.begun = done - end;
        result.and_then(|()| self.sync())
    }

    /// Whoever moved it away keeps what was written so far.
    fn leave_if_moved(&mut self) -> Result<(), String> {
        let Some(open) = &self.open else { return Ok(()) };
        if identity_at(&self.path).ok() != Some(open.identity) {
            self.sync()?;
            self.open = None;
        }
        Ok(())
    }

    fn sync(&mut self) -> Result<(), String> {
        if self.unsynced
            && let Some(open) = &self.open
        {
            open.file.sync_all().map_err(|error| hint(&error))?;
        }
        self.unsynced = false;
        Ok(())
    }
}

/// Opens it, makes it if it is not there, and sees to it that the next line is one by itself.
fn open(path: &Path) -> Result<Open, String> {
    check(path)?;
    // A file may have come since; a pipe without a reader must not hang us, nor a link lead us.
    let mut file = open_to_append(path).map_err(|error| hint(&error))?;
    let standing = Standing::of(&file).map_err(|error| hint(&error))?;
    suitable(path, &standing)?;
    let about = standing.metadata();
    if about.len() == 0 {
        // That its name outlives a power cut. A folder that we may not read cannot be synced by us.
        path.parent().map(sync_name);
    } else if !ends_with_newline(&mut file).map_err(|error| hint(&error))? {
        // What a crash cut off stays a (damaged) line of its own.
        file.write_all(b"\n").map_err(|error| hint(&error))?;
    }
    Ok(Open { identity: identity(&file).map_err(|error| hint(&error))?, file })
}

fn ends_with_newline(file: &mut File) -> io::Result<bool> {
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

/// Writes all from there on. Gives back how far it came, and why no further.
fn add(mut file: &File, bytes: &[u8], from: usize) -> (usize, Result<(), String>) {
    let mut done = from;
    while let Some(rest) = bytes.get(done..).filter(|rest| !rest.is_empty()) {
        match file.write(rest) {
            Ok(0) => return (done, Err("it takes nothing. Look after its disk.".to_owned())),
            Ok(some) => done += some,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (done, Err(hint(&error))),
        }
    }
    (done, Ok(()))
}

/// What happened, and what to do.
fn hint(error: &io::Error) -> String {
    let hint = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "Make room there.",
        io::ErrorKind::ReadOnlyFilesystem => words::AUDIT_READ_ONLY,
        io::ErrorKind::PermissionDenied => "Let the daemon's user write there.",
        _ => "Look after its disk.",
    };
    format!("{error}. {hint}")
}
