//! What may be a pipe's name.

use std::path::Path;

/// What every pipe of this machine begins with, in capitals or not.
const HERE: &str = r"\\.\pipe\";

/// The longest name with what it begins with, in the units of UTF-16.
const LONGEST: usize = 256;

/// Whether this is a pipe of this machine. A name with slashes or of dots alone could lead to something that is no pipe.
pub(super) fn is_pipe(path: &Path) -> bool {
    let Some(path) = path.to_str() else { return false };
    let Some((here, name)) = path.split_at_checked(HERE.len()) else { return false };
    here.eq_ignore_ascii_case(HERE)
        && path.encode_utf16().count() <= LONGEST
        && !name.contains(['\\', '/', '\0'])
        && !name.trim_matches(['.', ' ']).is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pipes_of_this_machine() {
        for good in [r"\\.\pipe\a", r"\\.\PIPE\securid-sessiond-S-1-5-21-1", r"\\.\pipe\a.b ü"] {
            assert!(is_pipe(Path::new(good)), "{good}");
        }
        let long = format!(r"\\.\pipe\{}", "x".repeat(248));
        assert!(!is_pipe(Path::new(&long)));
        assert!(is_pipe(Path::new(&long[..256])));
        for bad in [
            r"\\server\pipe\a",
            r"\\?\pipe\a",
            r"\\.\pipe\",
            r"\\.\pipe\..",
            r"\\.\pipe\..\C:\file",
            r"\\.\pipe\a/b",
            "//./pipe/a",
            r"C:\sessiond.sock",
            "sessiond.sock",
            "",
        ] {
            assert!(!is_pipe(Path::new(bad)), "{bad}");
        }
    }
}
