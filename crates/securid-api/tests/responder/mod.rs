//! A server that answers with the bytes it is told to, and misbehaves on demand.
#![allow(clippy::unwrap_used, clippy::expect_used)]
#![allow(dead_code, reason = "each test file uses its own part of it")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use securid_api::{Access, Client, Endpoint, Format, Proxies, Token};
use securid_secret::Secret;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// Far beyond what any of these exchanges takes: it bounds a test that has gone wrong.
pub(crate) const AMPLE: Duration = Duration::from_secs(30);

/// What is done with each connection.
#[derive(Clone)]
pub(crate) enum Act {
    /// Reads a request and sends this, as often as requests come.
    Say(Vec<u8>),
    /// Says the first, then the next to the next request, and so on; then closes.
    SayInTurn(Vec<Vec<u8>>),
    /// Reads a request, sends the first and, after a pause, the second without being asked.
    SayTwice(Vec<u8>, Duration, Vec<u8>),
    /// Reads a request, sends this, and closes the connection.
    SayAndClose(Vec<u8>),
    /// The same, but closes without the farewell that TLS wants.
    SayAndDrop(Vec<u8>),
    /// Sends a head and this again and again.
    Endless(Vec<u8>),
    /// Sends the first once and the second again and again.
    Flood(Vec<u8>, Vec<u8>),
    /// Is a proxy: whatever way is asked for, it leads to this port of this machine.
    Tunnel(u16),
    /// Sends this at once, without being asked, and keeps silent.
    Greet(Vec<u8>),
    /// Sends this byte by byte, with a pause after each.
    Drip(Vec<u8>, Duration),
    /// Closes with the request unread, which the other side sees as a reset.
    Reset,
    /// Reads a request and keeps silent.
    Hang,
    /// Takes the connection and closes it at once.
    HangUp,
}

/// A responder on a loopback port of its own; gone when dropped.
pub(crate) struct Responder {
    /// Where it listens.
    pub(crate) port: u16,
    seen: Arc<Mutex<Seen>>,
    _task: JoinSet<()>,
}

#[derive(Default)]
struct Seen {
    connections: usize,
    requests: Vec<String>,
}

impl Responder {
    pub(crate) async fn start(act: Act) -> Self {
        Self::start_with(act, None).await
    }

    pub(crate) async fn start_tls(act: Act, tls: TlsAcceptor) -> Self {
        Self::start_with(act, Some(tls)).await
    }

    async fn start_with(act: Act, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let mut task = JoinSet::new();
        task.spawn(accept(listener, act, tls, Arc::clone(&seen)));
        Self { port, seen, _task: task }
    }

    /// `http://127.0.0.1:PORT/aveksa`.
    pub(crate) fn endpoint(&self) -> Endpoint {
        Endpoint::parse(&format!("http://127.0.0.1:{}/aveksa", self.port)).unwrap()
    }

    pub(crate) fn client(&self, format: Format) -> Client {
        Client::new(self.endpoint(), &Access::default(), format, &Proxies::default()).unwrap()
    }

    pub(crate) fn connections(&self) -> usize {
        self.seen.lock().unwrap().connections
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.seen.lock().unwrap().requests.clone()
    }
}

async fn accept(listener: TcpListener, act: Act, tls: Option<TlsAcceptor>, seen: Arc<Mutex<Seen>>) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        seen.lock().unwrap().connections += 1;
        let (act, tls, seen) = (act.clone(), tls.clone(), Arc::clone(&seen));
        connections.spawn(async move {
            match tls {
                // A handshake that the client breaks off is what some tests are about.
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        serve(stream, act, seen).await;
                    }
                }
                None if matches!(act, Act::Reset) => reset(&stream).await,
                None => serve(stream, act, seen).await,
            }
        });
    }
}

