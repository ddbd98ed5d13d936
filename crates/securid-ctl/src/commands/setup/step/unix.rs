//! Modes of new files and folders.

use std::{
    fs::{DirBuilder, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
};

pub(super) fn with_mode(options: &mut OpenOptions, mode: u32) -> &mut OpenOptions {
    options.mode(mode)
}

pub(super) fn make_parents(path: &Path, mode: u32) -> io::Result<()> {
    path.parent()
        .map_or(Ok(()), |folder| DirBuilder::new().recursive(true).mode(mode).create(folder))
}
