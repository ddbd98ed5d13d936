//! Whom to trust: the system's certificate authorities, and those of `ca_file`.

use std::path::Path;
use std::sync::Arc;

use crate::vouching::Verifier;
use rustls::client::Resumption;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use thiserror::Error;

use crate::files::{Named, Others};
use crate::{BadFile, BadProxy, pem};

/// Why no client can be made.
#[derive(Debug, Error)]
pub enum SetupError {
    /// A file of certificates or a key is of no use.
    #[error(transparent)]
    File(#[from] BadFile),
    /// This machine trusts nobody: its root store is empty or damaged, and there is no `ca_file`.
    #[error(
        "no certificate authority is trusted on this machine: {0}; install its CA certificates or set ca_file"
    )]
    NoTrust(rustls::Error),
    /// TLS could not be set up for another reason.
    #[error("cannot set up TLS: {0}")]
    Tls(rustls::Error),
    /// Config or environment name a proxy that cannot be used.
    #[error(transparent)]
    Proxy(#[from] BadProxy),
    /// The endpoint with a command added is longer than any URL may be.
    #[error("the URL is too long")]
    TooLong,
}

/// TLS 1.2 and 1.3 towards servers that the system or `ca_file` vouches for, and who does. It reads the system's
/// root store, where that is files, and `ca_file`: it blocks, for some milliseconds.
pub(crate) fn config(ca_file: Option<&Path>) -> Result<(ClientConfig, Arc<Verifier>), SetupError> {
    let provider = Arc::new(ring::default_provider());
    let extra = ca_file.map(authorities).transpose()?.unwrap_or_default();
    let verifier = Verifier::new_with_extra_roots(extra, Arc::clone(&provider))
        .map_err(SetupError::NoTrust)?;
    let verifier = Arc::new(verifier);
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(SetupError::Tls)?
        .dangerous()
        // "Dangerous" stands for any verifier but rustls' own; this one is the platform's.
        .with_custom_certificate_verifier(Arc::<Verifier>::clone(&verifier))
        .with_no_client_auth();
    // A TLS session that is taken up again shows no certificate: each time it is looked at anew, and
    // no keys are kept in between.
    config.resumption = Resumption::disabled();
    Ok((config, verifier))
}

/// The certificates of a PEM file, each fit to be trusted. Who can write it decides whose server passes for
/// ours, so nobody else may.
fn authorities(path: &Path) -> Result<Vec<CertificateDer<'static>>, BadFile> {
    let file = Named::new("ca_file", path);
    let found = pem::certificates(&file, file.open(Others::Read)?)?;
    for (at, certificate) in found.iter().enumerate() {
        // Tried alone first: the verifier's own error would not say which one it is.
        let tried = RootCertStore::empty().add(certificate.clone());
        tried.map_err(|error| pem::bad_certificate(&file, at, &error.to_string()))?;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn refusal(pem: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, pem).unwrap();
        config(Some(&file)).unwrap_err().to_string()
    }

    fn good() -> String {
        let names = ["ca.example".to_owned()];
        rcgen::generate_simple_self_signed(names).unwrap().cert.pem()
    }

    #[test]
    fn a_ca_file_must_be_there() {
        let missing = Path::new("/nowhere/ca.pem");
        let error = config(Some(missing)).unwrap_err().to_string();
        assert!(error.starts_with("ca_file /nowhere/ca.pem cannot be read: "), "{error}");
        let error = config(Some(Path::new("/"))).unwrap_err().to_string();
        assert!(error.starts_with("ca_file / cannot be read: "), "{error}");
    }

    #[test]
    fn a_ca_file_must_hold_certificates() {
        let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
        for content in ["", "hello", "\0\x01\u{ff}", &key] {
            let error = refusal(content);
            assert!(error.contains("ca.pem holds no certificate in PEM form"), "{error}");
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
            assert!(error.contains("ca.pem: certificate 2 cannot be read: "), "{error}");
        }
    }

    #[test]
    fn several_certificates_are_taken() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, format!("A comment\n{}\n{}", good(), good())).unwrap();
        assert_eq!(authorities(&file).unwrap().len(), 2);
    }

    // With modes; what Windows has instead is tested where it is judged (securid-trust).
    #[cfg(unix)]
    #[test]
    fn nobody_else_may_be_able_to_write_it() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, good()).unwrap();
        let with = |path: &Path, mode| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
            config(Some(&file)).map(drop).map_err(|error| error.to_string())
        };
        assert_eq!(with(&file, 0o644), Ok(()));
        let error = with(&file, 0o646).unwrap_err();
        assert!(error.contains("can be written by others (mode 0646): run chmod go-w"), "{error}");
        with(&file, 0o644).unwrap();
        let error = with(folder.path(), 0o777).unwrap_err();
        assert!(error.contains("others can write to the folder"), "{error}");
    }
}
