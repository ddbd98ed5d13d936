//! Stdout as a handle. What a key is written in, a console shows as it is.

use std::fs::File;
use std::io;
use std::os::windows::io::AsHandle as _;

/// Stdout, without a buffer.
///
/// # Errors
/// If there is none.
pub(super) fn stdout() -> io::Result<File> {
    Ok(io::stdout().as_handle().try_clone_to_owned()?.into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use crate::make_key::make_key;

    #[test]
    fn no_key_is_put_into_a_stream() {
        let folder = tempfile::tempdir().unwrap();
        let refused = make_key(&folder.path().join("key:s")).unwrap_err().to_string();
        assert!(refused.contains("names a stream"), "{refused}");
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
    }
}
