//! Certificates and keys in PEM files.

use std::fs::File;
use std::io::Read;

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use securid_secret::SecretBytes;

use crate::BadFile;
use crate::files::{Named, without_mark};

/// The longest file that is read, in bytes: a system's own bundle of all authorities has some 220 KB.
const LONGEST: u64 = 4 * 1024 * 1024;

/// The longest file with a key that is read, in bytes: one with 16384 bits has 13 KB, and a chain of certificates
/// may stand in the same file.
const LONGEST_WITH_KEY: usize = 128 * 1024;

/// All certificates of a file, in their order, at least one.
pub(crate) fn certificates(
    file: &Named,
    opened: File,
) -> Result<Vec<CertificateDer<'static>>, BadFile> {
    let mut text = Vec::new();
    opened.take(LONGEST).read_to_end(&mut text).map_err(|error| file.unreadable(error))?;
    let found = CertificateDer::pem_slice_iter(without_mark(&text))
        .enumerate()
        .map(|(at, item)| item.map_err(|error| bad_certificate(file, at, &error.to_string())))
        .collect::<Result<Vec<_>, _>>()?;
    if found.is_empty() {
        return Err(file.bad("holds no certificate in PEM form (BEGIN CERTIFICATE)"));
    }
    Ok(found)
}

/// One of the file's certificates is damaged; they are counted from 0.
pub(crate) fn bad_certificate(file: &Named, at: usize, reason: &str) -> BadFile {
    file.part(format!("certificate {} cannot be read: {reason}", at + 1))
}

/// The private key of a file. What is wrong with it is told without the parser's words, which may quote it.
pub(crate) fn private_key(file: &Named, opened: File) -> Result<PrivateKeyDer<'static>, BadFile> {
    let text =
        SecretBytes::read_from(opened, LONGEST_WITH_KEY).map_err(|error| file.unreadable(error))?;
    if is_encrypted(&text) {
        let path = file.path.display();
        return Err(file.bad(format!(
            "is encrypted, and nobody is there to be asked for its passphrase: write it without, as \
             (umask 077; openssl pkey -in {path} -out NEW.pem) does, and name that one"
        )));
    }
    PrivateKeyDer::from_pem_slice(without_mark(&text)).map_err(|error| match error {
        pem::Error::NoItemsFound => {
            file.bad("holds no private key in PEM form (BEGIN PRIVATE KEY)")
        }
        _ => file.bad("holds a damaged private key"),
    })
}

/// In PKCS #8's way, or in that of the older formats (RFC 1421).
fn is_encrypted(text: &[u8]) -> bool {
    let has = |words: &[u8]| text.windows(words.len()).any(|window| window == words);
    has(b"-----BEGIN ENCRYPTED PRIVATE KEY-----") || has(b"Proc-Type: 4,ENCRYPTED")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;

    use super::*;

    #[test]
    fn a_mark_before_utf_8_hides_nothing() {
        let made = rcgen::generate_simple_self_signed(["h".to_owned()]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let read = |text: String| {
            let path = folder.path().join("pem");
            fs::write(&path, text).unwrap();
            let opened = File::open(&path).unwrap();
            (Named::new("client_cert", &path), opened)
        };
        let (file, opened) = read(format!("\u{feff}{}", made.cert.pem()));
        assert_eq!(certificates(&file, opened).unwrap().len(), 1);
        let (file, opened) = read(format!("\u{feff}{}", made.signing_key.serialize_pem()));
        assert!(private_key(&file, opened).is_ok());
    }
}
