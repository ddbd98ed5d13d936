//! The system's verifier, and rustls' own for further authorities.
//!
//! The system's can have those too, in an engine for chains that knows nothing else. But what it says of a failure is less than
//! what rustls says, and Wine has no such engine, so that nothing with a `ca_file` could be tried there.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};
use rustls_platform_verifier::Verifier as System;

/// Takes whom the further authorities vouch for, else whom the system takes.
#[derive(Debug)]
pub(crate) struct Verifier {
    further: Option<Arc<WebPkiServerVerifier>>,
    system: System,
}

impl Verifier {
    pub(crate) fn new_with_extra_roots(
        further: Vec<CertificateDer<'static>>,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, Error> {
        let system = System::new(Arc::clone(&provider))?;
        if further.is_empty() {
            return Ok(Self { further: None, system });
        }
        let mut roots = RootCertStore::empty();
        for root in further {
            roots.add(root)?;
        }
        let further = WebPkiServerVerifier::builder_with_provider(roots.into(), provider)
            .build()
            .map_err(|error| Error::Other(OtherError(Arc::new(error))))?;
        Ok(Self { further: Some(further), system })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let by = |verifier: &dyn ServerCertVerifier| {
            verifier.verify_server_cert(end_entity, intermediates, name, ocsp, now)
        };
        let further = match &self.further {
            Some(further) => by(&**further),
            None => return by(&self.system),
        };
        match further {
            Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)) => by(&self.system),
            // They know it, and have something else against it.
            Err(against) => by(&self.system).map_err(|_| against),
            taken => taken,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.system.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.system.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.system.supported_verify_schemes()
    }
}
