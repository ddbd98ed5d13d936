//! The TLS handshake with the server, and what may be wrong with it.

use std::io;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use rustls::pki_types::{ServerName, UnixTime};
use rustls::{CertificateError, PeerIncompatible};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::causes::{cause, causes};
use crate::words::clean;
use crate::{Endpoint, Failure, FailureKind, SetupError, tls};

/// What a handshake with one server takes: whom to trust, and the name that its certificate must
/// bear.
pub(crate) struct Handshake {
    connector: TlsConnector,
    name: ServerName<'static>,
    origin: String,
}

impl std::fmt::Debug for Handshake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handshake").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Handshake {
    /// None for an `http://` endpoint. Reads files, as [`tls::config`] does.
    pub(crate) fn new(
        endpoint: &Endpoint,
        ca_file: Option<&Path>,
    ) -> Result<Option<Self>, SetupError> {
        if !endpoint.is_secure() {
            return Ok(None);
        }
        Ok(Some(Self {
            connector: Arc::new(tls::config(ca_file)?).into(),
            name: endpoint.name().clone(),
            origin: endpoint.origin().to_owned(),
        }))
    }

    /// Makes sure that it is the server itself at the other end.
    pub(crate) async fn shake(&self, tcp: TcpStream) -> Result<TlsStream<TcpStream>, Failure> {
        let shaken = self.connector.connect(self.name.clone(), tcp).await;
        shaken.map_err(|error| failed(&error, &self.origin))
    }
}

fn failed(error: &io::Error, origin: &str) -> Failure {
    if let Some(tls) = cause::<rustls::Error>(error) {
        return no_tls(tls, origin);
    }
    if is_hang_up(error.kind()) {
        let message = format!("{origin} hung up before the request was sent: does it speak TLS?");
        return Failure::new(FailureKind::Cut, message);
    }
    let reason = causes(error).last().map(ToString::to_string).unwrap_or_default();
    Failure::new(FailureKind::Connect, format!("cannot connect to {origin}: {reason}"))
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

/// TLS itself says what is wrong.
pub(crate) fn no_tls(error: &rustls::Error, origin: &str) -> Failure {
    Failure::new(FailureKind::Tls, format!("no TLS with {origin}: {}", words(error)))
}

fn words(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(reason) => certificate_words(reason),
        rustls::Error::InvalidMessage(_) => "the server does not speak TLS on this port".into(),
        rustls::Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        )
        | rustls::Error::AlertReceived(rustls::AlertDescription::ProtocolVersion) => {
            "the server speaks neither TLS 1.2 nor TLS 1.3, and nothing older is safe".into()
        }
        rustls::Error::AlertReceived(alert) => format!("the server refuses ({alert:?})"),
        _ => clean(&error.to_string()),
    }
}

fn certificate_words(reason: &CertificateError) -> String {
    match reason {
        CertificateError::UnknownIssuer => {
            "the server's certificate is not trusted: its issuer is \
            unknown here; add its CA as ca_file"
                .into()
        }
        CertificateError::BadSignature => {
            "the server's certificate is not trusted: its issuer has \
            the name of a known CA, but another key; is ca_file out of date?"
                .into()
        }
        CertificateError::NotValidForNameContext { presented, .. } => {
            format!(
                "the server's certificate is for another name: {}",
                clean(&presented.join(", "))
            )
        }
        CertificateError::NotValidForName => "the server's certificate is for another name".into(),
        CertificateError::ExpiredContext { not_after, .. } => format!(
            "the server's certificate is out of date, or this machine's clock is wrong: \
            it ended on {}",
            date(*not_after)
        ),
        CertificateError::NotValidYetContext { not_before, .. } => format!(
            "the server's certificate is not valid yet, or this machine's clock is wrong: \
            it begins on {}",
            date(*not_before)
        ),
        CertificateError::Other(reason) => {
            let reason = causes(reason).last().map(ToString::to_string).unwrap_or_default();
            format!("the server's certificate is not accepted: {}", other_words(&reason))
        }
        _ => format!("the server's certificate is not accepted: {}", clean(&reason.to_string())),
    }
}

/// The verifier shows no types for these; the tests hold on to its words.
fn other_words(reason: &str) -> String {
    match reason {
        "CaUsedAsEndEntity" => "it is a CA's own (CA:TRUE), and not one for a server".into(),
        "EndEntityUsedAsCa" => "who issued it is no CA".into(),
        "certificate had invalid extensions" => "it is not meant for servers".into(),
        _ => clean(reason),
    }
}

fn date(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    let time = Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX);
    time.strftime("%Y-%m-%d").to_string()
}
