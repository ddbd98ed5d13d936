//! Whether anybody but root and us can put something into the place of a file of ours.
//!
//! - [`Standing`]: whose something is, who counts as root, and what others may write;
//! - `path`: [`real_path`], which looks at every folder and link on the way to a file;
//! - [`folder`]: folders that are ours alone;
//! - `file`: [`open`] and [`open_of_root`], for files that must not be swapped; new ones that are ours alone;
//! - [`advice`]: what a person runs to mend it; `private`: the list of rights of what is ours alone, on Windows.
//!
//! What differs from system to system stands in files that are named for them.
//!
//! A path is looked at from the top down. A folder that was found good can be changed by root and us alone,
//! and so can what is in it: so nobody else can change what was looked at between the look and the use, and
//! paths do instead of open handles. Root is trusted with everything, and so is whom root lets write into
//! a folder of his by its group.
//!
//! It knows no other crate of this project.

pub mod advice;
mod file;
pub mod folder;
mod path;
#[cfg(windows)]
mod private;
mod standing;

pub use file::{OpenError, create_new, open, open_of_root, open_to_append};
pub use path::{Untrusted, real_path, real_path_of_root};
pub use standing::{Access, Owner, Standing, us};
