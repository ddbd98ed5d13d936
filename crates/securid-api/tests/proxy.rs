//! A proxy on the way to the server: what it is told, and what it can do wrong.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod responder;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use responder::{AMPLE, Act, JSON_REPLY, Responder, TOKEN, answer, token};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use securid_api::{
    Access, Client, Endpoint, Failure, FailureKind, Format, LoginError, LoginRequest, LogoutReply,
    Proxies,
};
use securid_secret::Secret;
use tempfile::TempDir;
use tokio_rustls::TlsAcceptor;

/// Short enough not to hold up the tests, long enough for a connection on a busy machine.
const SHORT: Duration = Duration::from_millis(300);

/// A name that leads nowhere from here: only the proxy finds the server.
const SERVER: &str = "https://iga.example.com:8443/aveksa";

/// A server for [`SERVER`]'s name, or for another, and the file of its CA.
async fn server(name: &str, said: Vec<u8>) -> (Responder, TempDir, PathBuf) {
    let mut ca = CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(ca, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &ca).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth();
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let config = config.with_single_cert(vec![certificate.der().clone()], key).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, ca.pem()).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    (Responder::start_tls(Act::Say(said), acceptor).await, folder, file)
}

/// A client of `url` whose environment names this proxy.
fn client(proxy: &str, url: &str, ca_file: Option<&Path>) -> Client {
    let proxies = Proxies::from_variables(|name| (name == "HTTPS_PROXY").then(|| proxy.into()));
    let access = Access { ca_file: ca_file.map(Path::to_owned), ..Access::default() };
    Client::new(Endpoint::parse(url).unwrap(), &access, Format::Json, &proxies).unwrap()
}

fn login() -> LoginRequest {
    let password = Secret::from("s3cret");
    LoginRequest { username: "me".into(), password, auth_source: None }
}

#[tokio::test]
async fn a_proxy_is_told_host_and_port_and_nothing_else() {
    let both = r#"{"data": {"type": "logoutUser", "token": "abc"}}"#;
    let (server, _folder, file) = server("iga.example.com", answer("200 OK", "", both)).await;
    let proxy = Responder::start(Act::Tunnel(server.port)).await;
    let host = format!("127.0.0.1:{}", proxy.port);
    let head = "CONNECT iga.example.com:8443 HTTP/1.1\r\nhost: iga.example.com:8443\r\n";
    for (url, credentials) in [
        (format!("http://{host}"), ""),
        (host.clone(), ""),
        // `me:p@w`
        (format!("http://me:p%40w@{host}"), "proxy-authorization: Basic bWU6cEB3\r\n"),
    ] {
        let client = client(&url, SERVER, Some(&file));
        let reply = client.logout(&token(), AMPLE).await;
        assert!(matches!(reply, LogoutReply::Confirmed(_)), "{reply:?}");
        assert_eq!(client.login(login(), AMPLE).await.unwrap().expose(), "abc");
        // Once for each: a login has a connection of its own.
        assert_eq!(proxy.requests().last(), Some(&format!("{head}{credentials}\r\n")));
    }
    assert_eq!((proxy.connections(), server.requests().len()), (6, 6));
    assert!(server.requests()[0].contains(TOKEN), "the server is told");
    assert!(!server.requests().concat().contains("proxy-authorization"));
}

#[tokio::test]
async fn this_machine_is_reached_without_a_proxy() {
    let (server, _folder, file) = server("127.0.0.1", answer("200 OK", "", JSON_REPLY)).await;
    let proxy = Responder::start(Act::Tunnel(server.port)).await;
    let url = format!("https://127.0.0.1:{}/aveksa", server.port);
    let client = client(&format!("http://127.0.0.1:{}", proxy.port), &url, Some(&file));
    let reply = client.logout(&token(), AMPLE).await;
    assert!(matches!(reply, LogoutReply::Confirmed(_)), "{reply:?}");
    assert_eq!((proxy.connections(), server.connections()), (0, 1));
}

/// What goes wrong behind a proxy that is told `act`, logged out and in alike.
async fn failed(what: &str, act: Act, credentials: &str, deadline: Duration) -> Failure {
    let proxy = Responder::start(act).await;
    let url = format!("http://{credentials}127.0.0.1:{}", proxy.port);
    let failure = failed_through(what, &url, deadline).await;
    assert!(!proxy.requests().concat().contains(TOKEN), "{what}");
    let message = failure.message.replace(&format!(":{}", proxy.port), ":PORT");
    Failure { message, ..failure }
}

async fn failed_through(what: &str, proxy: &str, deadline: Duration) -> Failure {
    let (_server, _folder, file) = server("iga.example.com", Vec::new()).await;
    let client = client(proxy, SERVER, Some(&file));
    let reply = client.logout(&token(), deadline).await;
    let LogoutReply::Unconfirmed(failure) = reply else { panic!("{what}: {reply:?}") };
    let refused = client.login(login(), deadline).await.unwrap_err();
    let LoginError::Unreachable(again) = refused else { panic!("{what}: {refused:?}") };
    assert_eq!(again.kind, failure.kind, "{what}: {failure}, {again}");
    let said = format!("{failure} {failure:?} {again}");
    assert!(!said.contains(TOKEN) && !said.contains("s3cret"), "{what}: {said}");
    assert!(failure.message.chars().count() < 300, "{what}: {failure}");
    failure
}