/// Waits until the request is there, so that closing resets.
async fn reset(stream: &TcpStream) {
    stream.peek(&mut [0]).await.unwrap();
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, act: Act, seen: Arc<Mutex<Seen>>) {
    if matches!(act, Act::HangUp) {
        return;
    }
    if let Act::Greet(greeting) = &act {
        let _ = stream.write_all(greeting).await;
        return std::future::pending().await;
    }
    let mut turns = match &act {
        Act::SayInTurn(answers) => answers.clone().into_iter(),
        _ => Vec::new().into_iter(),
    };
    let mut asked = 0;
    while let Some(request) = read_request(&mut stream).await {
        asked += 1;
        // The first is answered to the letter of what a test wants said, in whatever form that is.
        let in_form = |answer: &[u8]| match asked {
            1 => answer.to_vec(),
            _ => in_the_form_asked_for(answer, &request),
        };
        seen.lock().unwrap().requests.push(request.clone());
        // The client may hang up at any time: that ends the connection, nothing else.
        let written = match &act {
            Act::Say(answer) => stream.write_all(&in_form(answer)).await,
            Act::SayInTurn(_) => match turns.next() {
                Some(answer) => stream.write_all(&in_form(&answer)).await,
                None => return,
            },
            Act::SayTwice(first, pause, second) => {
                let _ = stream.write_all(&in_form(first)).await;
                tokio::time::sleep(*pause).await;
                stream.write_all(&in_form(second)).await
            }
            Act::SayAndClose(answer) => {
                let _ = stream.write_all(answer).await;
                let _ = stream.shutdown().await;
                return;
            }
            Act::SayAndDrop(answer) => {
                let _ = stream.write_all(answer).await;
                let _ = stream.flush().await;
                return;
            }
            Act::Endless(part) => {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
                while stream.write_all(part).await.is_ok() {}
                return;
            }
            Act::Tunnel(port) => {
                let _ = stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await;
                let mut server = TcpStream::connect(("127.0.0.1", *port)).await.unwrap();
                let _ = copy_bidirectional(&mut stream, &mut server).await;
                return;
            }
            Act::Flood(head, part) => {
                let _ = stream.write_all(head).await;
                while stream.write_all(part).await.is_ok() {}
                return;
            }
            Act::Drip(answer, pause) => {
                for byte in in_form(answer) {
                    if stream.write_all(&[byte]).await.is_err() {
                        return;
                    }
                    tokio::time::sleep(*pause).await;
                }
                Ok(())
            }
            Act::Hang => std::future::pending().await,
            Act::Reset | Act::HangUp | Act::Greet(_) => return,
        };
        if written.is_err() {
            return;
        }
        let _ = stream.flush().await;
    }
}

/// The answer with its [`JSON_REPLY`] in properties, of the same length, where these are asked for.
fn in_the_form_asked_for(answer: &[u8], request: &str) -> Vec<u8> {
    let at = answer.windows(JSON_REPLY.len()).position(|part| part == JSON_REPLY.as_bytes());
    let (Some(at), true) = (at, request.contains("format=properties")) else {
        return answer.to_vec();
    };
    let properties = format!("type=logoutUser\nmore={:.<1$}", "", JSON_REPLY.len() - 21);
    let (before, after) = (&answer[..at], &answer[at + JSON_REPLY.len()..]);
    let rest = in_the_form_asked_for(after, request);
    [before, properties.as_bytes(), &rest].concat()
}

/// One request, head and content; `None` at the end of the connection.
async fn read_request<S: AsyncRead + Unpin>(stream: &mut S) -> Option<String> {
    let mut request = Vec::new();
    loop {
        let mut byte = [0];
        if stream.read(&mut byte).await.ok()? == 0 {
            return None;
        }
        request.push(byte[0]);
        if request.ends_with(b"\r\n\r\n") {
            break;
        }
    }
    let head = String::from_utf8(request.clone()).unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut content = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut content).await.ok()?;
    Some(head + &String::from_utf8(content).unwrap())
}

/// A complete answer with a length.
pub(crate) fn answer(status: &str, headers: &str, content: &str) -> Vec<u8> {
    let length = content.len();
    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{headers}\r\n{content}").into_bytes()
}

pub(crate) const TOKEN: &str = "t0ken-t0ken-t0ken";

pub(crate) fn token() -> Token {
    Token::new(&Secret::from(TOKEN)).unwrap()
}

pub(crate) const JSON_REPLY: &str = r#"{"data": {"type": "logoutUser"}}"#;
pub(crate) const PROPERTIES_REPLY: &str = "type=logoutUser\n";
pub(crate) const INVALID_PAGE: &str = "<html><head><title>Error</title></head><body>The token is not \
    valid for the command 'logoutUser'. Token is invalid or expired</body></html>";
