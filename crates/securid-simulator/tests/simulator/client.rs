//! A client that knows of HTTP only what these tests need, so that they see bytes as they are.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use securid_simulator::Simulator;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{self, ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// Bounds every read of every test.
const READ_LIMIT: Duration = Duration::from_secs(20);

pub(crate) trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

pub(crate) struct Client {
    stream: BufReader<Box<dyn Stream>>,
    pub(crate) tcp: TcpStream,
}

#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) reason: String,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: String,
}

impl Client {
    pub(crate) fn connect(simulator: &Simulator) -> io::Result<Self> {
        Self::connect_to(simulator.url(), simulator.ca_pem())
    }

    pub(crate) fn connect_to(url: &str, ca_pem: &str) -> io::Result<Self> {
        let tcp = TcpStream::connect(("127.0.0.1", port(url)))?;
        tcp.set_read_timeout(Some(READ_LIMIT))?;
        tcp.set_nodelay(true)?;
        let stream: Box<dyn Stream> = if url.starts_with("https:") {
            Box::new(handshake(tcp.try_clone()?, ca_pem, "localhost")?)
        } else {
            Box::new(tcp.try_clone()?)
        };
        Ok(Self { stream: BufReader::new(stream), tcp })
    }

    pub(crate) fn send(&mut self, request: &str) -> io::Result<()> {
        self.stream.get_mut().write_all(request.as_bytes())?;
        self.stream.get_mut().flush()
    }

    /// Status line and headers.
    pub(crate) fn head(&mut self) -> io::Result<Reply> {
        let line = self.line()?;
        let mut parts = line.splitn(3, ' ').skip(1);
        let status = parts.next().unwrap_or_default().parse().map_err(io::Error::other)?;
        let reason = parts.next().unwrap_or_default().to_owned();
        let mut headers = HashMap::new();
        loop {
            let line = self.line()?;
            match line.split_once(':') {
                Some((name, value)) => {
                    headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
                }
                None => return Ok(Reply { status, reason, headers, body: String::new() }),
            }
        }
    }

    /// Reads up to so many bytes of a body, whatever their framing.
    pub(crate) fn raw(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.read(buffer)
    }

    /// A whole reply with a `Content-Length`.
    pub(crate) fn reply(&mut self) -> io::Result<Reply> {
        let mut reply = self.head()?;
        let length = reply.headers["content-length"].parse().map_err(io::Error::other)?;
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        reply.body = String::from_utf8(body).map_err(io::Error::other)?;
        Ok(reply)
    }

    pub(crate) fn ask(&mut self, request: &str) -> io::Result<Reply> {
        self.send(request)?;
        self.reply()
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_owned())
    }
}

/// One request on a connection of its own.
pub(crate) fn ask(simulator: &Simulator, request: &str) -> io::Result<Reply> {
    Client::connect(simulator)?.ask(request)
}

pub(crate) fn handshake(
    mut tcp: TcpStream,
    ca_pem: &str,
    name: &str,
) -> io::Result<StreamOwned<ClientConnection, TcpStream>> {
    let mut roots = RootCertStore::empty();
    let ca = CertificateDer::from_pem_slice(ca_pem.as_bytes()).map_err(io::Error::other)?;
    roots.add(ca).map_err(io::Error::other)?;
    let config =
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(roots)
            .with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
    let mut tls = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
    while tls.is_handshaking() {
        tls.complete_io(&mut tcp)?;
    }
    Ok(StreamOwned::new(tls, tcp))
}

pub(crate) fn port(url: &str) -> u16 {
    url.rsplit_once(':').unwrap().1.split('/').next().unwrap().parse().unwrap()
}

/// `POST` of a command with these headers (each with its `\r\n`) and this body.
pub(crate) fn command(query: &str, headers: &str, body: &str) -> String {
    format!(
        "POST /aveksa/command.submit?{query} HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

pub(crate) fn login(format: &str, username: &str, password: &str) -> String {
    command(
        &format!("cmd=loginUser{format}"),
        "Content-Type: application/xml\r\n",
        &format!("<username>{username}</username><password>{password}</password>"),
    )
}

pub(crate) fn logout(format: &str, token: &str) -> String {
    command(
        &format!("cmd=logoutUser{format}"),
        &format!(
            "Authorization: Bearer {token}\r\nAccept: application/json\r\nContent-Type: application/json\r\n"
        ),
        "",
    )
}

pub(crate) fn find_users(token: &str) -> String {
    command("cmd=findUsers&format=json", &format!("Authorization: Bearer {token}\r\n"), "")
}

/// How a connection ends that was torn off. Wine shuts a socket down before it closes it, so that there an end comes
/// first, in the midst of what TLS has begun.
pub(crate) fn is_torn_off(kind: io::ErrorKind) -> bool {
    let end = cfg!(windows) && kind == io::ErrorKind::UnexpectedEof;
    end || kind == io::ErrorKind::ConnectionReset
}
