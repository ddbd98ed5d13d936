//! The certificate that we show to a server that asks for one.

use std::sync::Arc;

use rustls::crypto::ring;
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys};

use crate::beside::Beside;
use crate::files::{Named, Others};
use crate::{BadFile, ClientFiles, pem};

/// Where certificate and key are. They are read for each connection: companies renew them, some every day, and
/// one that was put in the place of another counts at once.
#[derive(Debug, Clone)]
pub(crate) struct Identity(Arc<Places>);

#[derive(Debug)]
struct Places {
    cert: Named,
    key: Named,
    beside: Beside,
}

impl Identity {
    /// Reads both, so that what is wrong with them is told at once: it blocks.
    pub(crate) fn new(files: &ClientFiles) -> Result<Self, BadFile> {
        let places = Places {
            cert: Named::new("client_cert", &files.cert),
            key: Named::new("client_key", &files.key),
            beside: Beside::new(),
        };
        places.read()?;
        Ok(Self(Arc::new(places)))
    }

    /// What the files hold now.
    pub(crate) async fn read(&self) -> Result<Arc<CertifiedKey>, BadFile> {
        let places = Arc::clone(&self.0);
        let read = self.0.beside.look(move || places.read()).await;
        read.unwrap_or_else(|error| Err(self.0.key.unreadable(error))).map(Arc::new)
    }
}

impl Places {
    fn read(&self) -> Result<CertifiedKey, BadFile> {
        let chain = pem::certificates(&self.cert, self.cert.open(Others::Read)?)?;
        let key = pem::private_key(&self.key, self.key.open(Others::Nothing)?)?;
        CertifiedKey::from_der(chain, key, &ring::default_provider()).map_err(|error| match error {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => self.key.bad(format!(
                "is not the key of the certificate in client_cert {}: name the two that belong together",
                self.cert.path.display()
            )),
            Error::InvalidCertificate(_) => pem::bad_certificate(&self.cert, 0, "it is damaged"),
            _ => self.key.bad(
                "holds a key that cannot be used: take RSA (2048 bits or more), ECDSA (P-256 or \
                 P-384) or Ed25519",
            ),
        })
    }
}
