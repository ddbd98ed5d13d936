//! A private CA of two levels that exists for one run, the server's certificates, and its clients'.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{self, RootCertStore, ServerConfig};

/// Backwards, for a client whose clock is behind.
const VALID_BEFORE_NOW: Duration = Duration::from_secs(24 * 3600);

/// Long enough for a demo left running; below the 825 days beyond which macOS trusts no certificate.
const VALID_AFTER_NOW: Duration = Duration::from_secs(365 * 24 * 3600);

/// Less than the two weeks before its end in which a certificate is to be renewed, and half a day off the full one:
/// whoever counts days counts the same all day.
const VALID_SOON: Duration = Duration::from_secs(10 * 24 * 3600 + 12 * 3600);

/// A name of the server that no name service knows (RFC 2606): for clients behind a proxy, which
/// looks names up itself.
pub const NAME: &str = "securid-simulator.test";

/// The names in the server's certificate.
const NAMES: [&str; 4] = ["localhost", "127.0.0.1", "::1", NAME];

/// What is said of certificates when a client connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Handshake {
    /// What the server shows for itself.
    pub chain: Chain,
    /// Whether clients have to show a certificate of its CA.
    pub wants_certificate: bool,
}

/// What the server shows for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Chain {
    /// Its certificate, and that of the CA that has issued it. All is well.
    #[default]
    Whole,
    /// Its certificate alone.
    NoIntermediate,
    /// A certificate for another host.
    OfAnotherName,
    /// A certificate of the wrong time.
    OfAnotherTime(Validity),
    /// A certificate of a CA that nobody knows.
    OfAnotherCa,
}

/// When a certificate counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    /// Now.
    Now,
    /// For ten days yet.
    Soon,
    /// No more.
    Past,
    /// Not yet.
    Future,
}

/// A certificate that a client can show, in PEM.
#[derive(Debug, Clone)]
pub struct ClientCertificate {
    /// The certificate, and that of the CA that has issued it, without which the server knows nobody.
    pub chain: String,
    /// Its private key (PKCS #8).
    pub key: String,
}

type Ca = CertifiedIssuer<'static, KeyPair>;

/// The two CAs, and what the server shows at the moment.
pub(crate) struct Certificates {
    root: Ca,
    root_pem: String,
    intermediate: Ca,
    intermediate_pem: String,
    provider: Arc<CryptoProvider>,
    shown: Mutex<Arc<ServerConfig>>,
    /// Clients' certificates and their names.
    issued: Mutex<Vec<(CertificateDer<'static>, String)>>,
}

impl Certificates {
    pub(crate) fn generate(handshake: Handshake) -> io::Result<Self> {
        let (root, intermediate) = authorities().map_err(io::Error::other)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let shown = config(&provider, &root, &intermediate, handshake)?;
        Ok(Self {
            root_pem: root.pem(),
            root,
            intermediate_pem: intermediate.pem(),
            intermediate,
            provider,
            shown: Mutex::new(Arc::new(shown)),
            issued: Mutex::default(),
        })
    }

    pub(crate) fn root_pem(&self) -> &str {
        &self.root_pem
    }

    pub(crate) fn intermediate_pem(&self) -> &str {
        &self.intermediate_pem
    }

    /// For one connection that begins now.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        TlsAcceptor::from(Arc::clone(&shown))
    }

    pub(crate) fn show(&self, handshake: Handshake) -> io::Result<()> {
        let config = config(&self.provider, &self.root, &self.intermediate, handshake)?;
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
        Ok(())
    }

    pub(crate) fn issue(&self, name: &str, validity: Validity) -> io::Result<ClientCertificate> {
        let usage = ExtendedKeyUsagePurpose::ClientAuth;
        let params = leaf(name, &[name], usage, validity).map_err(io::Error::other)?;
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let made = params.signed_by(&key, &self.intermediate).map_err(io::Error::other)?;
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        issued.push((made.der().clone(), name.to_owned()));
        let chain = format!("{}{}", made.pem(), self.intermediate_pem);
        Ok(ClientCertificate { chain, key: key.serialize_pem() })
    }

