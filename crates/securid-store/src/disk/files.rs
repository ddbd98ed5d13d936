//! Durable writing: what the two kinds of files have in common.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use super::error::DiskError;

/// Makes a folder (0700, parents too) unless it is there, and checks that nobody else can put
/// anything into it or look at what is there.
pub(super) fn own_folder(path: &Path) -> Result<(), DiskError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|e| DiskError::new("make", path, &e))?;
    let about = fs::metadata(path).map_err(|e| DiskError::new("look at", path, &e))?;
    let me = rustix::process::geteuid().as_raw();
    if about.uid() != me {
        let cause = format!("it belongs to uid {}, and this is uid {me}", about.uid());
        return Err(DiskError::refused(path, cause));
    }
    if about.mode() & 0o077 != 0 {
        let cause = format!("it is open to others (mode {:o})", about.mode() & 0o7777);
        return Err(DiskError::refused(path, cause));
    }
    Ok(())
}

/// Puts `bytes` into the place of `name`: after this, and after a power cut too, there is either what
/// was there before or all of it, once the folder is synced as well ([`sync_folder`]).
///
/// This is what `atomic-write-file` does, but that crate syncs the folder with every file, and we
/// sync it once for many.
pub(super) fn replace(
    folder: &Path,
    name: &str,
    temporary: &str,
    bytes: &[u8],
) -> Result<(), DiskError> {
    let (temporary, target) = (folder.join(temporary), folder.join(name));
    let written = write_and_sync(&temporary, bytes)
        .and_then(|()| fs::rename(&temporary, &target))
        .map_err(|e| DiskError::new("write", &target, &e));
    if written.is_err() {
        // On a full disk the remains would be in the way of the next try.
        let _ = fs::remove_file(&temporary);
    }
    written
}

fn write_and_sync(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // What a crash left under this name may have other permissions, or be a link.
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes the names in a folder (new, renamed, removed) survive a power cut.
pub(super) fn sync_folder(path: &Path) -> Result<(), DiskError> {
    File::open(path).and_then(|f| f.sync_all()).map_err(|e| DiskError::new("sync", path, &e))
}

/// The whole of a file, or `None` if it is longer than `limit` bytes.
pub(super) fn read_at_most(path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= limit).then_some(bytes))
}
