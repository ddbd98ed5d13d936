//! Whom to trust: the system's certificate authorities, and those of `ca_file`.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;
use thiserror::Error;

use crate::BadProxy;

/// Why no client can be made.
#[derive(Debug, Error)]
pub enum SetupError {
    /// There is no such file, or it may not be read.
    #[error("cannot read ca_file {}: {source}", path.display())]
    UnreadableCaFile {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is not PEM, or holds other things only: a key, most often, or a DER certificate.
    #[error("ca_file {} holds no certificate in PEM form (BEGIN CERTIFICATE)", path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// One of the file's certificates is damaged.
    #[error("certificate {number} of ca_file {} cannot be read: {reason}", path.display())]
    BadCertificate {
        /// The file.
        path: PathBuf,
        /// Which one, counted from 1.
        number: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// This machine trusts nobody: its root store is empty or damaged, and there is no `ca_file`.
    #[error(
        "no certificate authority is trusted on this machine: {0}; install its CA certificates or set ca_file"
    )]
    NoTrust(rustls::Error),
    /// TLS could not be set up for another reason.
    #[error("cannot set up TLS: {0}")]
    Tls(rustls::Error),
    /// The environment names a proxy that cannot be used.
    #[error(transparent)]
    Proxy(#[from] BadProxy),
    /// The endpoint with a command added is longer than any URL may be.
    #[error("the URL is too long")]
    TooLong,
}

/// TLS 1.2 and 1.3 towards servers that the system or `ca_file` vouches for. It reads the system's
/// root store, where that is files, and `ca_file`: it blocks, for some milliseconds.
pub(crate) fn config(ca_file: Option<&Path>) -> Result<ClientConfig, SetupError> {
    let provider = Arc::new(ring::default_provider());
    let extra = ca_file.map(certificates).transpose()?.unwrap_or_default();
    let verifier = Verifier::new_with_extra_roots(extra, Arc::clone(&provider))
        .map_err(SetupError::NoTrust)?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(SetupError::Tls)?
        .dangerous()
        // "Dangerous" stands for any verifier but rustls' own; this one is the platform's.
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    // A TLS session that is taken up again shows no certificate: each time it is looked at anew, and
    // no keys are kept in between.
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// The certificates of a PEM file, each fit to be trusted.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, SetupError> {
    let path = || path.to_owned();
    let unreadable = |source| SetupError::UnreadableCaFile { path: path(), source };
    let pem = std::fs::read(path()).map_err(unreadable)?;
    let mut found = Vec::new();
    for item in CertificateDer::pem_slice_iter(&pem) {
        let number = found.len() + 1;
        let bad = |reason| SetupError::BadCertificate { path: path(), number, reason };
        let certificate = item.map_err(|e| bad(e.to_string()))?;
        // Tried alone first: the verifier's own error would not say which one it is.
        RootCertStore::empty().add(certificate.clone()).map_err(|e| bad(e.to_string()))?;
        found.push(certificate);
    }
    if found.is_empty() {
        return Err(SetupError::NoCertificate { path: path() });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn refusal(pem: &str) -> SetupError {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, pem).unwrap();
        config(Some(&file)).unwrap_err()
    }

    fn good() -> String {
        let names = ["ca.example".to_owned()];
        rcgen::generate_simple_self_signed(names).unwrap().cert.pem()
    }

    #[test]
    fn a_ca_file_must_be_there() {
        let missing = Path::new("/nowhere/ca.pem");
        let error = config(Some(missing)).unwrap_err();
        assert!(matches!(&error, SetupError::UnreadableCaFile { path, .. } if path == missing));
        assert!(error.to_string().starts_with("cannot read ca_file /nowhere/ca.pem: "), "{error}");
        let error = config(Some(Path::new("/"))).unwrap_err();
        assert!(matches!(error, SetupError::UnreadableCaFile { .. }), "{error}");
    }

    #[test]
    fn a_ca_file_must_hold_certificates() {
        let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
        for content in ["", "hello", "\0\x01\u{ff}", &key] {
            let error = refusal(content);
            assert!(matches!(error, SetupError::NoCertificate { .. }), "{error}");
        }
    }

    #[test]
    fn a_damaged_certificate_is_named_by_its_number() {
        let begin = "-----BEGIN CERTIFICATE-----\n";
        let end = "-----END CERTIFICATE-----\n";
        for bad in
            [format!("{begin}AAAA\n{end}"), format!("{begin}!!!!\n{end}"), format!("{begin}AAAA\n")]
        {
            let error = refusal(&format!("{}{bad}", good()));
            assert!(matches!(error, SetupError::BadCertificate { number: 2, .. }), "{error}");
        }
    }

    #[test]
    fn several_certificates_are_taken() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, format!("A comment\n{}\n{}", good(), good())).unwrap();
        assert_eq!(certificates(&file).unwrap().len(), 2);
    }
}
