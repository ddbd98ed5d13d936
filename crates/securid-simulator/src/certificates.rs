//! A private CA that exists for one run, and the server's certificate.

use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{self, ServerConfig};

/// Backwards, for a client whose clock is behind.
const VALID_BEFORE_NOW: Duration = Duration::from_secs(24 * 3600);

/// Long enough for a demo left running; below the 825 days beyond which macOS trusts no certificate.
const VALID_AFTER_NOW: Duration = Duration::from_secs(365 * 24 * 3600);

/// A name of the server that no name service knows (RFC 2606): for clients behind a proxy, which
/// looks names up itself.
pub const NAME: &str = "securid-simulator.test";

pub(crate) struct Certificates {
    /// The CA's certificate: what a client has to trust.
    pub(crate) ca_pem: String,
    pub(crate) server: Arc<ServerConfig>,
}

impl Certificates {
    pub(crate) fn generate() -> io::Result<Self> {
        let ca = certificate_authority().map_err(io::Error::other)?;
        let (leaf, key) = leaf(&ca).map_err(io::Error::other)?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| {
                builder.with_no_client_auth().with_single_cert(vec![leaf.der().clone()], key)
            })
            .map_err(io::Error::other)?;
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { ca_pem: ca.pem(), server: Arc::new(server) })
    }
}

fn certificate_authority() -> Result<CertifiedIssuer<'static, KeyPair>, rcgen::Error> {
    let mut params = valid_now(CertificateParams::default());
    // Named anew each time: a client that trusts another simulator's CA finds no issuer at all,
    // rather than one of the right name and the wrong key.
    let name = format!("securid-simulator private CA {:08x}", fastrand::u32(..));
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    CertifiedIssuer::self_signed(params, KeyPair::generate()?)
}

fn leaf(
    ca: &CertifiedIssuer<'static, KeyPair>,
) -> Result<(rcgen::Certificate, KeyPair), rcgen::Error> {
    let names = ["localhost", "127.0.0.1", "::1", NAME].map(str::to_owned);
    let mut params = valid_now(CertificateParams::new(names)?);
    params.distinguished_name.push(DnType::CommonName, "localhost");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    Ok((params.signed_by(&key, ca)?, key))
}

fn valid_now(mut params: CertificateParams) -> CertificateParams {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = rcgen::date_time_ymd(1970, 1, 1) + since_epoch;
    params.not_before = now - VALID_BEFORE_NOW;
    params.not_after = now + VALID_AFTER_NOW;
    params
}
