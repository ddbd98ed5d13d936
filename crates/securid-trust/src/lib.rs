//! Whether anybody but root and us can put something into the place of a file of ours.
//!
//! - `owner`: who counts as root, and what others may write;
//! - `path`: [`real_path`], which looks at every folder and link on the way to a file;
//! - [`folder`]: folders that are ours alone;
//! - `file`: [`open`] and [`open_of_root`], for files that must not be swapped.
//!
//! A path is looked at from the top down. A folder that was found good can be changed by root and us alone,
//! and so can what is in it: so nobody else can change what was looked at between the look and the use, and
//! paths do instead of open handles. Root is trusted with everything, and so is whom root lets write into
//! a folder of his by its group.
//!
//! It knows no other crate of this project.

mod file;
pub mod folder;
mod owner;
mod path;

pub use file::{OpenError, open, open_of_root};
pub use owner::{is_root, is_trusted, is_writable_by_others};
pub use path::{Untrusted, real_path, real_path_of_root};
