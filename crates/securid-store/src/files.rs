//! Durable writing: the one place through which records, history and whatever else must survive a
//! power cut go to disk. Each step is told to [`crash`], so that tests can
//! die after it, or drop what a power cut would drop. What a system has of its own is in `files/`.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use securid_trust::folder::{self, FolderError};

use crate::crash::{self, FileOp};
use crate::disk::DiskError;
#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

pub(crate) use system::{Stamp, open_to_lock};

/// Makes a folder (0700, parents too) unless it is there, so that it survives a power cut, and checks
/// that nobody else can put anything into it, look at what is there, or put another in its place.
pub(crate) fn own_folder(path: &Path) -> Result<(), DiskError> {
    if path.is_dir() {
        make_folder_durable(path);
    }
    find_own_folder(path)
}

/// The same, but for a folder that is there already: whether its own name survives is not seen to.
pub(crate) fn find_own_folder(path: &Path) -> Result<(), DiskError> {
    make_folder(path)?;
    folder::check_private(path).map_err(|error| match error {
        FolderError::Look { path, source } => DiskError::new("look at", &path, &source),
        unsafe_one => DiskError::refused(path, unsafe_one.to_string()),
    })
}

/// Has the name of a folder that is there survive a power cut. If that cannot be done, the folder above is not ours,
/// and nor was making this one.
pub(crate) fn make_folder_durable(path: &Path) {
    if let Some(parent) = parent(path) {
        let _ = sync_folder(parent, "state");
    }
}

fn make_folder(path: &Path) -> Result<(), DiskError> {
    if path.is_dir() {
        return Ok(());
    }
    let Some(parent) = parent(path) else { return Ok(()) };
    if parent.is_dir() {
        make_folder_durable(parent);
    }
    make_folder(parent)?;
    match folder::make_one(path) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => {
            return Err(DiskError::new("make", path, &e));
        }
        _ => crash::did("state", FileOp::MakeFolder { path }),
    }
    sync_folder(parent, "state")
}

fn parent(path: &Path) -> Option<&Path> {
    let parent = path.parent()?;
    Some(if parent.as_os_str().is_empty() { Path::new(".") } else { parent })
}

/// Puts `bytes` into the place of `name`: after this, and after a power cut too, there is either what
/// was there before or all of it, once the folder is synced as well ([`sync_folder`]). `what` names
/// the crash points.
///
/// This is what `atomic-write-file` does, but that crate syncs the folder with every file, and we
/// sync it once for many.
pub(crate) fn replace(
    folder: &Path,
    name: &str,
    temporary: &str,
    bytes: &[u8],
    what: &str,
) -> Result<(), DiskError> {
    replace_with(folder, name, temporary, what, |out| out.write_all(bytes))
}

/// The same with what `write` writes, for what is too much to be held in memory.
pub(crate) fn replace_with(
    folder: &Path,
    name: &str,
    temporary: &str,
    what: &str,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), DiskError> {
    let (temporary, target) = (folder.join(temporary), folder.join(name));
    // What a crash left under this name may have other permissions, or be a link.
    let written = remove(&temporary, what)
        .and_then(|()| write_new_with(&temporary, what, write))
        .and_then(|()| rename(&temporary, &target, what))
        .map_err(|e| DiskError::new("write", &target, &e));
    if written.is_err() {
        // On a full disk the remains would be in the way of the next try.
        let _ = remove(&temporary, what);
    }
    written
}

/// Writes a file (0600) under a name that is free, so that it survives a power cut once its folder is
/// synced as well: all of it, or none.
pub(crate) fn write_new(path: &Path, bytes: &[u8], what: &str) -> io::Result<()> {
    write_new_with(path, what, |out| out.write_all(bytes))
}

/// The same with what `write` writes.
pub(crate) fn write_new_with(
    path: &Path,
    what: &str,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let file = system::patiently(|| securid_trust::create_new(path))?;
    crash::did(what, FileOp::Create { path });
    let mut out = BufWriter::with_capacity(BLOCK, Told { file: &file, path, what });
    let written = write(&mut out).and_then(|()| out.flush()).and_then(|()| sync(&file, path, what));
    // What it has not written by now is not to be written when it is dropped.
    drop(out.into_parts());
    if written.is_err() {
        // What is half written must not be taken for the whole.
        let _ = remove(path, what);
    }
    written
}

/// How much is written at once: a record in one piece, and a long file without much memory.
const BLOCK: usize = 64 * 1024;

/// A file of which each write is told to [`crash`].
struct Told<'a> {
    file: &'a File,
    path: &'a Path,
    what: &'a str,
}

