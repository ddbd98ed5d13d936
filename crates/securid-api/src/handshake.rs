//! The TLS handshake with the server, and what may be wrong with it.

use std::io;
use std::sync::Arc;

use crate::vouching::Verifier;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, ClientConfig};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::causes::{cause, causes};
use crate::identity::Identity;
use crate::meeting::{Meeting, Shown};
use crate::tls_words::{issuer_words, name_words, refusal_words, words};
use crate::{Access, BadFile, Endpoint, Failure, FailureKind, SetupError, tls};

/// What a handshake with one server takes: whom to trust, the name that its certificate must
/// bear, and who we are.
pub(crate) struct Handshake {
    config: ClientConfig,
    verifier: Arc<Verifier>,
    name: ServerName<'static>,
    identity: Option<Identity>,
    origin: String,
}

impl std::fmt::Debug for Handshake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handshake").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Handshake {
    /// None for an `http://` endpoint. Reads files, as [`tls::config`] does.
    pub(crate) fn new(endpoint: &Endpoint, access: &Access) -> Result<Option<Self>, SetupError> {
        if !endpoint.is_secure() {
            return Ok(None);
        }
        let (config, verifier) = tls::config(access.ca_file.as_deref())?;
        Ok(Some(Self {
            config,
            verifier,
            name: endpoint.name().clone(),
            identity: access.client.as_ref().map(Identity::new).transpose()?,
            origin: endpoint.origin().to_owned(),
        }))
    }

    /// Makes sure that it is the server itself at the other end.
    pub(crate) async fn shake(
        &self,
        tcp: TcpStream,
    ) -> Result<(TlsStream<TcpStream>, Shown), Failure> {
        let ours = match &self.identity {
            Some(identity) => Some(identity.read().await.map_err(|bad| {
                let message = format!("no TLS with {}: {bad}", self.origin);
                Failure::new(FailureKind::Tls, message)
            })?),
            None => None,
        };
        let meeting = Arc::new(Meeting::new(Arc::clone(&self.verifier), ours));
        let mut config = self.config.clone();
        config.client_auth_cert_resolver = Arc::<Meeting>::clone(&meeting);
        config.dangerous().set_certificate_verifier(Arc::<Meeting>::clone(&meeting));
        let shaken = TlsConnector::from(Arc::new(config)).connect(self.name.clone(), tcp).await;
        match shaken {
            Ok(tls) => Ok((tls, meeting.shown())),
            Err(error) => Err(self.failed(&error, &meeting)),
        }
    }

    /// The certificate that we show to a server that asks; none if we have none.
    pub(crate) async fn ours(&self) -> Result<Option<CertificateDer<'static>>, BadFile> {
        let Some(identity) = &self.identity else { return Ok(None) };
        Ok(identity.read().await?.cert.first().cloned())
    }

    fn failed(&self, error: &io::Error, meeting: &Meeting) -> Failure {
        let (origin, shown) = (&self.origin, meeting.shown());
        if let Some(tls) = cause::<rustls::Error>(error) {
            let words = match (tls, meeting.missing()) {
                (
                    rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer),
                    Some(missing),
                ) => issuer_words(missing),
                (
                    rustls::Error::InvalidCertificate(CertificateError::NotValidForNameContext {
                        presented,
                        ..
                    }),
                    _,
                ) => name_words(presented, &self.name.to_str()),
                _ => words(tls, shown),
            };
            return Failure::new(FailureKind::Tls, format!("no TLS with {origin}: {words}"));
        }
        if is_hang_up(error.kind()) {
            return match shown {
                Shown::Unasked => Failure::new(
                    FailureKind::Cut,
                    format!("{origin} hung up before the request was sent: does it speak TLS?"),
                ),
                Shown::Nothing | Shown::Ours => Failure::new(
                    FailureKind::Tls,
                    format!("no TLS with {origin}: it hung up, and {}", refusal_words(shown)),
                ),
            };
        }
        let reason = causes(error).last().map(ToString::to_string).unwrap_or_default();
        Failure::new(FailureKind::Connect, format!("cannot connect to {origin}: {reason}"))
    }
}

/// The other side has gone, one way or the other.
fn is_hang_up(kind: io::ErrorKind) -> bool {
    matches!(
        kind,
        io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
    )
}

/// TLS itself says what is wrong, after the handshake.
pub(crate) fn no_tls(error: &rustls::Error, origin: &str, shown: Shown) -> Failure {
    Failure::new(FailureKind::Tls, format!("no TLS with {origin}: {}", words(error, shown)))
}
