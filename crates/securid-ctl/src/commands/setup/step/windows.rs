//! New files and folders are for whom the folder above lets in: of a user's own, himself and administrators.

use std::{
    fs::{self, OpenOptions},
    io,
    path::Path,
};

pub(super) fn with_mode(options: &mut OpenOptions, _: u32) -> &mut OpenOptions {
    options
}

pub(super) fn make_parents(path: &Path, _: u32) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)
}
