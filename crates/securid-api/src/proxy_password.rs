//! The user name and password for a proxy, in a file.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hyper::header::HeaderValue;
use securid_secret::SecretBytes;

use crate::BadFile;
use crate::beside::Beside;
use crate::files::{Named, Others, without_mark};

/// What the config calls the file.
const SETTING: &str = "proxy_credentials_file";

/// How a `Proxy-Authorization` of user name and password begins (RFC 7617).
const SCHEME: &[u8] = b"Basic ";

/// The longest file that is read, in bytes. User names and passwords have some dozens; what is much longer is
/// another file.
const LONGEST: usize = 1024;

/// A file with one line, `USER:PASSWORD`. It is read for each connection to the proxy, so that a password
/// that was changed counts at once; in between nothing of it is kept.
#[derive(Debug, Clone)]
pub(crate) struct ProxyPassword(Arc<Place>);

#[derive(Debug)]
struct Place {
    file: Named,
    beside: Beside,
}

impl ProxyPassword {
    pub(crate) fn new(path: &Path) -> Self {
        Self(Arc::new(Place { file: Named::new(SETTING, path), beside: Beside::new() }))
    }

    /// The header with what the file says now.
    pub(crate) async fn read(&self) -> Result<HeaderValue, BadFile> {
        let file = self.0.file.clone();
        let read = self.0.beside.look(move || header(&file)).await;
        read.unwrap_or_else(|error| Err(self.0.file.unreadable(error)))
    }

    /// Whether there is a user name and a password in it. Reads it, so it blocks.
    pub(crate) fn check(&self) -> Result<(), BadFile> {
        header(&self.0.file).map(drop)
    }
}

impl fmt::Display for ProxyPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SETTING} {}", self.0.file.path.display())
    }
}

fn header(file: &Named) -> Result<HeaderValue, BadFile> {
    let opened = file.open(Others::Nothing)?;
    // One byte more, to find out that it is too long.
    let text =
        SecretBytes::read_from(opened, LONGEST + 1).map_err(|error| file.unreadable(error))?;
    let line = without_mark(&text);
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let is_one_line = text.len() <= LONGEST && !line.iter().any(u8::is_ascii_control);
    // The user name ends at the first colon, and the password may have more of them.
    let has_both = line.iter().position(|&byte| byte == b':').is_some_and(|at| at > 0);
    if !is_one_line || !has_both {
        return Err(file.bad("is not one line USER:PASSWORD"));
    }
    let encoded = line.len().div_ceil(3) * 4;
    let mut value = SecretBytes::zeroed(SCHEME.len() + encoded);
    value[..SCHEME.len()].copy_from_slice(SCHEME);
    let written = STANDARD.encode_slice(line, &mut value[SCHEME.len()..]);
    debug_assert_eq!(written.ok(), Some(encoded));
    let mut value = HeaderValue::from_maybe_shared(Bytes::from_owner(value))
        .map_err(|_| file.bad("cannot be sent"))?;
    value.set_sensitive(true);
    Ok(value)
}

// With modes; what Windows has instead is tested where it is judged (securid-trust).
#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn with(text: &[u8], mode: u32) -> Result<HeaderValue, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("proxy");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        header(&Named::new(SETTING, &path)).map_err(|bad| bad.to_string())
    }

    #[test]
    fn a_line_becomes_a_header() {
        for line in ["me:p:w d", "me:p:w d\n", "me:p:w d\r\n", "\u{feff}me:p:w d\n"] {
            let value = with(line.as_bytes(), 0o600).unwrap();
            assert_eq!(value, "Basic bWU6cDp3IGQ=");
            assert!(value.is_sensitive());
        }
        assert_eq!(with(b"me:", 0o400).unwrap(), "Basic bWU6");
        assert_eq!(with("m\u{fc}:x".as_bytes(), 0o400).unwrap(), "Basic bcO8Ong=");
    }

    #[test]
    fn what_is_none_is_refused_and_not_repeated() {
        let long = format!("me:{}", "s3cret".repeat(200));
        for text in
            ["", "\n", "\u{feff}\n", "s3cret", ":s3cret", "me:s3cret\nmore", "me:s3\tcret", &long]
        {
            let error = with(text.as_bytes(), 0o600).unwrap_err();
            assert!(error.ends_with("proxy is not one line USER:PASSWORD"), "{error}");
        }
        for mode in [0o604, 0o644, 0o666] {
            let error = with(b"me:s3cret", mode).unwrap_err();
            assert!(error.contains("by others (mode 0") && !error.contains("s3cret"), "{error}");
        }
    }
}
