//! Which connections are used again, and that nothing on them passes for the answer to a request
//! that it does not belong to.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod responder;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use responder::{AMPLE, Act, INVALID_PAGE, JSON_REPLY, Responder, answer, token};
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use securid_api::{Access, Client, Confirmed, Endpoint, Format, LogoutReply, Proxies};
use tempfile::TempDir;
use tokio::task::JoinSet;

async fn logout(client: &Client) {
    let reply = client.logout(&token(), AMPLE).await;
    assert!(matches!(reply, LogoutReply::Confirmed(_)), "{reply:?}");
}

async fn unconfirmed(what: &str, client: &Client) {
    let reply = client.logout(&token(), AMPLE).await;
    assert!(matches!(reply, LogoutReply::Unconfirmed(_)), "{what}: {reply:?}");
}

/// What confirms.
fn yes() -> Vec<u8> {
    answer("200 OK", "", JSON_REPLY)
}

/// What does not, and ends as cleanly.
fn no() -> Vec<u8> {
    answer("200 OK", "", "{}")
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let alive = "Connection: Keep-Alive\r\nKeep-Alive: timeout=60\r\n";
    let chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for said in [
        yes(),
        answer("200 OK", alive, JSON_REPLY),
        format!("{chunks}{:x}\r\n{JSON_REPLY}\r\n0\r\n\r\n", JSON_REPLY.len()).into(),
    ] {
        let server = Responder::start(Act::Say(said)).await;
        let client = server.client(Format::Json);
        for sent in 1..=3 {
            logout(&client.clone()).await;
            assert_eq!((server.requests().len(), server.connections()), (sent, 1));
        }
    }
}

#[tokio::test]
async fn a_burst_uses_its_connections_again() {
    let server = Responder::start(Act::Drip(yes(), Duration::from_millis(1))).await;
    let client = server.client(Format::Json);
    for round in 1..=3 {
        let mut burst = JoinSet::new();
        for _ in 0..32 {
            let client = client.clone();
            burst.spawn(async move { logout(&client).await });
        }
        burst.join_all().await;
        assert_eq!((server.requests().len(), server.connections()), (round * 32, 32));
    }
}

#[tokio::test]
async fn a_connection_in_doubt_is_not_used_again() {
    let content = format!("Content-Length: {}\r\n\r\n{JSON_REPLY}", JSON_REPLY.len());
    for (what, said) in [
        ("it says so", answer("200 OK", "Connection: close\r\n", JSON_REPLY)),
        ("it says so besides", answer("200 OK", "Connection: keep-alive, close\r\n", JSON_REPLY)),
        ("another option", answer("200 OK", "Connection: upgrade\r\n", JSON_REPLY)),
        ("HTTP/1.0", format!("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n{content}").into()),
        ("a byte behind it", [yes(), b"\n".to_vec()].concat()),
        ("201", answer("201 Made", "", JSON_REPLY)),
        ("401, which has no form", answer("401 Unauthorized", "", INVALID_PAGE)),
        ("204", b"HTTP/1.1 204 None\r\n\r\n".to_vec()),
        ("302", answer("302 Found", "Location: /\r\n", "")),
        ("400", answer("400 Bad", "", JSON_REPLY)),
        ("403", answer("403 No", "", JSON_REPLY)),
        ("407", answer("407 Proxy", "", JSON_REPLY)),
        ("408", answer("408 Late", "", JSON_REPLY)),
        ("429", answer("429 Slow", "", JSON_REPLY)),
        ("500", answer("500 Error", "", JSON_REPLY)),
        ("503", answer("503 Busy", "Retry-After: 1\r\n", JSON_REPLY)),
        ("two ends", answer("200 OK", "Transfer-Encoding: chunked\r\n", "0\r\n\r\n")),
        ("too long", answer("200 OK", "", &" ".repeat(65 * 1024))),
    ] {
        let server = Responder::start(Act::Say(said)).await;
        let client = server.client(Format::Json);
        for sent in 1..=3 {
            client.logout(&token(), AMPLE).await;
            assert_eq!((server.requests().len(), server.connections()), (sent, sent), "{what}");
        }
    }
}

#[tokio::test]
async fn an_exchange_that_was_given_up_leaves_no_connection() {
    let short = Duration::from_millis(50);
    let server = Responder::start(Act::Hang).await;
    let client = server.client(Format::Json);
    let token = token();
    client.logout(&token, short).await;
    tokio::time::timeout(short, client.logout(&token, AMPLE)).await.unwrap_err();
    client.logout(&token, short).await;
    assert_eq!((server.requests().len(), server.connections()), (3, 3));
}

