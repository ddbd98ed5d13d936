//! Names that Windows keeps for devices, whatever folder they stand in; and rights, which a new file has of its folder.

use std::{
    fs::{File, OpenOptions},
    io,
    path::Path,
};

/// What can be written to. Of these one is a person's.
const CONSOLES: [&str; 2] = ["CON", "CONOUT$"];
const OTHERS: [&str; 4] = ["NUL", "PRN", "AUX", "CONIN$"];

/// Those that have a number from 1 to 9.
const NUMBERED: [&str; 2] = ["COM", "LPT"];

/// A new file is for whom its folder lets in, and for nobody else.
pub(super) fn ours_alone(_: &mut OpenOptions) {}

/// Whether it can only be a folder, though there is nothing.
pub(super) fn names_a_folder(place: &Path) -> bool {
    place.as_os_str().as_encoded_bytes().ends_with(b"/")
        || place.as_os_str().as_encoded_bytes().ends_with(b"\\")
}

/// Whether Windows means a device by it: `NUL`, and `NUL.txt` just so.
pub(super) fn is_device(place: &Path) -> bool {
    is_one_of(place, &CONSOLES)
        || is_one_of(place, &OTHERS)
        || numbered(place)
        || place.as_os_str().as_encoded_bytes().starts_with(br"\\.\")
}

/// # Errors
/// Those of the system.
pub(super) fn open_device(place: &Path) -> io::Result<File> {
    if is_one_of(place, &CONSOLES) {
        // With the right to read its mode, by which it is known for a console.
        return OpenOptions::new().read(true).write(true).open("CONOUT$");
    }
    OpenOptions::new().write(true).open(place)
}

fn is_one_of(place: &Path, names: &[&str]) -> bool {
    let stem = stem(place);
    names.iter().any(|name| stem.eq_ignore_ascii_case(name))
}

fn numbered(place: &Path) -> bool {
    let stem = stem(place);
    let Some((name, number)) = stem.split_at_checked(3) else { return false };
    NUMBERED.iter().any(|device| name.eq_ignore_ascii_case(device))
        && matches!(number.as_bytes(), [b'1'..=b'9'])
}

/// The name up to its first dot or colon, without spaces at its end.
fn stem(place: &Path) -> String {
    let name = place.file_name().unwrap_or_default().to_string_lossy();
    let stem = name.split(['.', ':']).next().unwrap_or_default();
    stem.trim_end_matches(' ').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_known_by_their_names() {
        for name in [
            "NUL",
            "nul",
            "con",
            r"C:\x\NUL.txt",
            "CONOUT$",
            "com1",
            "LPT9.log",
            r"\\.\pipe\x",
            "NUL:",
        ] {
            assert!(is_device(Path::new(name)), "{name}");
        }
        for name in ["null", "answer.json", "com0", "com10", r"nul\x", "console"] {
            assert!(!is_device(Path::new(name)), "{name}");
        }
    }
}
