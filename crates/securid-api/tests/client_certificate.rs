//! The certificate that we show to a server which asks for one, and what a server may have against it.
#![allow(clippy::unwrap_used, clippy::expect_used)]
// With modes; what Windows has instead is tested where it is judged (securid-trust).
#![cfg(unix)]

mod responder;

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use responder::{AMPLE, Act, JSON_REPLY, Responder, answer, token};
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use securid_api::{
    Access, Client, ClientFiles, Endpoint, Failure, FailureKind, Format, LogoutReply, Proxies,
};
use tempfile::TempDir;

type Ca = CertifiedIssuer<'static, KeyPair>;

fn ca(name: &str) -> Ca {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn below(name: &str, ca: &Ca) -> Ca {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::signed_by(params, KeyPair::generate().unwrap(), ca).unwrap()
}

/// A server of `ca` that lets in only who shows a certificate of `ca`, and speaks this version only.
async fn server(ca: &Ca, version: &'static SupportedProtocolVersion) -> Responder {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, ca).unwrap();
    let provider = Arc::new(ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(ca.der().clone()).unwrap();
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let says_done = Act::Say(answer("200 OK", "", JSON_REPLY));
    Responder::start_tls(says_done, Arc::new(config).into()).await
}

/// The files of one client.
struct Files {
    folder: TempDir,
    cert: PathBuf,
    key: PathBuf,
}

impl Files {
    fn new(cert: &str, key: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (cert_file, key_file) =
            (folder.path().join("client.pem"), folder.path().join("key.pem"));
        fs::write(&cert_file, cert).unwrap();
        fs::write(&key_file, key).unwrap();
        fs::set_permissions(&key_file, Permissions::from_mode(0o600)).unwrap();
        Self { folder, cert: cert_file, key: key_file }
    }

    /// What a client of `ca` has whose key was written like this.
    fn of(ca: &Ca, params: &CertificateParams, key: &KeyPair, written: &str) -> Self {
        Self::new(&params.signed_by(key, ca).unwrap().pem(), written)
    }

    fn client(&self, server: &Responder, ca: &Ca) -> Result<Client, String> {
        let ca_file = self.folder.path().join("ca.pem");
        fs::write(&ca_file, ca.pem()).unwrap();
        let client = Some(ClientFiles { cert: self.cert.clone(), key: self.key.clone() });
        let access = Access { ca_file: Some(ca_file), client, ..Access::default() };
        let endpoint =
            Endpoint::parse(&format!("https://127.0.0.1:{}/aveksa", server.port)).unwrap();
        Client::new(endpoint, &access, Format::Json, &Proxies::default())
            .map_err(|error| error.to_string())
    }
}

fn me() -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, "me");
    params
}

/// openssl's own hand.
fn openssl(words: &[&str], input: &str) -> String {
    let mut openssl = Command::new("openssl");
    openssl.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut openssl = openssl.spawn().expect("openssl is installed");
    openssl.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let made = openssl.wait_with_output().unwrap();
    assert!(made.status.success(), "{words:?}");
    String::from_utf8(made.stdout).unwrap()
}

async fn refused(client: &Client, server: &Responder) -> Failure {
    let reply = client.logout(&token(), AMPLE).await;
    let LogoutReply::Unconfirmed(failure) = reply else { panic!("{reply:?}") };
    assert_eq!(server.requests(), [""; 0], "no token may have gone out");
    assert_eq!(failure.kind, FailureKind::Tls, "{failure}");
    failure
}

#[tokio::test]
async fn keys_of_all_usual_forms_are_taken() {
    let ca = ca("ours");
    let ec = openssl(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"], "");
    let rsa = openssl(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], "");
    let ed = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap().serialize_pem();
    // As `openssl ecparam -genkey` writes it: the curve stands before the key.
    let sec1 = openssl(&["ec"], &ec);
    let with_curve =
        format!("-----BEGIN EC PARAMETERS-----\nBgUrgQQAIg==\n-----END EC PARAMETERS-----\n{sec1}");
    for (form, key, begin) in [
        ("EC, PKCS #8", &ec, "BEGIN PRIVATE KEY"),
        ("EC, SEC 1", &sec1, "BEGIN EC PRIVATE KEY"),
        ("EC, with its curve", &with_curve, "BEGIN EC PARAMETERS"),
        ("RSA, PKCS #8", &rsa, "BEGIN PRIVATE KEY"),
        ("RSA, PKCS #1", &openssl(&["rsa", "-traditional"], &rsa), "BEGIN RSA PRIVATE KEY"),
        ("Ed25519", &ed, "BEGIN PRIVATE KEY"),
    ] {
        assert!(key.contains(begin), "{form}");
        let parsed = KeyPair::from_pem(match form {
            "EC, SEC 1" | "EC, with its curve" => &ec,
            "RSA, PKCS #1" => &rsa,
            _ => key,
        });
        let files = Files::of(&ca, &me(), &parsed.unwrap(), key);
        for version in [&TLS12, &TLS13] {
            let server = server(&ca, version).await;
            let client = files.client(&server, &ca).unwrap();
            let reply = client.logout(&token(), AMPLE).await;
            assert!(matches!(reply, LogoutReply::Confirmed(_)), "{form}, {version:?}: {reply:?}");
        }
    }
}

