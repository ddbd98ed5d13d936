//! Whom the client trusts.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod responder;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use responder::{AMPLE, Act, JSON_REPLY, Responder, answer, token};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use securid_api::{
    Client, Endpoint, Failure, FailureKind, Format, LogoutReply, Proxies, SetupError,
};
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

async fn logout(port: u16, ca_file: &Path, deadline: Duration) -> LogoutReply {
    let endpoint = Endpoint::parse(&format!("https://127.0.0.1:{port}/aveksa")).unwrap();
    let client = Client::new(endpoint, Some(ca_file), Format::Json, &Proxies::default()).unwrap();
    client.logout(&token(), deadline).await
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
async fn an_expired_certificate_is_not_taken() {
    let ca = ca("ours");
    let (_folder, file) = pem_file(&ca);
    let mut params = params("127.0.0.1");
    params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    let server = Responder::start_tls(says_done(), acceptor(&ca, params, false)).await;
    let failure = failure(&server, &file, AMPLE).await;
    expect(&failure, FailureKind::Tls, "the server's certificate is out of date");
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

/// Runs again in a process of its own, whose system root store is empty.
#[cfg(target_os = "linux")]
#[test]
fn an_empty_root_store_leaves_ca_file() {
    const INSIDE: &str = "SECURID_API_TEST_EMPTY_ROOTS";
    if std::env::var_os(INSIDE).is_some() {
        let endpoint = |url| Endpoint::parse(url).unwrap();
        let new = |url, ca: Option<&Path>| {
            Client::new(endpoint(url), ca, Format::Json, &Proxies::default())
        };
        let error = new("https://h/aveksa", None).unwrap_err();
        assert!(matches!(error, SetupError::NoTrust(_)), "{error}");
        assert!(error.to_string().contains("set ca_file"), "{error}");
        let (_folder, file) = pem_file(&ca("ours"));
        new("https://h/aveksa", Some(&file)).unwrap();
        new("http://127.0.0.1/aveksa", None).unwrap();
        return;
    }
    let empty = tempfile::tempdir().unwrap();
    let run = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "an_empty_root_store_leaves_ca_file", "--nocapture"])
        .env(INSIDE, "1")
        .env("SSL_CERT_DIR", empty.path())
        .env_remove("SSL_CERT_FILE")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && said.contains("1 passed"), "{run:?}");
}
