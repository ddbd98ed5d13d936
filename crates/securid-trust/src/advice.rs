//! What a person runs so that a file is as it should be, as the end of a sentence: `run …`.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

pub use system::{
    ROOT, make_file_private, make_folder_private, make_it_roots, shut_writers_out,
    shut_writers_out_of_it, take_it, take_it_over,
};
pub(crate) use system::{give_to, give_to_root, nobody_replaces};