#[tokio::test]
async fn a_chain_is_shown_and_what_is_read_is_what_is_there_now() {
    let ca = ca("ours");
    let middle = below("middle", &ca);
    let key = KeyPair::generate().unwrap();
    let own = me().signed_by(&key, &middle).unwrap().pem();
    let files = Files::new(&format!("{own}{}", middle.pem()), &key.serialize_pem());
    for version in [&TLS12, &TLS13] {
        let server = server(&ca, version).await;
        fs::write(&files.cert, &own).unwrap();
        let client = files.client(&server, &ca).unwrap();
        let failure = refused(&client, &server).await;
        assert!(failure.message.contains("for it does not know who issued it"), "{failure}");
        // The same client, and the next connection.
        fs::write(&files.cert, format!("{own}{}", middle.pem())).unwrap();
        let reply = client.logout(&token(), AMPLE).await;
        assert!(matches!(reply, LogoutReply::Confirmed(_)), "{version:?}: {reply:?}");
    }
}

#[tokio::test]
async fn what_a_server_has_against_it_is_told() {
    let ours = ca("ours");
    let key = KeyPair::generate().unwrap();
    let mut expired = me();
    expired.not_after = date_time_ymd(2020, 1, 1);
    let mut for_servers = me();
    for_servers.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    for (what, ca, params, words) in [
        (
            "expired",
            &ours,
            expired,
            "refuses our client certificate, for it is out of date: have a",
        ),
        (
            "another CA's",
            &ca("theirs"),
            me(),
            "refuses our client certificate, for it does not know",
        ),
        (
            "for servers",
            &ours,
            for_servers,
            "it has seen our client certificate (client_cert): ask",
        ),
    ] {
        let files = Files::of(ca, &params, &key, &key.serialize_pem());
        for version in [&TLS12, &TLS13] {
            let server = server(&ours, version).await;
            let failure = refused(&files.client(&server, &ours).unwrap(), &server).await;
            assert!(failure.message.contains(words), "{what}, {version:?}: {failure}");
        }
    }
}

#[tokio::test]
async fn without_any_it_is_said_what_to_set() {
    let ca = ca("ours");
    let folder = tempfile::tempdir().unwrap();
    let ca_file = folder.path().join("ca.pem");
    fs::write(&ca_file, ca.pem()).unwrap();
    for version in [&TLS12, &TLS13] {
        let server = server(&ca, version).await;
        let endpoint =
            Endpoint::parse(&format!("https://127.0.0.1:{}/aveksa", server.port)).unwrap();
        let access = Access { ca_file: Some(ca_file.clone()), ..Access::default() };
        let client = Client::new(endpoint, &access, Format::Json, &Proxies::default()).unwrap();
        let failure = refused(&client, &server).await;
        let words =
            "asks for a client certificate, but none is configured: set client_cert and client_key";
        assert!(failure.message.contains(words), "{version:?}: {failure}");
    }
}

/// openssl's own server, until this is dropped.
struct OpensslServer {
    process: Child,
    url: String,
}

impl OpensslServer {
    fn start(files: &Files, ca_file: &Path, version: &str) -> Self {
        let mut openssl = Command::new("openssl");
        openssl.args(["s_server", "-accept", "127.0.0.1:0", "-www", "-Verify", "1", version]);
        openssl.arg("-verify_return_error").arg("-CAfile").arg(ca_file);
        openssl.arg("-cert").arg(&files.cert).arg("-key").arg(&files.key);
        let mut process = openssl.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap()).lines();
        let at = said.find_map(|line| line.unwrap().strip_prefix("ACCEPT ").map(str::to_owned));
        Self { process, url: format!("https://{}/aveksa", at.expect("it says where it listens")) }
    }
}

