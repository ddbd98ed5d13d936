//! What it takes to get at an endpoint, besides its address.

use std::path::PathBuf;

/// Whom to trust there, who we say we are, and the way. [`Default`]: the system's authorities, nobody, and
/// whatever the environment says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// A PEM file with certificate authorities that are trusted besides the system's.
    pub ca_file: Option<PathBuf>,
    /// The certificate that we show when the server asks for one.
    pub client: Option<ClientFiles>,
    /// What the config says of proxies.
    pub proxy: ProxySettings,
}

/// Two PEM files, which may be the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientFiles {
    /// The certificate, and behind it those that lead to one which the server knows.
    pub cert: PathBuf,
    /// Its private key: PKCS #8, PKCS #1 or SEC 1, without a passphrase.
    pub key: PathBuf,
}

/// What a config says of proxies. Where it names none, the environment counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProxySettings {
    /// `http://HOST:PORT`, or [`NO_PROXY`](crate::NO_PROXY). With it the environment's variables count for
    /// nothing.
    pub proxy: Option<String>,
    /// The servers that are reached without it, as `NO_PROXY` has them, and in its place.
    pub no_proxy: Option<String>,
    /// A file with `USER:PASSWORD`, read for each connection, for a proxy whose URL has none.
    pub credentials_file: Option<PathBuf>,
}
