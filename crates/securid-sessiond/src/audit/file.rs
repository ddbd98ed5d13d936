//! The audit as a file: lines are only ever added, and whoever rotates it needs to tell nobody.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use securid_trust::{is_writable_by_others, real_path};

use super::line::Line;

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
    /// Device and inode, to notice that it was moved away.
    identity: (u64, u64),
}

/// Whether lines could be written there, as far as one can tell without writing.
///
/// # Errors
/// What is wrong, and what to do.
pub(crate) fn check(path: &Path) -> Result<(), String> {
    real_path(path).map_err(|untrusted| untrusted.to_string())?;
    match fs::symlink_metadata(path) {
        Ok(about) => suitable(&about),
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
fn suitable(about: &Metadata) -> Result<(), String> {
    let me = rustix::process::geteuid().as_raw();
    if about.is_symlink() {
        Err("it is a symbolic link: name the file itself".to_owned())
    } else if !about.is_file() {
        Err("it is no regular file: name another one".to_owned())
    } else if about.uid() != me {
        let owner = about.uid();
        Err(format!(
            "it belongs to uid {owner}, and this is uid {me}: name another one, or chown it"
        ))
    } else if is_writable_by_others(about) {
        Err("others can write it: run chmod go-w on it".to_owned())
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
        let there = fs::symlink_metadata(&self.path).ok();
        if there.is_none_or(|about| identity(&about) != open.identity) {
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
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true).mode(0o600).custom_flags(flags);
    let mut file = options.open(path).map_err(|error| hint(&error))?;
    let about = file.metadata().map_err(|error| hint(&error))?;
    suitable(&about)?;
    if about.len() == 0 {
        // That its name outlives a power cut. A folder that we may not read cannot be synced by us.
        let _ = path.parent().map(|folder| File::open(folder).and_then(|f| f.sync_all()));
    } else if !ends_with_newline(&mut file).map_err(|error| hint(&error))? {
        // What a crash cut off stays a (damaged) line of its own.
        file.write_all(b"\n").map_err(|error| hint(&error))?;
    }
    Ok(Open { file, identity: identity(&about) })
}

fn identity(about: &Metadata) -> (u64, u64) {
    (about.dev(), about.ino())
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
        io::ErrorKind::ReadOnlyFilesystem => {
            "Mount that file system for writing, or let the unit's sandbox write there."
        }
        io::ErrorKind::PermissionDenied => "Let the daemon's user write there.",
        _ => "Look after its disk.",
    };
    format!("{error}. {hint}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::{PermissionsExt, symlink};

    use tempfile::TempDir;

    use super::*;

    fn folder() -> (TempDir, AuditFile) {
        let folder = tempfile::tempdir().unwrap();
        let file = AuditFile::new(folder.path().join("audit.jsonl"));
        (folder, file)
    }

    fn written(path: &Path) -> Vec<String> {
        fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn lines_are_added_for_our_eyes_only() {
        let (folder, mut file) = folder();
        let lines = [Line::gap(0, 1), Line::gap(0, 2)];
        assert_eq!(file.write(&lines), (2, Ok(())));
        let (path, _) = (file.path.clone(), drop(file));
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(AuditFile::new(path.clone()).write(&lines[..1]), (1, Ok(())));
        let texts = [&lines[0], &lines[1], &lines[0]].map(Line::json);
        assert_eq!(written(&path), texts);
        drop(folder);
    }

    #[test]
    fn a_torn_line_stays_alone() {
        let (_folder, mut file) = folder();
        fs::write(&file.path, "{\"v\":1,\"ti").unwrap();
        fs::set_permissions(&file.path, fs::Permissions::from_mode(0o640)).unwrap();
        assert_eq!(file.write(&[Line::gap(0, 1)]), (1, Ok(())));
        let torn = "{\"v\":1,\"ti".to_owned();
        assert_eq!(written(&file.path), [torn, Line::gap(0, 1).json()]);
    }

    #[test]
    fn a_file_that_was_moved_away_is_left() {
        let (folder, mut file) = folder();
        assert_eq!(file.write(&[Line::gap(0, 1)]), (1, Ok(())));
        let old = folder.path().join("audit.jsonl.1");
        fs::rename(&file.path, &old).unwrap();
        assert_eq!(file.write(&[Line::gap(0, 2)]), (1, Ok(())));
        assert_eq!(written(&old), [Line::gap(0, 1).json()]);
        assert_eq!(written(&file.path), [Line::gap(0, 2).json()]);
    }

    #[test]
    fn what_is_not_ours_is_refused_with_words() {
        let (folder, mut file) = folder();
        let path = file.path.clone();
        let mut refused = |word: &str| {
            let (lines, result) = file.write(&[Line::gap(0, 1)]);
            let why = result.unwrap_err();
            assert!(lines == 0 && why.contains(word), "{why}");
            let why = check(&path).unwrap_err();
            assert!(why.contains(word), "{why}");
        };
        let target = folder.path().join("target");
        fs::write(&target, "").unwrap();
        symlink(&target, &path).unwrap();
        refused("symbolic link");
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        refused("no regular file");
        fs::remove_dir(&path).unwrap();
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        refused("others can write it");
        let lost = folder.path().join("none/audit.jsonl");
        assert!(check(&lost).unwrap_err().contains("there is no folder"));
        assert_eq!(fs::read(target).unwrap(), b"");
    }
}