#[tokio::test]
async fn what_a_proxy_does_wrong_is_told_from_what_the_server_does() {
    let to = "iga.example.com:8443";
    let says = |status| Act::Say(answer(status, "", "<h1>Blocked</h1>"));
    let endless = |head: &str| Act::Flood(head.into(), vec![b'x'; 4096]);
    for (what, act, credentials, words) in [
        (
            "credentials",
            says("407 No"),
            "",
            "wants a user name and password (HTTP 407), and HTTPS_PROXY has none: write them into a \
             file as USER:PASSWORD, and name it as proxy_credentials_file".to_owned(),
        ),
        (
            "other credentials",
            says("407 No"),
            "me:s3cret@",
            "does not accept the user name and password in HTTPS_PROXY (HTTP 407): mend them".into(),
        ),
        (
            "other credentials, as tinyproxy says it",
            says("401 No"),
            "me:s3cret@",
            "does not accept the user name and password in HTTPS_PROXY (HTTP 401): mend them".into(),
        ),
        ("a policy", says("403 No"), "", format!("does not open the way to {to} (HTTP 403): have it allow CONNECT to there")),
        (
            "a redirection",
            says("302 There"),
            "",
            format!("does not open the way to {to} (HTTP 302): have it allow CONNECT to there"),
        ),
        ("a 401", says("401 No"), "", format!("does not open the way to {to} (HTTP 401): have it allow CONNECT to there")),
        ("a dead server", says("502 Bad"), "", format!("cannot reach {to} (HTTP 502): is the server up, and the url right?")),
        ("a slow server", says("504 Slow"), "", format!("cannot reach {to} (HTTP 504): is the server up, and the url right?")),
        ("its own failure", says("500 Ouch"), "", "failed (HTTP 500)".into()),
        (
            "an endless refusal",
            endless("HTTP/1.1 403 No\r\n\r\n"),
            "",
            format!("does not open the way to {to} (HTTP 403): have it allow CONNECT to there"),
        ),
        (
            "an endless head",
            endless("HTTP/1.1 200 OK\r\nA: "),
            "",
            "does not answer in HTTP: is its port right?".into(),
        ),
        (
            "no HTTP",
            Act::SayAndClose(b"SSH-2.0-OpenSSH_9.6\r\n".to_vec()),
            "",
            "does not answer in HTTP: is its port right?".into(),
        ),
        (
            "a cut",
            Act::SayAndClose(b"HTTP/1.1 200 OK\r\nA: b".to_vec()),
            "",
            format!("hung up before the way to {to} was open: does it allow CONNECT to there?"),
        ),
        ("a hang-up", Act::HangUp, "", format!("hung up before the way to {to} was open: does it allow CONNECT to there?")),
        ("a reset", Act::Reset, "", format!("hung up before the way to {to} was open: does it allow CONNECT to there?")),
        (
            "a page of its own",
            Act::Say(answer("200 OK", "", "<h1>Sign in</h1>")),
            "",
            format!("opened the way to {to}, and then spoke itself: a login page?"),
        ),
    ] {
        let failure = failed(what, act, credentials, AMPLE).await;
        assert_eq!(failure.kind, FailureKind::Proxy, "{what}: {failure}");
        assert_eq!(failure.message, format!("the proxy http://127.0.0.1:PORT {words}"), "{what}");
    }
}

/// What a logout says that fails at the proxy.
async fn refused(client: &Client) -> String {
    let reply = client.logout(&token(), AMPLE).await;
    let LogoutReply::Unconfirmed(failure) = reply else { panic!("{reply:?}") };
    assert_eq!(failure.kind, FailureKind::Proxy, "{failure}");
    failure.message
}

