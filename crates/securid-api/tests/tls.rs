//! Whom the client trusts.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod responder;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair,
};
use responder::{AMPLE, Act, JSON_REPLY, Responder, answer, token};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, SupportedProtocolVersion};
use securid_api::{
    Access, Client, Endpoint, Failure, FailureKind, Format, LoginError, LoginRequest, LogoutReply,
    Proxies,
};
use securid_secret::Secret;
use tempfile::TempDir;
use tokio_rustls::TlsAcceptor;

type Ca = CertifiedIssuer<'static, KeyPair>;

fn ca(name: &str) -> Ca {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn params(name: &str) -> CertificateParams {
    CertificateParams::new(vec![name.to_owned()]).unwrap()
}

/// A server that shows this chain.
fn serving(chain: Vec<CertificateDer<'static>>, key: &KeyPair) -> TlsAcceptor {
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth();
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    Arc::new(config.with_single_cert(chain, key).unwrap()).into()
}

/// A server with a certificate of `ca`, which speaks these versions only.
fn acceptor_of(
    ca: &Ca,
    params: CertificateParams,
    versions: &[&'static SupportedProtocolVersion],
) -> TlsAcceptor {
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, ca).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth();
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    Arc::new(config.with_single_cert(vec![certificate.der().clone()], key).unwrap()).into()
}

/// A server with a certificate of `ca`, which asks clients for one of the same if `mutual`.
fn acceptor(ca: &Ca, params: CertificateParams, mutual: bool) -> TlsAcceptor {
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, ca).unwrap();
    let provider = Arc::new(ring::default_provider());
    let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap();
    let config = if mutual {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(ca.der().clone()).unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        config.with_client_cert_verifier(verifier.build().unwrap())
    } else {
        config.with_no_client_auth()
    };
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    Arc::new(config.with_single_cert(vec![certificate.der().clone()], key).unwrap()).into()
}

fn pem_file(ca: &Ca) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, ca.pem()).unwrap();
    (folder, file)
}

fn says_done() -> Act {
    Act::Say(answer("200 OK", "", JSON_REPLY))
}

fn trusting(ca_file: &Path) -> Access {
    Access { ca_file: Some(ca_file.to_owned()), ..Access::default() }
}

async fn logout(port: u16, ca_file: &Path, deadline: Duration) -> LogoutReply {
    let endpoint = Endpoint::parse(&format!("https://127.0.0.1:{port}/aveksa")).unwrap();
    let client =
        Client::new(endpoint, &trusting(ca_file), Format::Json, &Proxies::default()).unwrap();
    client.logout(&token(), deadline).await
}

async fn login(port: u16, ca_file: &Path) -> LoginError {
    let endpoint = Endpoint::parse(&format!("https://127.0.0.1:{port}/aveksa")).unwrap();
    let client =
        Client::new(endpoint, &trusting(ca_file), Format::Json, &Proxies::default()).unwrap();
    let password = Secret::from("s3cret");
    let login = LoginRequest { username: "me".into(), password, auth_source: None };
    client.login(login, AMPLE).await.unwrap_err()
}

async fn failure(server: &Responder, ca_file: &Path, deadline: Duration) -> Failure {
    match logout(server.port, ca_file, deadline).await {
        LogoutReply::Unconfirmed(failure) => {
            assert_eq!(server.requests(), [""; 0], "no token may have gone out");
            failure
        }
        LogoutReply::Confirmed(confirmation) => panic!("{confirmation:?}"),
    }
}

#[track_caller]
fn expect(failure: &Failure, kind: FailureKind, words: &str) {
    assert_eq!(failure.kind, kind, "{failure}");
    assert!(failure.message.contains(words), "{failure}");
}

#[tokio::test]
async fn a_ca_file_makes_its_servers_trusted() {
    let ca = ca("ours");
    let (_folder, file) = pem_file(&ca);
    let server = Responder::start_tls(says_done(), acceptor(&ca, params("127.0.0.1"), false)).await;
    let reply = logout(server.port, &file, AMPLE).await;
    assert!(matches!(reply, LogoutReply::Confirmed(_)), "{reply:?}");
}

// On Windows the system says why, and Wine says it otherwise.
#[cfg(unix)]
#[tokio::test]
async fn a_server_of_another_ca_is_not_trusted() {
    let (_folder, file) = pem_file(&ca("ours"));
    for (name, words) in [("theirs", "add its CA as ca_file"), ("ours", "is ca_file out of date?")]
    {
        let other = acceptor(&ca(name), params("127.0.0.1"), false);
        let server = Responder::start_tls(says_done(), other).await;
        let failure = failure(&server, &file, AMPLE).await;
        expect(&failure, FailureKind::Tls, "the server's certificate is not trusted");
        expect(&failure, FailureKind::Tls, words);
    }
}

