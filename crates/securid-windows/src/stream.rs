//! What a colon in a path means: text beside that of the file (an alternate data stream), which no list of a folder shows.

use std::path::{Component, Path};

/// Whether the path names a stream of something, and no file or folder. The colon behind a drive's letter names none.
#[must_use]
pub fn is_named_by(path: &Path) -> bool {
    path.components().any(|part| match part {
        Component::Normal(name) => name.as_encoded_bytes().contains(&b':'),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colon_behind_the_drives_names_a_stream() {
        for path in
            [r"C:\w\out:stream", "out.json:s", r"\\?\C:\w:s\out", r"\\server\share\out::$DATA"]
        {
            assert!(is_named_by(Path::new(path)), "{path}");
        }
        for path in
            [r"C:\w\out", "C:out", "c:/w", r"\\?\C:\w", r"\\server\share\out", "out", r"..\out", ""]
        {
            assert!(!is_named_by(Path::new(path)), "{path}");
        }
    }
}
