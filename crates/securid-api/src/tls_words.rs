//! What TLS has to say when a handshake fails, in words for a person.

use jiff::Timestamp;
use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, PeerIncompatible};

use crate::causes::causes;
use crate::issuer::Missing;
use crate::meeting::Shown;
use crate::words::clean;

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

/// What is wrong, for a person; `shown` is how we have shown ourselves.
pub(crate) fn words(error: &rustls::Error, shown: Shown) -> String {
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
    let said = name_of(alert);
    match (alert, shown) {
        (AlertDescription::CertificateRequired, Shown::Unasked) | (_, Shown::Nothing) => {
            format!("the server refuses ({said}): {}", refusal_words(Shown::Nothing))
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
            format!("the server refuses ({said}): {}", refusal_words(shown))
        }
        (AlertDescription::UnrecognisedName, Shown::Unasked) => {
            "the server knows no host of that name: is the url right?".into()
        }
        (_, Shown::Unasked) => format!("the server refuses ({said})"),
    }
}

/// The alert's number, by which others look for it, and its name in words: `alert 40, handshake failure`.
fn name_of(alert: AlertDescription) -> String {
    let mut told = format!("alert {}", u8::from(alert));
    let mut before = ',';
    // One that has none came with a newer TLS than ours.
    for c in alert.as_str().unwrap_or_default().chars() {
        let begins = c.is_ascii_uppercase() && !before.is_ascii_uppercase();
        match (begins, before) {
            (true, ',') => told.push_str(", "),
            (true, _) => told.push(' '),
            _ => {}
        }
        told.push(if begins { c.to_ascii_lowercase() } else { c });
        before = c;
    }
    told
}

/// Whose certificate the server's own lacks.
pub(crate) fn issuer_words(missing: &Missing) -> String {
    let name = &missing.name;
    let what = if missing.was_sent {
        format!("its issuer \"{name}\" is unknown here; add its CA as ca_file")
    } else {
        format!(
            "its issuer is unknown here, for the certificate of \"{name}\" is missing; add its CA as \
            ca_file, or have the server send its whole chain"
        )
    };
    format!("the server's certificate is not trusted: {what}")
}

/// What the server's certificate is for, and what it should be for.
pub(crate) fn name_words(presented: &[String], wanted: &str) -> String {
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
        // Where rustls itself looks at it.
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "the server's certificate is not accepted: it is not meant for servers".into()
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_have_names_for_people() {
        for (alert, told) in [
            (AlertDescription::HandshakeFailure, "alert 40, handshake failure"),
            (AlertDescription::AccessDenied, "alert 49, access denied"),
            (AlertDescription::Unknown(250), "alert 250"),
        ] {
            assert_eq!(name_of(alert), told);
        }
    }
}