#[tokio::test]
async fn a_certificate_for_another_name_is_not_taken() {
    let ca = ca("ours");
    let (_folder, file) = pem_file(&ca);
    let other = acceptor(&ca, params("iga.example.com"), false);
    let server = Responder::start_tls(says_done(), other).await;
    let failure = failure(&server, &file, AMPLE).await;
    expect(&failure, FailureKind::Tls, "for another name");
    expect(&failure, FailureKind::Tls, "iga.example.com");
}

#[tokio::test]
async fn only_a_certificate_for_this_server_and_this_time_is_taken() {
    let ca = ca("ours");
    let (_folder, file) = pem_file(&ca);
    let usual = |change: fn(&mut CertificateParams)| {
        let mut params = params("127.0.0.1");
        change(&mut params);
        params
    };
    let expired = usual(|params| params.not_after = rcgen::date_time_ymd(2020, 1, 1));
    let early = usual(|params| params.not_before = rcgen::date_time_ymd(4000, 1, 1));
    let for_clients =
        usual(|params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]);
    let authority = usual(|params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained));
    let mut in_the_title = params("iga.example.com");
    in_the_title.distinguished_name.push(DnType::CommonName, "127.0.0.1");
    let nameless = usual(|params| params.subject_alt_names = Vec::new());
    for (params, words) in [
        (nameless, "is for another name: for no host, and not for 127.0.0.1; write the url with"),
        (expired, "out of date, or this machine's clock is wrong: it ended on 2020-01-01"),
        (early, "not valid yet, or this machine's clock is wrong: it begins on 4000-01-01"),
        (
            params("127.0.0.2"),
            "the server's certificate is for another name: for 127.0.0.2, and not for",
        ),
        (params("localhost"), "the server's certificate is for another name"),
        (in_the_title, "the server's certificate is for another name"),
        (for_clients, "is not accepted: it is not meant for servers"),
        (authority, "is not accepted: it is a CA's own (CA:TRUE)"),
    ] {
        let server = Responder::start_tls(says_done(), acceptor(&ca, params, false)).await;
        expect(&failure(&server, &file, AMPLE).await, FailureKind::Tls, words);
        let refused = login(server.port, &file).await;
        let LoginError::Unreachable(failure) = refused else { panic!("{refused:?}") };
        expect(&failure, FailureKind::Tls, words);
        assert_eq!(server.requests(), [""; 0], "no password may have gone out");
    }
}

/// Shows its first certificate once, and then the second.
#[derive(Debug)]
struct Renewed(Mutex<Vec<Arc<CertifiedKey>>>);

impl ResolvesServerCert for Renewed {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let mut left = self.0.lock().unwrap();
        if left.len() > 1 { left.pop() } else { left.last().cloned() }
    }
}

#[tokio::test]
async fn a_certificate_is_looked_at_on_each_connection() {
    let ca = ca("ours");
    let (_folder, file) = pem_file(&ca);
    let mut expired = params("127.0.0.1");
    expired.not_after = rcgen::date_time_ymd(2020, 1, 1);
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        // The last is shown first.
        let certificates = [expired.clone(), params("127.0.0.1")].map(|params| {
            let key = KeyPair::generate().unwrap();
            let certificate = params.signed_by(&key, &ca).unwrap();
            let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
            let chain = vec![certificate.der().clone()];
            Arc::new(CertifiedKey::from_der(chain, key, &ring::default_provider()).unwrap())
        });
        // Its sessions can be taken up again, as is usual.
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Renewed(Mutex::new(certificates.into()))));
        let act = Act::Say(answer("200 OK", "Connection: close\r\n", JSON_REPLY));
        let server = Responder::start_tls(act, Arc::new(config).into()).await;
        let endpoint = Endpoint::parse(&format!("https://127.0.0.1:{}/aveksa", server.port));
        let client =
            Client::new(endpoint.unwrap(), &trusting(&file), Format::Json, &Proxies::default());
        let client = client.unwrap();
        let reply = client.logout(&token(), AMPLE).await;
        assert!(matches!(reply, LogoutReply::Confirmed(_)), "{version:?}: {reply:?}");
        let LogoutReply::Unconfirmed(failure) = client.logout(&token(), AMPLE).await else {
            panic!("{version:?}: confirmed by whom?")
        };
        expect(&failure, FailureKind::Tls, "it ended on 2020-01-01");
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_certificate_that_vouches_for_itself_is_taken_only_as_ca_file() {
    let (folder, file) = pem_file(&ca("ours"));
    let key = KeyPair::generate().unwrap();
    let mut alone = params("127.0.0.1");
    alone.is_ca = IsCa::ExplicitNoCa;
    let alone = alone.self_signed(&key).unwrap();
    let itself = folder.path().join("itself.pem");
    std::fs::write(&itself, alone.pem()).unwrap();
    let server = Responder::start_tls(says_done(), serving(vec![alone.der().clone()], &key)).await;
    let failure = failure(&server, &file, AMPLE).await;
    expect(
        &failure,
        FailureKind::Tls,
        "its issuer \"rcgen self signed cert\" is unknown here; add its CA as ca_file",
    );
    let reply = logout(server.port, &itself, AMPLE).await;
    assert!(matches!(reply, LogoutReply::Confirmed(_)), "{reply:?}");
}

