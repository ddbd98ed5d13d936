//! The TLS handshake with the server, and what may be wrong with it.

use std::io;
use std::sync::Arc;

use jiff::Timestamp;
use rustls::pki_types::{ServerName, UnixTime};
use rustls::{AlertDescription, CertificateError, ClientConfig, PeerIncompatible};
use rustls_platform_verifier::Verifier;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::causes::{cause, causes};
use crate::identity::Identity;
use crate::issuer::Missing;
use crate::meeting::{Meeting, Shown};
use crate::words::clean;
use crate::{Access, Endpoint, Failure, FailureKind, SetupError, tls};

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

/// What a server may have against a client's certificate, or the want of one.
pub(crate) fn refusal_words(shown: Shown) -> &'static str {
    match shown {
        Shown::Unasked => "it has asked for no client certificate",
        Shown::Nothing => {
            "it asks for a client certificate, but none is configured: set client_cert and client_key"
        }
        Shown::Ours => {
            "it has seen our client certificate (client_cert): ask those who run it which ones it takes"
        }
    }
}

fn words(error: &rustls::Error, shown: Shown) -> String {
    match error {
        rustls::Error::InvalidCertificate(reason) => certificate_words(reason),
        rustls::Error::InvalidMessage(_) => "the server does not speak TLS on this port".into(),
        rustls::Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        )
        | rustls::Error::AlertReceived(AlertDescription::ProtocolVersion) => {
            "the server speaks neither TLS 1.2 nor TLS 1.3, and nothing older is safe".into()
        }
        rustls::Error::AlertReceived(alert) => alert_words(*alert, shown),
        _ => clean(&error.to_string()),
    }
}

/// A server's alerts about certificates are about ours. Servers differ in which one they send.
fn alert_words(alert: AlertDescription, shown: Shown) -> String {
    match (alert, shown) {
        (AlertDescription::CertificateRequired, Shown::Unasked) | (_, Shown::Nothing) => {
            format!("the server refuses ({alert:?}): {}", refusal_words(Shown::Nothing))
        }
        (AlertDescription::UnknownCA, Shown::Ours) => {
            "the server refuses our client certificate, for it does not know who issued it: is it \
             the right one, and does client_cert hold those between it and the server's CA as well?"
                .into()
        }
        (AlertDescription::CertificateExpired, Shown::Ours) => {
            "the server refuses our client certificate, for it is out of date: have a new one made \
             for client_cert"
                .into()
        }
        (AlertDescription::CertificateRevoked, Shown::Ours) => {
            "the server refuses our client certificate, for it is revoked: have a new one made for \
             client_cert"
                .into()
        }
        (_, Shown::Ours) => {
            format!("the server refuses ({alert:?}): {}", refusal_words(shown))
        }
        (AlertDescription::UnrecognisedName, Shown::Unasked) => {
            "the server knows no host of that name: is the url right?".into()
        }
        (_, Shown::Unasked) => format!("the server refuses ({alert:?})"),
    }
}

fn issuer_words(missing: &Missing) -> String {
    let name = &missing.name;
    let what = if missing.was_sent {
        format!("its issuer {name:?} is unknown here; add its CA as ca_file")
    } else {
        format!(
            "its issuer is unknown here, for the certificate of {name:?} is missing; add its CA as \
            ca_file, or have the server send its whole chain"
        )
    };
    format!("the server's certificate is not trusted: {what}")
}

fn name_words(presented: &[String], wanted: &str) -> String {
    // They come as `DnsName("host")`, `IpAddress(1.2.3.4)`; for a person the name is enough.
    let plain = |name: &String| match name.split_once('(') {
        Some((_sort, name)) => name.trim_end_matches(')').trim_matches('"').to_owned(),
        None => name.clone(),
    };
    let names: Vec<String> = presented.iter().map(plain).collect();
    let presented = if names.is_empty() { "no host".to_owned() } else { names.join(", ") };
    format!(
        "the server's certificate is for another name: for {}, and not for {}; write the url with \
         such a name, or have the certificate made anew",
        clean(&presented),
        clean(wanted)
    )
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