#[tokio::test]
async fn a_connection_that_died_unused_costs_no_attempt() {
    let server = Responder::start(Act::SayAndClose(yes())).await;
    let client = server.client(Format::Json);
    for sent in 1..=3 {
        logout(&client).await;
        assert_eq!((server.requests().len(), server.connections()), (sent, sent));
    }
}

#[tokio::test]
async fn a_request_that_went_out_on_a_used_connection_is_never_sent_again() {
    let server = Responder::start(Act::SayInTurn(vec![yes()])).await;
    let client = server.client(Format::Json);
    logout(&client).await;
    unconfirmed("hung up", &client).await;
    assert_eq!((server.requests().len(), server.connections()), (2, 1));
}

#[tokio::test]
async fn two_answers_at_once_are_one() {
    let both = [no(), yes()].concat();
    let server = Responder::start(Act::Say(both)).await;
    let client = server.client(Format::Json);
    for sent in 1..=5 {
        unconfirmed("at once", &client).await;
        assert_eq!((server.requests().len(), server.connections()), (sent, sent));
    }
}

#[tokio::test]
async fn who_has_said_something_unasked_is_asked_on_new_connections_only() {
    let twice = [yes(), no()].concat();
    let server = Responder::start(Act::SayInTurn(vec![yes(), twice, yes(), yes()])).await;
    let client = server.client(Format::Json);
    for connections in [1, 1, 2, 3, 4] {
        logout(&client).await;
        assert_eq!(server.connections(), connections);
    }
}

/// A server in a thread of its own, so that it goes on while the client's runtime stands still.
struct Aside {
    client: Client,
    /// Told when the server has said what nobody asked for.
    spoken: mpsc::Receiver<()>,
    _folder: Option<TempDir>,
}

/// What it does with each connection.
type Play = fn(&mut dyn Stream, &mpsc::Sender<()>) -> std::io::Result<()>;

trait Stream: Read + Write {}
impl<S: Read + Write> Stream for S {}

fn aside(secure: bool, greeting: &'static [u8], play: Play) -> Aside {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (says, spoken) = mpsc::channel();
    let (scheme, tls, ca) = if secure {
        let (config, folder, file) = tls();
        ("https", Some(config), Some((folder, file)))
    } else {
        ("http", None, None)
    };
    // It ends with the test's process: nobody connects any more.
    thread::spawn(move || {
        for tcp in listener.incoming() {
            let (tls, says) = (tls.clone(), says.clone());
            thread::spawn(move || {
                let mut tcp = tcp.unwrap();
                tcp.set_nodelay(true).unwrap();
                // The client hangs up when it likes.
                let _ = match tls {
                    None => {
                        let _ = tcp.write_all(greeting);
                        play(&mut tcp, &says)
                    }
                    Some(tls) => {
                        let mut tls = ServerConnection::new(tls).unwrap();
                        tls.writer().write_all(greeting).unwrap();
                        play(&mut StreamOwned::new(tls, tcp), &says)
                    }
                };
            });
        }
    });
    let endpoint = Endpoint::parse(&format!("{scheme}://127.0.0.1:{port}/aveksa")).unwrap();
    let (folder, file) = ca.unzip();
    let none = Proxies::default();
    let access = Access { ca_file: file, ..Access::default() };
    let client = Client::new(endpoint, &access, Format::Json, &none).unwrap();
    Aside { client, spoken, _folder: folder }
}

/// A certificate for this machine, and the file that makes it trusted.
fn tls() -> (Arc<ServerConfig>, TempDir, PathBuf) {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, made.cert.pem()).unwrap();
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    // It may speak before the client has finished its part.
    config.send_half_rtt_data = true;
    (Arc::new(config), folder, file)
}

fn read_request(stream: &mut dyn Stream) -> std::io::Result<()> {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        request.push(byte[0]);
    }
    Ok(())
}

fn honest(stream: &mut dyn Stream, says: &mpsc::Sender<()>) -> std::io::Result<()> {
    let _ = says.send(());
    for reply in [JSON_REPLY, "type=logoutUser"].iter().cycle() {
        read_request(stream)?;
        stream.write_all(&answer("200 OK", "", reply))?;
        stream.flush()?;
    }
    Ok(())
}

