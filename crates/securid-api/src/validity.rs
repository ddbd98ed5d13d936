//! When a certificate ends. The verifier knows and does not say.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// DER's tags (X.690) of what stands on the way to the date.
const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
/// The version, which the oldest certificates leave out.
const VERSION: u8 = 0xa0;

/// `notAfter` of a certificate in DER (RFC 5280, section 4.1); none of what is no certificate.
pub(crate) fn end(certificate: &[u8]) -> Option<Timestamp> {
    let mut whole = Der(certificate);
    let mut signed = Der(Der(whole.take(SEQUENCE)?).take(SEQUENCE)?);
    if signed.0.first() == Some(&VERSION) {
        signed.take(VERSION)?;
    }
    // Serial number, algorithm, issuer.
    signed.take(INTEGER)?;
    signed.take(SEQUENCE)?;
    signed.take(SEQUENCE)?;
    let mut validity = Der(signed.take(SEQUENCE)?);
    validity.any()?;
    time(validity.any()?)
}

/// One value after the other.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// The content of the next value, if it has this tag.
    fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.any().filter(|(found, _)| *found == tag).map(|(_, content)| content)
    }

    /// The next value: its tag and its content.
    fn any(&mut self) -> Option<(u8, &'a [u8])> {
        let [tag, len, rest @ ..] = self.0 else { return None };
        let (len, rest) = match *len {
            len @ ..=0x7f => (usize::from(len), rest),
            0x81 => (usize::from(*rest.first()?), rest.get(1..)?),
            0x82 => {
                let len = rest.first_chunk::<2>()?;
                (usize::from(u16::from_be_bytes(*len)), rest.get(2..)?)
            }
            // No certificate that TLS could carry here is longer than 64 KiB.
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(len)?;
        self.0 = rest;
        Some((*tag, content))
    }
}

/// `YYMMDDHHMMSSZ`, up to 2049; or with four digits of the year.
fn time((tag, text): (u8, &[u8])) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?;
    let whole = match tag {
        UTC_TIME => {
            let century = if text.get(..2)?.parse::<u8>().ok()? < 50 { "20" } else { "19" };
            format!("{century}{text}")
        }
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    let at = DateTime::strptime("%Y%m%d%H%M%SZ", whole).ok()?;
    Some(at.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    use proptest::prelude::*;
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    #[test]
    fn a_certificate_s_end_is_read_in_both_forms() {
        for (year, end_of_it) in [(2031, "2031-05-06T00:00:00Z"), (2051, "2051-05-06T00:00:00Z")] {
            let mut params = CertificateParams::new(vec!["h.example".to_owned()]).unwrap();
            params.not_after = date_time_ymd(year, 5, 6);
            let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
            assert_eq!(end(certificate.der()).unwrap().to_string(), end_of_it);
            let der = certificate.der();
            assert_eq!(end(&der[..der.len() / 4]), None);
        }
    }

    #[test]
    fn a_date_is_a_date_or_nothing() {
        for (tag, text, read) in [
            (UTC_TIME, "991231235959Z", Some("1999-12-31T23:59:59Z")),
            (UTC_TIME, "491231235959Z", Some("2049-12-31T23:59:59Z")),
            (UTC_TIME, "4\u{e4}1231235959Z", None),
            (UTC_TIME, "491331235959Z", None),
            (GENERALIZED_TIME, "20500101000000Z", Some("2050-01-01T00:00:00Z")),
            (GENERALIZED_TIME, "", None),
            (INTEGER, "20500101000000Z", None),
        ] {
            let told = time((tag, text.as_bytes())).map(|at| at.to_string());
            assert_eq!(told.as_deref(), read, "{text}");
        }
    }

    proptest! {
        #[test]
        fn whatever_a_server_sends_is_looked_at(der: Vec<u8>) {
            let _ = end(&der);
            let _ = end(&[&[SEQUENCE, 0x7f, SEQUENCE, 0x70][..], &der].concat());
        }
    }
}
