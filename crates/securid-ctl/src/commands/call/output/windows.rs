//! Names that Windows keeps for devices, whatever folder they stand in, and for streams; and rights, which a new file has of its
//! folder, and one in the place of another has of that.

use std::{
    fs::{File, Metadata, OpenOptions, Permissions},
    io,
    os::windows::fs::OpenOptionsExt as _,
    path::Path,
};

use securid_windows::{descriptor::Descriptor, making, stream};

/// To read who may do what (`READ_CONTROL`).
const TO_ASK: u32 = 0x0002_0000;

/// What can be written to. Of these one is a person's.
const CONSOLES: [&str; 2] = ["CON", "CONOUT$"];
const OTHERS: [&str; 4] = ["NUL", "PRN", "AUX", "CONIN$"];

/// Those that have a number from 1 to 9.
const NUMBERED: [&str; 2] = ["COM", "LPT"];

/// Who may do what with a file, and its attributes.
pub(super) struct Rights {
    list: Descriptor,
    attributes: Permissions,
}

impl Rights {
    /// Those of the file that is there.
    ///
    /// # Errors
    /// If the system does not tell.
    pub(super) fn of(place: &Path, about: &Metadata) -> io::Result<Self> {
        let file = OpenOptions::new().access_mode(TO_ASK).open(place)?;
        Ok(Self { list: Descriptor::list_of_open(&file)?, attributes: about.permissions() })
    }

    /// Gives a draft what it does not have from its beginning.
    ///
    /// # Errors
    /// Those of the system.
    pub(super) fn put_on(self, draft: &File) -> io::Result<()> {
        draft.set_permissions(self.attributes)
    }
}

/// Makes a draft: in the place of a file for whom that is, else for whom its folder lets in.
///
/// # Errors
/// Those of the system; [`io::ErrorKind::AlreadyExists`] if there is something of that name.
pub(super) fn make(draft: &Path, rights: Option<&Rights>) -> io::Result<File> {
    match rights {
        Some(rights) => making::file_like(draft, &rights.list),
        None => OpenOptions::new().write(true).create_new(true).open(draft),
    }
}

/// # Errors
/// If it is no file's name, and so nothing can be moved to it.
pub(super) fn is_possible(place: &Path) -> io::Result<()> {
    if stream::is_named_by(place) && !is_device(place) {
        let why = "a colon behind the drive's names a stream of a file: write a name without it";
        return Err(io::Error::new(io::ErrorKind::InvalidFilename, why));
    }
    Ok(())
}

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

    #[test]
    fn a_stream_is_no_place_for_a_file() {
        for name in [r"C:\w\out:stream", "out:s"] {
            let refused = is_possible(Path::new(name)).map_err(|error| error.to_string());
            assert!(refused.is_err_and(|told| told.contains("without it")), "{name}");
        }
        for name in [r"C:\w\out", "out", "NUL:", "CON:", r"\\.\pipe\x"] {
            assert!(is_possible(Path::new(name)).is_ok(), "{name}");
        }
    }
}