#[tokio::test]
async fn what_tls_says_of_its_own_does_not_end_a_connection() {
    let server = aside(true, b"", honest);
    for _ in 0..5 {
        logout(&server.client).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(server.spoken.try_iter().count(), 1);
}

/// Says no to each request, and yes to none, some time after it.
fn late<const MILLIS: u64>(
    stream: &mut dyn Stream,
    says: &mpsc::Sender<()>,
) -> std::io::Result<()> {
    loop {
        read_request(stream)?;
        stream.write_all(&no())?;
        stream.flush()?;
        thread::sleep(Duration::from_millis(MILLIS));
        stream.write_all(&yes())?;
        stream.flush()?;
        let _ = says.send(());
    }
}

#[tokio::test]
async fn an_answer_that_came_before_the_request_is_not_its_answer() {
    for secure in [false, true] {
        for play in [late::<0> as Play, late::<1>, late::<20>] {
            for the_runtime_has_heard in [false, true] {
                let server = aside(secure, b"", play);
                for _ in 0..10 {
                    unconfirmed("the first", &server.client).await;
                    // Meanwhile the runtime stands still: the system knows of it, tokio does not.
                    server.spoken.recv_timeout(AMPLE).unwrap();
                    if the_runtime_has_heard {
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn an_answer_too_many_is_known_by_its_form() {
    let pause = Duration::from_millis(20);
    let server = Responder::start(Act::SayTwice(yes(), pause, yes())).await;
    let client = server.client(Format::Json);
    logout(&client).await;
    assert!(server.requests()[0].contains("format=json"));
    // The second comes while this one is under way, and not in the form that was asked for.
    for sent in 2..=4 {
        logout(&client).await;
        assert_eq!((server.requests().len(), server.connections()), (sent + 1, sent));
    }
    assert!(server.requests()[1].contains("format=properties"));
    // From then on each request has a connection of its own.
    assert!(server.requests()[2..].iter().all(|request| request.contains("format=json")));
}

#[tokio::test]
async fn a_page_that_could_be_the_answer_to_any_request_is_asked_for_again() {
    let dead = answer("401 Unauthorized", "", INVALID_PAGE);
    let server = Responder::start(Act::SayInTurn(vec![yes(), dead])).await;
    let client = server.client(Format::Properties);
    logout(&client).await;
    // What is said on the new connection counts.
    let LogoutReply::Confirmed(confirmation) = client.logout(&token(), AMPLE).await else {
        panic!("unconfirmed")
    };
    assert_eq!(confirmation.how, Confirmed::Revoked);
    assert_eq!((server.requests().len(), server.connections()), (3, 2));
}

#[tokio::test]
async fn a_form_that_a_gateway_does_not_let_through_is_not_asked_for_again() {
    let said = |status| answer(status, "", "<h1>Blocked</h1>");
    for (refusal, requests) in [
        (said("403 Forbidden"), 3),
        (said("404 Not Found"), 3),
        (said("412 Precondition Failed"), 3),
        (said("400 Bad Request"), 3),
        (no(), 3),
        (said("401 Unauthorized"), 2),
        (said("429 Slow Down"), 2),
        (said("503 Busy"), 2),
        (said("500 Error"), 2),
    ] {
        let first = String::from_utf8_lossy(&refusal).lines().next().unwrap().to_owned();
        let server = Responder::start(Act::SayInTurn(vec![yes(), refusal, yes()])).await;
        let client = server.client(Format::Json);
        logout(&client).await;
        let reply = client.logout(&token(), AMPLE).await;
        let asked_again = requests == 3;
        assert_eq!(matches!(reply, LogoutReply::Confirmed(_)), asked_again, "{first}: {reply:?}");
        let forms: Vec<_> = server.requests().iter().map(|r| r.contains("format=json")).collect();
        assert_eq!(forms, [true, false, true][..requests], "{first}");
        assert_eq!(server.connections(), requests - 1, "{first}");
    }
}

fn says_no_more(stream: &mut dyn Stream, says: &mpsc::Sender<()>) -> std::io::Result<()> {
    let _ = says.send(());
    read_request(stream)
}

#[tokio::test]
async fn who_speaks_before_the_first_request_has_not_answered_it() {
    let (token, greeting) = (token(), &*yes().leak());
    for secure in [false, true] {
        for _ in 0..5 {
            let server = aside(secure, greeting, says_no_more);
            let standing_still = async {
                // With TLS the words come with the handshake. Without, the connection is there, and
                // the runtime hears of it only when the words are, too.
                if !secure {
                    server.spoken.recv_timeout(AMPLE).unwrap();
                }
            };
            let (reply, ()) = tokio::join!(server.client.logout(&token, AMPLE), standing_still);
            let LogoutReply::Unconfirmed(failure) = reply else { panic!("{secure} {reply:?}") };
            assert!(failure.message.contains("spoke before it was asked"), "{secure} {failure}");
        }
    }
}
