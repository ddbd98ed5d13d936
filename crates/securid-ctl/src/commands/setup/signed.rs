//! Telling our files from a person's: ours begin with a checksum of what follows.

use std::{fs, io, path::Path};

use sha2::{Digest as _, Sha256};

use crate::failure::{FAILED, Failure};

/// What the first line of a file of ours says, before the checksum.
const HEAD: &str =
    "Written by securid-ctl setup, which leaves it alone once it is changed. sha256 ";

/// How a comment begins and ends: in configs and units, and in XML.
const COMMENTS: [(&str, &str); 2] = [("# ", ""), ("<!-- ", " -->")];

/// What is at a path.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    Nothing,
    /// As setup wrote it: its whole text.
    Ours(String),
    /// Written, or changed, by somebody else.
    Foreign,
}

/// The text as a file of ours.
pub(super) fn signed(text: &str) -> String {
    let [(begin, end), (of_xml, end_of_xml)] = COMMENTS;
    let (begin, end) = if text.starts_with('<') { (of_xml, end_of_xml) } else { (begin, end) };
    format!("{begin}{HEAD}{}{end}\n{text}", checksum(text))
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
    let is_ours = text.split_once('\n').is_some_and(|(first, rest)| {
        let sum = COMMENTS.iter().find_map(|(begin, end)| {
            first.strip_prefix(begin)?.strip_prefix(HEAD)?.strip_suffix(end)
        });
        sum == Some(&*checksum(rest))
    });
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
        let xml = signed("<plist/>\n");
        assert!(xml.starts_with("<!-- ") && xml.ends_with(" -->\n<plist/>\n"), "{xml}");
        assert_eq!(judge(xml.clone().into_bytes()), Found::Ours(xml));
    }
}
