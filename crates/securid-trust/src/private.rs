//! The list of what is ours alone, on Windows.

use std::io;

use securid_windows::{descriptor::Descriptor, sid::this_user};

/// What is made in a folder has its list too.
pub(crate) const OF_A_FOLDER: &str = "OICI";

/// Nothing is made in a file.
pub(crate) const OF_A_FILE: &str = "";

/// Ours; we, the system and the administrators may do everything with it, and nobody else anything, whatever the folder
/// above says.
pub(crate) fn descriptor(inherit: &str) -> io::Result<Descriptor> {
    let us = this_user()?;
    let entries =
        [us.to_string().as_str(), "SY", "BA"].map(|who| format!("(A;{inherit};FA;;;{who})"));
    Descriptor::of(&format!("O:{us}D:P{}", entries.concat()))
}
