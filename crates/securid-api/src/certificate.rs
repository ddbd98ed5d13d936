//! What a certificate says of itself.

use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use webpki::EndEntityCert;

use crate::issuer::{missing, name};
use crate::validity;
use crate::words::clean;

/// A certificate, for a person. Its names are shortened, and without what a terminal obeys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Whose it is: the common name, or else the organisation.
    pub subject: String,
    /// Who has issued it.
    pub issuer: String,
    /// The root that its chain ends with, by its name.
    pub root: String,
    /// When it ends.
    pub ends: Timestamp,
}

impl Certificate {
    /// The first of these, with those above it behind. None of what is no certificate.
    pub(crate) fn read(chain: &[CertificateDer<'_>]) -> Option<Self> {
        let (first, above) = chain.split_first()?;
        let parsed = EndEntityCert::try_from(first).ok()?;
        let named = |distinguished| {
            name(distinguished).map_or_else(|| "(no name)".to_owned(), |name| clean(&name))
        };
        Some(Self {
            subject: named(parsed.subject()),
            issuer: named(parsed.issuer()),
            root: missing(first, above).map_or_else(|| named(parsed.issuer()), |root| root.name),
            ends: validity::end(first)?,
        })
    }
}