#[tokio::test]
async fn a_password_that_was_refused_is_not_sent_again() {
    for status in ["407 No", "401 No"] {
        let proxy = Responder::start(Act::Say(answer(status, "", ""))).await;
        let (_server, folder, file) = server("iga.example.com", Vec::new()).await;
        let password = folder.path().join("proxy");
        let write = |text: &str| {
            let _ = std::fs::remove_file(&password);
            let mut file = securid_trust::create_new(&password).unwrap();
            file.write_all(text.as_bytes()).unwrap();
        };
        write("me:s3cret");
        let url = format!("http://127.0.0.1:{}", proxy.port);
        let proxies =
            Proxies::from_variables(|name| (name == "HTTPS_PROXY").then(|| url.clone().into()));
        let client = |server: &str| {
            let mut access = Access { ca_file: Some(file.clone()), ..Access::default() };
            access.proxy.credentials_file = Some(password.clone());
            let endpoint = Endpoint::parse(server).unwrap();
            Client::new(endpoint, &access, Format::Json, &proxies).unwrap()
        };
        let (one, other) = (client(SERVER), client("https://other.example.com/aveksa"));

        // All that begin together, and of all servers, send it once.
        let (a, b, c) = tokio::join!(refused(&one), refused(&one), refused(&other));
        let place = format!("proxy_credentials_file {}", password.display());
        let words = format!("does not accept the user name and password in {place} (HTTP ");
        for said in [&a, &b, &c, &refused(&one).await, &refused(&other).await] {
            assert!(said.contains(&words) && !said.contains("s3cret"), "{said}");
        }
        let later = [&a, &b, &c].into_iter().filter(|said| said.contains("not sent again before"));
        assert_eq!(later.count(), 2, "{a}; {b}; {c}");
        let told = one.login(login(), AMPLE).await.unwrap_err().to_string();
        assert!(told.contains(": mend them; they are not sent again before 20"), "{told}");
        assert!(proxy.connections() <= 3, "nobody connects for nothing");
        assert_eq!(proxy.requests().len(), 1, "{status}");

        // Another one is, and the same if somebody says so.
        write("me:other");
        refused(&one).await;
        refused(&one).await;
        assert_eq!(proxy.requests().len(), 2);
        write("me:s3cret");
        refused(&one).await;
        assert_eq!(proxy.requests().len(), 2);
        proxies.forget_refusals();
        refused(&one).await;
        refused(&other).await;
        assert_eq!(proxy.requests().len(), 3);
    }
}

#[tokio::test]
async fn a_slow_proxy_has_the_deadline_of_the_whole() {
    let opened = b"HTTP/1.1 200 OK\r\n\r\n".repeat(9);
    let words = "the proxy http://127.0.0.1:PORT had not opened the way to \
        https://iga.example.com:8443 after 300ms";
    let endless = "HTTP/1.1 100 Continue\r\n\r\n".repeat(99).into_bytes();
    for (what, act) in [
        ("silence", Act::Hang),
        ("a drip", Act::Drip(opened, Duration::from_millis(50))),
        ("nothing but promises", Act::Flood(Vec::new(), endless)),
    ] {
        let started = Instant::now();
        let failure = failed(what, act, "", SHORT).await;
        assert!(started.elapsed() < SHORT * 20, "{what}: {:?}", started.elapsed());
        assert_eq!((failure.kind, failure.message.as_str()), (FailureKind::Proxy, words), "{what}");
    }
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_told() {
    // Bound and not listening: nobody else can take the port, and it refuses.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let refusing = format!("http://me:s3cret@{}", socket.local_addr().unwrap());
    let failure = failed_through("nobody", &refusing, AMPLE).await;
    assert_eq!(failure.kind, FailureKind::Proxy);
    assert!(failure.message.starts_with("the proxy http://127.0.0.1:"), "{failure}");
    assert!(failure.message.contains("refuses connections"), "{failure}");
    // No name service is asked for what is no name.
    let failure = failed_through("no name", "http://me:s3cret@no..where:3128", AMPLE).await;
    assert_eq!(failure.kind, FailureKind::Proxy);
    let words = "the host of the proxy http://no..where:3128 has no address: ";
    assert!(failure.message.starts_with(words), "{failure}");
}

#[tokio::test]
async fn a_proxy_cannot_stand_in_for_the_server() {
    // It opens the way and then speaks itself, in the clear.
    let opened = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    let pause = Duration::from_millis(50);
    let page = answer("200 OK", "", JSON_REPLY);
    let failure = failed("in the clear", Act::SayTwice(opened, pause, page), "", AMPLE).await;
    assert_eq!(failure.kind, FailureKind::Tls, "{failure}");
    let words =
        "the server does not speak TLS on this port (through the proxy http://127.0.0.1:PORT)";
    assert!(failure.message.ends_with(words), "{failure}");

    // It speaks TLS, with a certificate of its own; or leads to another server that is trusted.
    let said = answer("200 OK", "", JSON_REPLY);
    let (_real, _folder, file) = server("iga.example.com", said.clone()).await;
    let (other, _other_folder, other_file) = server("other.example.com", said).await;
    let proxy = Responder::start(Act::Tunnel(other.port)).await;
    for (trusted, words) in [(file, "is not trusted"), (other_file, "is for another name")] {
        let url = format!("http://127.0.0.1:{}", proxy.port);
        let reply = client(&url, SERVER, Some(&trusted)).logout(&token(), AMPLE).await;
        let LogoutReply::Unconfirmed(failure) = reply else { panic!("{reply:?}") };
        assert_eq!(failure.kind, FailureKind::Tls, "{failure}");
        assert!(failure.message.contains(words), "{failure}");
        assert!(failure.message.contains("(through the proxy http://127.0.0.1:"), "{failure}");
    }
    assert_eq!(other.requests(), [""; 0], "no token may have gone out");
}