impl Drop for OpensslServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// openssl's server sends other alerts than that of rustls.
#[tokio::test]
async fn the_alerts_of_another_server_are_understood_as_well() {
    let ours = ca("ours");
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let servers = Files::of(&ours, &params, &key, &key.serialize_pem());
    let ca_file = servers.folder.path().join("ca.pem");
    fs::write(&ca_file, ours.pem()).unwrap();
    let strangers = Files::of(&ca("theirs"), &me(), &key, &key.serialize_pem());
    let stranger = ClientFiles { cert: strangers.cert.clone(), key: strangers.key.clone() };
    for version in ["-tls1_2", "-tls1_3"] {
        let server = OpensslServer::start(&servers, &ca_file, version);
        for (client, words) in [
            (None, "it asks for a client certificate, but none is configured"),
            (Some(stranger.clone()), "for it does not know who issued it"),
        ] {
            let endpoint = Endpoint::parse(&server.url).unwrap();
            let access = Access { ca_file: Some(ca_file.clone()), client, ..Access::default() };
            let client = Client::new(endpoint, &access, Format::Json, &Proxies::default()).unwrap();
            let reply = client.logout(&token(), AMPLE).await;
            let LogoutReply::Unconfirmed(failure) = reply else { panic!("{reply:?}") };
            assert!(failure.message.contains(words), "{version}: {failure}");
        }
    }
}

#[tokio::test]
async fn files_that_are_of_no_use_are_told_by_their_setting() {
    let ca = ca("ours");
    let server = server(&ca, &TLS13).await;
    let (key, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let cert = me().signed_by(&key, &ca).unwrap().pem();
    let written = key.serialize_pem();
    let encrypted = openssl(&["pkcs8", "-topk8", "-passout", "pass:s3cret"], &written);
    let old = openssl(&["ec", "-aes128", "-passout", "pass:s3cret"], &written);
    let weak = openssl(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"], "");
    let line = written.lines().nth(1).unwrap().to_owned();
    let damaged = written.replace(&line, "!!!!");
    let no_cert = cert.replace("MII", "AII");
    for (cert, key, setting, words) in [
        (&cert, &encrypted, "client_key ", "key.pem is encrypted, and nobody is there to be asked"),
        (&cert, &old, "client_key ", "key.pem is encrypted, and nobody is there to be asked"),
        (
            &cert,
            &other.serialize_pem(),
            "client_key ",
            "is not the key of the certificate in client_c",
        ),
        (&cert, &cert, "client_key ", "holds no private key in PEM form (BEGIN PRIVATE KEY)"),
        (&cert, &String::new(), "client_key ", "holds no private key in PEM form"),
        (&cert, &damaged, "client_key ", "holds a damaged private key"),
        (
            &cert,
            &weak,
            "client_key ",
            "holds a key that cannot be used: take RSA (2048 bits or more)",
        ),
        (&written, &written, "client_cert ", "holds no certificate in PEM form"),
        (&no_cert, &written, "client_cert ", "certificate 1 cannot be read"),
    ] {
        let told = Files::new(cert, key).client(&server, &ca).unwrap_err();
        assert!(told.starts_with(setting) && told.contains(words), "{words}: {told}");
        assert!(!told.contains(&line) && !told.contains("s3cret"), "{told}");
    }
    let files = Files::new(&cert, &written);
    fs::set_permissions(&files.key, Permissions::from_mode(0o604)).unwrap();
    let told = files.client(&server, &ca).unwrap_err();
    assert!(told.contains("key.pem can be read by others (mode 0604): run chmod 600 "), "{told}");
    fs::set_permissions(&files.cert, Permissions::from_mode(0o646)).unwrap();
    let told = files.client(&server, &ca).unwrap_err();
    assert!(
        told.contains("client.pem can be written by others (mode 0646): run chmod go-w"),
        "{told}"
    );
    fs::remove_file(&files.cert).unwrap();
    let told = files.client(&server, &ca).unwrap_err();
    assert!(told.contains("client.pem cannot be read: No such file"), "{told}");
    // In one file.
    let both = Files::new("", &format!("{cert}{written}"));
    Files { cert: both.key.clone(), ..both }.client(&server, &ca).unwrap();
}
