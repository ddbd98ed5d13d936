//! Telling our files from a person's: ours begin with a checksum of what follows.

use std::{fs, io, path::Path};

use sha2::{Digest as _, Sha256};

use crate::failure::{FAILED, Failure};

/// How a file of ours begins.
const HEAD: &str =
    "# Written by securid-ctl setup, which leaves it alone once it is changed. sha256 ";

/// What is at a path.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    Nothing,
    /// As setup wrote it: its whole text.
    Ours(String),
    /// Written, or changed, by somebody else.
    Foreign,
}

impl Found {
    /// The text of a file of ours.
    pub(super) fn ours(self) -> Option<String> {
        match self {
            Self::Ours(text) => Some(text),
            Self::Nothing | Self::Foreign => None,
        }
    }
}

/// The text as a file of ours.
pub(super) fn signed(text: &str) -> String {
    format!("{HEAD}{}\n{text}", checksum(text))
}

/// What is at this path.
///
/// # Errors
/// If it cannot be read.
pub(super) fn look(path: &Path) -> Result<Found, Failure> {
    match fs::read(path) {
        Ok(bytes) => Ok(judge(bytes)),
        // A link that leads nowhere is a person's.
        Err(error) if error.kind() == io::ErrorKind::NotFound && !path.is_symlink() => {
            Ok(Found::Nothing)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Found::Foreign),
        Err(error) => {
            let message = format!("cannot read {}: {error}", path.display());
            Err(Failure::new("setup", message, FAILED))
        }
    }
}

fn judge(bytes: Vec<u8>) -> Found {
    let Ok(text) = String::from_utf8(bytes) else { return Found::Foreign };
    let is_ours = text
        .strip_prefix(HEAD)
        .and_then(|after| after.split_once('\n'))
        .is_some_and(|(sum, rest)| sum == checksum(rest));
    if is_ours { Found::Ours(text) } else { Found::Foreign }
}

fn checksum(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_is_what_nobody_has_touched() {
        let ours = signed("[Unit]\nA=1\n");
        assert_eq!(judge(ours.clone().into_bytes()), Found::Ours(ours.clone()));
        for changed in [
            ours.replace("A=1", "A=2"),
            ours.replacen("sha256 ", "sha256 0", 1),
            format!("{ours}\n"),
            format!("\n{ours}"),
            ours.replace('\n', "\r\n"),
            "[Unit]\nA=1\n".to_owned(),
            String::new(),
        ] {
            assert_eq!(judge(changed.clone().into_bytes()), Found::Foreign, "{changed:?}");
        }
        assert_eq!(judge(vec![0xff]), Found::Foreign);
    }
}