impl Write for Told<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        let bytes = &bytes[..written];
        crash::did(self.what, FileOp::Append { path: self.path, bytes });
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Adds whole lines to a file, which is made (0600) if it is not there: all of them, or (as far as the
/// disk allows) none. If `synced` they survive a power cut, once the folder is synced as well if the
/// file is new.
pub(crate) fn append(path: &Path, lines: &[u8], synced: bool, what: &str) -> io::Result<()> {
    let is_new = !path.try_exists()?;
    let mut file = system::open_to_append(path)?;
    if is_new {
        crash::did(what, FileOp::Create { path });
    }
    let before = file.seek(SeekFrom::End(0))?;
    let mut text = Vec::with_capacity(lines.len() + 1);
    if before > 0 && !ends_with_newline(&mut file)? {
        // The remains of a write that was cut off: they stay a (damaged) line of their own.
        text.push(b'\n');
    }
    text.extend_from_slice(lines);
    let written = file.write_all(&text).and_then(|()| {
        crash::did(what, FileOp::Append { path, bytes: &text });
        if synced { sync(&file, path, what) } else { Ok(()) }
    });
    if let Err(error) = written {
        // If that fails too, the next append deals with the rest.
        if file.set_len(before).is_ok() {
            crash::did(what, FileOp::Cut { path, len: before });
        }
        return Err(error);
    }
    Ok(())
}

/// Takes everything behind the first `len` bytes of a file away. That may come back with a power cut.
pub(crate) fn cut(path: &Path, len: u64, what: &str) -> io::Result<()> {
    system::patiently(|| OpenOptions::new().write(true).open(path))?.set_len(len)?;
    crash::did(what, FileOp::Cut { path, len });
    Ok(())
}

fn ends_with_newline(file: &mut File) -> io::Result<bool> {
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

fn sync(file: &File, path: &Path, what: &str) -> io::Result<()> {
    file.sync_all()?;
    crash::did(what, FileOp::Sync { path });
    Ok(())
}

/// A name like this one that is free in this folder.
pub(crate) fn free_name(folder: &Path, name: &str) -> Result<String, DiskError> {
    let numbered = |n| if n == 0 { name.to_owned() } else { format!("{name}.{n}") };
    let is_free = |name: &String| fs::symlink_metadata(folder.join(name)).is_err();
    let full = || DiskError::refused(folder, "it is full of files".to_owned());
    (0_u32..).map(numbered).find(is_free).ok_or_else(full)
}

/// Gives a file another name, in place of whatever has that name.
pub(crate) fn rename(from: &Path, to: &Path, what: &str) -> io::Result<()> {
    system::rename(from, to)?;
    crash::did(what, FileOp::Rename { from, to });
    Ok(())
}

/// Removes a file; it is fine if there is none.
pub(crate) fn remove(path: &Path, what: &str) -> io::Result<()> {
    match system::remove_file(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(e),
        Ok(()) => {
            crash::did(what, FileOp::Remove { path });
            Ok(())
        }
    }
}

/// Makes the names in a folder (new, renamed, removed) survive a power cut.
pub(crate) fn sync_folder(path: &Path, what: &str) -> Result<(), DiskError> {
    system::flush_folder(path).map_err(|e| DiskError::new("sync", path, &e))?;
    crash::did(what, FileOp::SyncFolder { path });
    Ok(())
}

/// Opens a file to read it; what is no regular file is an error, and a FIFO hangs nobody.
pub(crate) fn open_regular(path: &Path) -> io::Result<(File, Metadata)> {
    let file = system::open_anything(path)?;
    let about = file.metadata()?;
    if about.is_file() { Ok((file, about)) } else { Err(io::Error::other("it is no regular file")) }
}

/// The whole of a file, or `None` if it is longer than `limit` bytes, or no regular file: a link is none either.
pub(crate) fn read_regular(path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let file = match system::open_unfollowed(path) {
        Ok(file) => file,
        // Links, and sockets, do not even open.
        Err(_) if fs::symlink_metadata(path).is_ok_and(|about| !about.is_file()) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let about = file.metadata()?;
    if !about.is_file() || about.len() > limit {
        return Ok(None);
    }
    // A little more than it has, so that one read takes it all and the next one sees its end.
    let room = usize::try_from(about.len()).unwrap_or(0) + 64;
    let mut bytes = Vec::with_capacity(room);
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= limit).then_some(bytes))
}

/// Opens a file of ours to read it.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    system::patiently(|| File::open(path))
}

/// The whole of a file, or `None` if it is longer than `limit` bytes.
pub(crate) fn read_at_most(path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    open(path)?.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= limit).then_some(bytes))
}
