//! Files as Windows has them.
//!
//! What we make has a list of its own of who may do what (`securid-trust`).
//!
//! - What is open elsewhere: scanners, indexers and backups hold files open for a moment, and what they hold can
//!   often not be opened, replaced or removed meanwhile. Such a refusal is tried again for a while ([`patiently`]). Our own
//!   readers let others rename and remove what they have open, as `File::open` does by default.
//! - Power cuts: NTFS keeps a journal of its names, so after a cut a rename was done or was not, and never by halves; when
//!   it reaches the disk, nobody says. `FlushFileBuffers` does: of a handle it writes the data and "all pending metadata
//!   changes", and has the disk empty its cache (`NtFlushBuffersFileEx` in the WDK, which takes folders as well; for shares
//!   MS-SMB2 3.3.5.11 names the rights that a folder's handle needs). So the file is flushed before it is renamed, and the
//!   folder after it. `MOVEFILE_WRITE_THROUGH` is documented only for what is copied and deleted.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::os::windows::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// `FILE_FLAG_BACKUP_SEMANTICS`: folders open as well.
const FOLDERS_TOO: u32 = 0x0200_0000;

/// `FILE_FLAG_OPEN_REPARSE_POINT`: a link is opened itself.
const LINKS_TOO: u32 = 0x0020_0000;

/// `ERROR_ACCESS_DENIED` (also of what is deleted and still open somewhere), `ERROR_SHARING_VIOLATION`,
/// `ERROR_LOCK_VIOLATION`, `ERROR_USER_MAPPED_FILE`.
const HELD_ELSEWHERE: [i32; 4] = [5, 32, 33, 1224];

/// Scanners let go within some tenths of a second; a reply has to be out within 5 s.
const PATIENCE: Duration = Duration::from_secs(1);

/// Often enough that the wait is hardly longer than the hold.
const PAUSE: Duration = Duration::from_millis(10);

/// Opens a file, or makes it, ours alone, to read its end and to add to it. Not with `append`, which takes the right to cut
/// off again what was half written; whoever reads its last byte stands at its end.
pub(super) fn open_to_append(path: &Path) -> io::Result<File> {
    open_ours(path)
}

/// Opens a file, or makes it, ours alone, as it is, to be locked and written to.
pub(crate) fn open_to_lock(path: &Path) -> io::Result<File> {
    open_ours(path)
}

fn open_ours(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    match patiently(|| options.open(path)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        opened => return opened,
    }
    match securid_trust::create_new(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    patiently(|| options.open(path))
}

/// Opens whatever is there to read it.
pub(super) fn open_anything(path: &Path) -> io::Result<File> {
    patiently(|| File::open(path))
}

/// The same, but a link is not followed: it opens as what it is.
pub(super) fn open_unfollowed(path: &Path) -> io::Result<File> {
    patiently(|| OpenOptions::new().read(true).custom_flags(LINKS_TOO).open(path))
}

/// Gives a file another name, in place of whatever has that name.
pub(super) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    patiently(|| fs::rename(from, to))
}

/// Removes a file.
pub(super) fn remove_file(path: &Path) -> io::Result<()> {
    patiently(|| fs::remove_file(path))
}

/// Writes the names in a folder to the disk.
pub(super) fn flush_folder(path: &Path) -> io::Result<()> {
    patiently(|| OpenOptions::new().write(true).custom_flags(FOLDERS_TOO).open(path))?.sync_all()
}

/// Does something again, for a while, that fails because somebody else has the file open.
pub(super) fn patiently<T>(mut work: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    let until = Instant::now() + PATIENCE;
    loop {
        match work() {
            Err(error) if is_held_elsewhere(&error) && Instant::now() < until => {
                thread::sleep(PAUSE);
            }
            done => return done,
        }
    }
}

fn is_held_elsewhere(error: &io::Error) -> bool {
    error.raw_os_error().is_some_and(|code| HELD_ELSEWHERE.contains(&code))
}

/// What tells one version of a file from another without reading it. Times alone do not: the clock of a file system is
/// coarse, and a new file under an old name gets the old one's time of creation.
#[derive(PartialEq, Eq)]
pub(crate) struct Stamp([u64; 2], [u64; 3]);

impl Stamp {
    /// That of an open file, of which this is known.
    pub(crate) fn of(file: &File, about: &Metadata) -> io::Result<Self> {
        let numbers = [about.file_size(), about.creation_time(), about.last_write_time()];
        Ok(Self(securid_windows::file::identity(file)?, numbers))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::Read;

    use super::*;

    /// A scanner that lets nobody else at a file has gone soon; then it is replaced, and removed.
    #[test]
    fn what_is_held_for_a_moment_is_waited_for() {
        let home = tempfile::tempdir().unwrap();
        let (new, old) = (home.path().join("new"), home.path().join("old"));
        for act in [rename as fn(&Path, &Path) -> io::Result<()>, |_, old| remove_file(old)] {
            fs::write(&new, "new").unwrap();
            fs::write(&old, "old").unwrap();
            let held = OpenOptions::new().read(true).share_mode(0).open(&old).unwrap();
            let scanner = thread::spawn(move || {
                thread::sleep(Duration::from_millis(200));
                drop(held);
            });
            act(&new, &old).unwrap();
            scanner.join().unwrap();
        }
        assert!(new.exists() && !old.exists());
    }

    /// A folder that a scanner goes through is flushed once it lets go.
    #[test]
    fn a_folder_that_is_held_for_a_moment_is_waited_for() {
        let home = tempfile::tempdir().unwrap();
        let mut alone = OpenOptions::new();
        let held = alone.read(true).share_mode(0).custom_flags(FOLDERS_TOO).open(home.path());
        let held = held.unwrap();
        let scanner = thread::spawn(move || {
            thread::sleep(Duration::from_millis(200));
            drop(held);
        });
        flush_folder(home.path()).unwrap();
        scanner.join().unwrap();
    }

    /// What is held for good is told, and hangs nobody.
    #[test]
    fn what_stays_held_is_an_error() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("file");
        let _held =
            OpenOptions::new().write(true).create_new(true).share_mode(0).open(&path).unwrap();
        let began = Instant::now();
        assert_eq!(open_anything(&path).unwrap_err().raw_os_error(), Some(32));
        assert!(began.elapsed() < 5 * PATIENCE, "{:?}", began.elapsed());
    }

    #[test]
    fn a_version_of_a_file_has_a_stamp_of_its_own() {
        let home = tempfile::tempdir().unwrap();
        let (new, old) = (home.path().join("new"), home.path().join("old"));
        let stamp = |path: &Path| {
            let file = open_anything(path).unwrap();
            Stamp::of(&file, &file.metadata().unwrap()).unwrap()
        };
        fs::write(&old, "same").unwrap();
        let before = stamp(&old);
        assert!(before == stamp(&old));
        fs::write(&new, "same").unwrap();
        rename(&new, &old).unwrap();
        flush_folder(home.path()).unwrap();
        assert!(before != stamp(&old));
        let mut text = String::new();
        open_unfollowed(&old).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "same");
    }
}