#[tokio::test]
async fn who_is_no_authority_cannot_vouch() {
    // A server's own certificate, good as such, that has signed another one.
    let ca = ca("ours");
    let (_folder, file) = pem_file(&ca);
    for is_ca in [IsCa::NoCa, IsCa::ExplicitNoCa] {
        let mut middle = params("other.example.com");
        middle.is_ca = is_ca;
        middle.distinguished_name.push(DnType::CommonName, "middle");
        let middle = CertifiedIssuer::signed_by(middle, KeyPair::generate().unwrap(), &ca).unwrap();
        let key = KeyPair::generate().unwrap();
        let leaf = params("127.0.0.1").signed_by(&key, &middle).unwrap();
        let chain = vec![leaf.der().clone(), middle.der().clone()];
        let server = Responder::start_tls(says_done(), serving(chain, &key)).await;
        let failure = failure(&server, &file, AMPLE).await;
        expect(&failure, FailureKind::Tls, "is not accepted: who issued it is no CA");
    }
}

#[tokio::test]
async fn tls_is_1_2_or_newer() {
    let ca = ca("ours");
    let (_folder, file) = pem_file(&ca);
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let acceptor = acceptor_of(&ca, params("127.0.0.1"), &[version]);
        let server = Responder::start_tls(says_done(), acceptor).await;
        let reply = logout(server.port, &file, AMPLE).await;
        assert!(matches!(reply, LogoutReply::Confirmed(_)), "{version:?}: {reply:?}");
    }
    // What a server says that knows no newer version: its hello, or that it will not.
    let hello = |minor: u8| {
        let mut body = vec![3, minor];
        body.extend([7; 32]);
        // No session, TLS_RSA_WITH_AES_128_CBC_SHA, no compression.
        body.extend([0, 0, 0x2f, 0]);
        let length = u8::try_from(body.len()).unwrap();
        [vec![22, 3, minor, 0, length + 4, 2, 0, 0, length], body].concat()
    };
    let protocol_version = vec![21, 3, 1, 0, 2, 2, 70];
    for said in [hello(0), hello(1), hello(2), protocol_version] {
        let server = Responder::start(Act::Greet(said)).await;
        let failure = failure(&server, &file, AMPLE).await;
        expect(&failure, FailureKind::Tls, "speaks neither TLS 1.2 nor TLS 1.3");
    }
}

#[tokio::test]
async fn a_missing_client_certificate_is_told() {
    let ca = ca("ours");
    let (_folder, file) = pem_file(&ca);
    let server = Responder::start_tls(says_done(), acceptor(&ca, params("127.0.0.1"), true)).await;
    let failure = failure(&server, &file, AMPLE).await;
    expect(&failure, FailureKind::Tls, "the server refuses");
}

#[tokio::test]
async fn a_port_without_tls_is_told() {
    let (_folder, file) = pem_file(&ca("ours"));
    let server = Responder::start(Act::SayAndClose(answer("400 Bad", "", "plain"))).await;
    // A TLS client greets with a line's worth of binary: the responder waits for a blank line.
    let plain = failure(&server, &file, Duration::from_millis(300)).await;
    expect(&plain, FailureKind::Timeout, "no answer within 300ms");
    let server = Responder::start(Act::HangUp).await;
    let hung_up = failure(&server, &file, AMPLE).await;
    expect(&hung_up, FailureKind::Cut, "does it speak TLS?");
}

