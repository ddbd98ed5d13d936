//! No name has a control character in it; a path may, by what TOML makes of a backslash. A colon names no file.

use std::path::Path;

use securid_windows::stream;

/// # Errors
/// If there can be no such file.
pub(crate) fn is_possible(path: &Path) -> Result<(), String> {
    if path.as_os_str().as_encoded_bytes().iter().any(u8::is_ascii_control) {
        return Err(r"has a tab or a line's end in it, which \t, \n or \r is in double quotes: put the path in single quotes, as 'C:\temp\new.pem'".to_owned());
    }
    if stream::is_named_by(path) {
        return Err("has a colon behind the drive's, which names a stream of a file: write a path without it".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::is_whole;
    use super::*;

    #[test]
    fn what_toml_made_of_a_path_is_told() {
        let wrong = |path: &str| is_whole(Path::new(path)).err().unwrap_or_default();
        assert!(wrong("C:\temp\new.pem").contains("single quotes"));
        assert!(wrong(r"C:\a:b").contains("names a stream"));
        for path in [r"ca.pem", r"\ca.pem", r"C:ca.pem", "/ca.pem"] {
            assert!(wrong(path).contains("is a relative path"), "{path}");
        }
        for path in [r"C:\ca.pem", "C:/ca.pem", r"\\server\share\ca.pem"] {
            assert_eq!(wrong(path), "");
        }
    }
}
