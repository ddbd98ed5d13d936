//! A proxy that opens ways to servers on this machine, and misbehaves on demand.

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// What the proxy does with who asks it for a way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtProxy {
    /// Leads there: to the port that is named, of this machine, whatever the host.
    Lead,
    /// Answers with this status.
    Refuse(u16),
    /// Says nothing.
    Hang,
    /// Closes the connection.
    HangUp,
    /// Opens the way and shows a page of its own.
    Portal,
}

/// A proxy on a port of its own. When it is dropped, it takes no one any more.
pub struct ConnectProxy {
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    mood: Mutex<AtProxy>,
    /// The heads of all requests.
    seen: Mutex<Vec<String>>,
    /// Those that are kept waiting.
    waiting: Mutex<Vec<TcpStream>>,
    closed: AtomicBool,
}

impl ConnectProxy {
    /// One that does as it should.
    ///
    /// # Panics
    /// If there is no port to be had.
    #[must_use]
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback works");
        let port = listener.local_addr().expect("it is bound").port();
        let shared = Arc::new(Shared {
            mood: Mutex::new(AtProxy::Lead),
            seen: Mutex::default(),
            waiting: Mutex::default(),
            closed: AtomicBool::new(false),
        });
        let theirs = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if theirs.closed.load(Ordering::Relaxed) {
                    return;
                }
                let shared = Arc::clone(&theirs);
                thread::spawn(move || serve(client, &shared));
            }
        });
        Self { port, shared }
    }

    /// Behaves like this from now on.
    pub fn set(&self, mood: AtProxy) {
        *self.shared.mood.lock().unwrap() = mood;
        self.shared.waiting.lock().unwrap().clear();
    }

    /// The heads of all requests so far.
    #[must_use]
    pub fn seen(&self) -> Vec<String> {
        self.shared.seen.lock().unwrap().clone()
    }
}

impl Drop for ConnectProxy {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::Relaxed);
        // Wakes the thread that waits for the next one.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn serve(mut client: TcpStream, shared: &Shared) {
    let Some(head) = head(&client) else { return };
    let port = head.split([':', ' ']).nth(2).and_then(|port| port.parse::<u16>().ok());
    shared.seen.lock().unwrap().push(head);
    let mood = *shared.mood.lock().unwrap();
    // Who asks may have gone: that ends the connection, nothing else.
    let _ = match mood {
        AtProxy::Lead => lead(client, port.expect("it asks for host and port")),
        AtProxy::Refuse(status) => {
            let page = "<h1>The proxy says no</h1>";
            let length = page.len();
            write!(client, "HTTP/1.1 {status} No\r\nContent-Length: {length}\r\n\r\n{page}")
        }
        AtProxy::Hang => {
            shared.waiting.lock().unwrap().push(client);
            Ok(())
        }
        AtProxy::HangUp => Ok(()),
        AtProxy::Portal => {
            let page = r#"{"data": {"type": "logoutUser"}}"#;
            let length = page.len();
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{page}");
            write!(client, "HTTP/1.1 200 OK\r\n\r\n{answer}")
        }
    };
}

fn head(client: &TcpStream) -> Option<String> {
    let mut head = String::new();
    // A client of TLS says nothing more before it is answered: nothing is lost in this buffer.
    let mut lines = BufReader::new(client);
    while !head.ends_with("\r\n\r\n") {
        if lines.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    Some(head)
}

fn lead(mut client: TcpStream, port: u16) -> std::io::Result<()> {
    let mut server = TcpStream::connect(("127.0.0.1", port))?;
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    let (mut from_server, mut to_client) = (server.try_clone()?, client.try_clone()?);
    thread::spawn(move || {
        let _ = std::io::copy(&mut from_server, &mut to_client);
        let _ = to_client.shutdown(Shutdown::Write);
    });
    std::io::copy(&mut client, &mut server)?;
    server.shutdown(Shutdown::Write)
}