    /// Whose certificate a client has shown: only those issued here are let in.
    pub(crate) fn name_in(&self, shown: &[CertificateDer<'_>]) -> String {
        let issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        let known = issued.iter().find(|(der, _)| shown.first() == Some(der));
        known.map(|(_, name)| name.clone()).unwrap_or_default()
    }
}

fn config(
    provider: &Arc<CryptoProvider>,
    root: &Ca,
    intermediate: &Ca,
    Handshake { chain, wants_certificate }: Handshake,
) -> io::Result<ServerConfig> {
    let (chain, key) = chain_of(intermediate, chain).map_err(io::Error::other)?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let builder = ServerConfig::builder_with_provider(Arc::clone(provider))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?;
    let builder = if wants_certificate {
        let mut roots = RootCertStore::empty();
        roots.add(root.der().clone()).map_err(io::Error::other)?;
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
        builder.with_client_cert_verifier(verifier.build().map_err(io::Error::other)?)
    } else {
        builder.with_no_client_auth()
    };
    let mut config = builder.with_single_cert(chain, key).map_err(io::Error::other)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn chain_of(
    intermediate: &Ca,
    chain: Chain,
) -> Result<(Vec<CertificateDer<'static>>, KeyPair), rcgen::Error> {
    let elsewhere = ["elsewhere.example"];
    let (names, validity) = match chain {
        Chain::OfAnotherName => (&elsewhere[..], Validity::Now),
        Chain::OfAnotherTime(validity) => (&NAMES[..], validity),
        Chain::Whole | Chain::NoIntermediate | Chain::OfAnotherCa => (&NAMES[..], Validity::Now),
    };
    let params = leaf("localhost", names, ExtendedKeyUsagePurpose::ServerAuth, validity)?;
    let key = KeyPair::generate()?;
    let (certificate, above) = match chain {
        Chain::NoIntermediate => (params.signed_by(&key, intermediate)?, None),
        Chain::OfAnotherCa => {
            let (_, stranger) = authorities()?;
            (params.signed_by(&key, &stranger)?, Some(stranger.der().clone()))
        }
        Chain::Whole | Chain::OfAnotherName | Chain::OfAnotherTime(_) => {
            (params.signed_by(&key, intermediate)?, Some(intermediate.der().clone()))
        }
    };
    let chain = [certificate.der().clone()].into_iter().chain(above);
    Ok((chain.collect(), key))
}

/// A root, and a CA below it. Named anew each time: a client that trusts another simulator's CA finds no issuer at
/// all, rather than one of the right name and the wrong key.
fn authorities() -> Result<(Ca, Ca), rcgen::Error> {
    let number = fastrand::u32(..);
    let params = |what: &str, below| {
        let mut params = CertificateParams::default();
        set_validity(&mut params, Validity::Now);
        let name = format!("securid-simulator {what} CA {number:08x}");
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(below));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params
    };
    let root = CertifiedIssuer::self_signed(params("private", 1), KeyPair::generate()?)?;
    let below = CertifiedIssuer::signed_by(params("issuing", 0), KeyPair::generate()?, &root)?;
    Ok((root, below))
}

fn leaf(
    name: &str,
    names: &[&str],
    usage: ExtendedKeyUsagePurpose,
    validity: Validity,
) -> Result<CertificateParams, rcgen::Error> {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(names)?;
    set_validity(&mut params, validity);
    params.distinguished_name.push(DnType::CommonName, name);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![usage];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn set_validity(params: &mut CertificateParams, validity: Validity) {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = rcgen::date_time_ymd(1970, 1, 1) + since_epoch;
    (params.not_before, params.not_after) = match validity {
        Validity::Now => (now - VALID_BEFORE_NOW, now + VALID_AFTER_NOW),
        Validity::Soon => (now - VALID_BEFORE_NOW, now + VALID_SOON),
        Validity::Past => (now - VALID_AFTER_NOW, now - VALID_BEFORE_NOW),
        Validity::Future => (now + VALID_BEFORE_NOW, now + VALID_AFTER_NOW),
    };
}
