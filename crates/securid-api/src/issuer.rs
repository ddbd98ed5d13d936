//! Who has issued a certificate, and which one a chain lacks.

use rustls::pki_types::CertificateDer;
use webpki::EndEntityCert;

use crate::words::clean;

/// The certificate above the last one that the server has sent. The names are for people: nobody vouches for
/// them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Missing {
    /// Its name.
    pub(crate) name: String,
    /// Whether the server has sent it: then it is a root that nobody here trusts.
    pub(crate) was_sent: bool,
}

/// Follows the names upwards from the server's own certificate, as far as it has sent those above it. None for
/// what cannot be read.
pub(crate) fn missing(
    server: &CertificateDer<'_>,
    above: &[CertificateDer<'_>],
) -> Option<Missing> {
    let server = EndEntityCert::try_from(server).ok()?;
    let above: Vec<_> = above.iter().filter_map(|der| EndEntityCert::try_from(der).ok()).collect();
    let mut top = &server;
    // As often as there are certificates: they may go round in a circle.
    for _ in 0..above.len() {
        if top.issuer() == top.subject() {
            break;
        }
        match above.iter().find(|cert| cert.subject() == top.issuer()) {
            Some(next) => top = next,
            None => break,
        }
    }
    Some(Missing { name: clean(&name(top.issuer())?), was_sent: top.issuer() == top.subject() })
}

/// The common name in a distinguished name, or else the organisation: its attributes in DER.
pub(crate) fn name(distinguished: &[u8]) -> Option<String> {
    const COMMON_NAME: u8 = 3;
    const UNIT: u8 = 11;
    const ORGANISATION: u8 = 10;
    [COMMON_NAME, UNIT, ORGANISATION]
        .into_iter()
        .find_map(|attribute| value(distinguished, [6, 3, 0x55, 4, attribute]))
}

/// What stands behind this identifier: a string of fewer than 128 bytes, whichever sort of string it is.
fn value(distinguished: &[u8], identifier: [u8; 5]) -> Option<String> {
    let at = distinguished.windows(5).position(|window| window == identifier)?;
    let [_kind, len @ ..0x80, rest @ ..] = distinguished.get(at + 5..)? else { return None };
    Some(String::from_utf8_lossy(rest.get(..usize::from(*len))?).into_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    use proptest::prelude::*;
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

    fn authority(name: &str) -> (CertificateParams, KeyPair) {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, "Example");
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        (params, KeyPair::generate().unwrap())
    }

    #[test]
    fn the_first_one_that_was_not_sent_is_named() {
        let ((root, root_key), (middle, middle_key)) = (authority("Root CA"), authority("Mid CA"));
        let root_cert = root.self_signed(&root_key).unwrap();
        let root = Issuer::new(root, root_key);
        let middle_cert = middle.signed_by(&middle_key, &root).unwrap();
        let middle = Issuer::new(middle, middle_key);
        let leaf = CertificateParams::new(["h.example".to_owned()]).unwrap();
        let leaf = leaf.signed_by(&KeyPair::generate().unwrap(), &middle).unwrap();
        let (root, middle, leaf) = (root_cert.der(), middle_cert.der(), leaf.der());
        let found = |above: &[&CertificateDer<'_>]| {
            let above: Vec<_> = above.iter().map(|&der| der.clone()).collect();
            let found = missing(leaf, &above).unwrap();
            (found.name, found.was_sent)
        };
        assert_eq!(found(&[]), ("Mid CA".to_owned(), false));
        assert_eq!(found(&[root]), ("Mid CA".to_owned(), false));
        assert_eq!(found(&[middle]), ("Root CA".to_owned(), false));
        assert_eq!(found(&[root, middle]), ("Root CA".to_owned(), true));
    }

    #[test]
    fn without_a_common_name_another_says_it() {
        let organisation = [&[6, 3, 0x55, 4, 10, 12, 3][..], b"ACME"].concat();
        assert_eq!(name(&organisation).as_deref(), Some("ACM"));
        assert_eq!(name(&organisation[..8]), None);
    }

    proptest! {
        #[test]
        fn whatever_a_server_sends_is_looked_at(server: Vec<u8>, above: Vec<Vec<u8>>, dn: Vec<u8>) {
            let above: Vec<_> = above.into_iter().map(CertificateDer::from).collect();
            prop_assert_eq!(missing(&CertificateDer::from(server), &above), None);
            let _ = name(&[&[6, 3, 0x55, 4, 3][..], &dn].concat());
        }
    }
}