#[tokio::test]
async fn a_truncated_tls_stream_does_not_confirm() {
    // The content would end with the connection, but the connection does not end as TLS ends.
    let ca = ca("ours");
    let (_folder, file) = pem_file(&ca);
    let reply = format!("HTTP/1.1 200 OK\r\n\r\n{JSON_REPLY}");
    let acceptor = acceptor(&ca, params("127.0.0.1"), false);
    let drops = Act::SayAndDrop(reply.clone().into());
    let server = Responder::start_tls(drops, acceptor.clone()).await;
    let cut = logout(server.port, &file, AMPLE).await;
    let LogoutReply::Unconfirmed(failure) = cut else { panic!("{cut:?}") };
    expect(&failure, FailureKind::Cut, "before the end of the answer (HTTP 200)");
    let server = Responder::start_tls(Act::SayAndClose(reply.into()), acceptor).await;
    let whole = logout(server.port, &file, AMPLE).await;
    assert!(matches!(whole, LogoutReply::Confirmed(_)), "{whole:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn an_empty_root_store_leaves_ca_file() {
    let test = "an_empty_root_store_leaves_ca_file";
    let empty = tempfile::tempdir().unwrap();
    let variables = [("SSL_CERT_DIR", empty.path()), ("SSL_CERT_FILE", Path::new(""))];
    if in_a_process_of_its_own(test, &variables) {
        let endpoint = |url| Endpoint::parse(url).unwrap();
        let new = |url, ca: Option<&Path>| {
            let ca = ca.map_or_else(Access::default, trusting);
            Client::new(endpoint(url), &ca, Format::Json, &Proxies::default())
        };
        let error = new("https://h/aveksa", None).unwrap_err();
        assert!(matches!(error, securid_api::SetupError::NoTrust(_)), "{error}");
        assert!(error.to_string().contains("set ca_file"), "{error}");
        let (_folder, file) = pem_file(&ca("ours"));
        new("https://h/aveksa", Some(&file)).unwrap();
        new("http://127.0.0.1/aveksa", None).unwrap();
    }
}

/// As with every program that reads the system's root store: the variable stands in its place.
#[cfg(target_os = "linux")]
#[test]
fn ssl_cert_file_stands_in_the_place_of_the_systems_roots() {
    let test = "ssl_cert_file_stands_in_the_place_of_the_systems_roots";
    let folder = tempfile::tempdir().unwrap();
    let roots = folder.path().join("roots.pem");
    if in_a_process_of_its_own(test, &[("SSL_CERT_FILE", &roots)]) {
        let roots = std::env::var_os("SSL_CERT_FILE").unwrap();
        let ours = ca("ours");
        std::fs::write(roots, ours.pem()).unwrap();
        in_a_runtime(async {
            for (ca, trusted) in [(&ours, true), (&ca("theirs"), false)] {
                let acceptor = acceptor(ca, params("127.0.0.1"), false);
                let server = Responder::start_tls(says_done(), acceptor).await;
                let url = format!("https://127.0.0.1:{}/aveksa", server.port);
                let endpoint = Endpoint::parse(&url).unwrap();
                let client =
                    Client::new(endpoint, &Access::default(), Format::Json, &Proxies::default());
                match client.unwrap().logout(&token(), AMPLE).await {
                    LogoutReply::Confirmed(_) => assert!(trusted),
                    LogoutReply::Unconfirmed(failure) => {
                        assert!(!trusted, "{failure}");
                        expect(&failure, FailureKind::Tls, "add its CA as ca_file");
                    }
                }
            }
        });
    }
}

/// Keys of TLS sessions are written nowhere, whoever asks for them.
#[cfg(target_os = "linux")]
#[test]
fn sslkeylogfile_does_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys");
    if in_a_process_of_its_own("sslkeylogfile_does_nothing", &[("SSLKEYLOGFILE", &keys)]) {
        in_a_runtime(async {
            let ca = ca("ours");
            let (_folder, file) = pem_file(&ca);
            let acceptor = acceptor(&ca, params("127.0.0.1"), false);
            let server = Responder::start_tls(says_done(), acceptor).await;
            let reply = logout(server.port, &file, AMPLE).await;
            assert!(matches!(reply, LogoutReply::Confirmed(_)), "{reply:?}");
        });
    }
    assert!(!keys.exists());
}

#[cfg(target_os = "linux")]
fn in_a_runtime<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// Runs `test` again with these variables (an empty one is unset); true inside of that.
#[cfg(target_os = "linux")]
fn in_a_process_of_its_own(test: &str, variables: &[(&str, &Path)]) -> bool {
    const INSIDE: &str = "SECURID_API_TEST_INSIDE";
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let mut run = std::process::Command::new(std::env::current_exe().unwrap());
    run.args(["--exact", test, "--nocapture"]).env(INSIDE, "1");
    for (name, value) in variables {
        match value.as_os_str().is_empty() {
            true => run.env_remove(name),
            false => run.env(name, value),
        };
    }
    let done = run.output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success() && said.contains("1 passed"), "{done:?}");
    false
}
