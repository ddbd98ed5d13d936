//! What is said of certificates in one handshake, for whoever has to tell why it failed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use crate::vouching::Verifier;
use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};

use crate::issuer::{Missing, missing};

/// The verifier and the certificate of one handshake. It decides nothing by itself.
#[derive(Debug)]
pub(crate) struct Meeting {
    verifier: Arc<Verifier>,
    ours: Option<Arc<CertifiedKey>>,
    asked: AtomicBool,
    missing: OnceLock<Missing>,
}

/// Whether the server wanted to see a certificate, and got one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    /// It did not ask.
    Unasked,
    /// It asked, and there was none.
    Nothing,
    /// It asked, and we have shown ours.
    Ours,
}

impl Meeting {
    pub(crate) fn new(verifier: Arc<Verifier>, ours: Option<Arc<CertifiedKey>>) -> Self {
        Self { verifier, ours, asked: AtomicBool::new(false), missing: OnceLock::new() }
    }

    pub(crate) fn shown(&self) -> Shown {
        match (self.asked.load(Ordering::Relaxed), &self.ours) {
            (false, _) => Shown::Unasked,
            (true, None) => Shown::Nothing,
            (true, Some(_)) => Shown::Ours,
        }
    }

    /// The certificate that the server's chain lacks, if that was the reason.
    pub(crate) fn missing(&self) -> Option<&Missing> {
        self.missing.get()
    }
}

impl ServerCertVerifier for Meeting {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self.verifier.verify_server_cert(end_entity, intermediates, name, ocsp, now);
        if let Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)) = &verified
            && let Some(missing) = missing(end_entity, intermediates)
        {
            let _ = self.missing.set(missing);
        }
        verified
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

impl ResolvesClientCert for Meeting {
    /// Ours, whichever authorities the server names: servers that name none, or the wrong ones, are common.
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.asked.store(true, Ordering::Relaxed);
        self.ours.clone()
    }

    fn has_certs(&self) -> bool {
        self.ours.is_some()
    }
}
