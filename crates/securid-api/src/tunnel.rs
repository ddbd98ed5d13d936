//! `CONNECT`: has a proxy open the way to a server (RFC 9110, section 9.3.6). It is told host and
//! port, and sees nothing else: TLS goes through it end to end.

use bytes::Bytes;
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper::header::{HOST, PROXY_AUTHORIZATION};
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::conversation::MAX_HEAD;
use crate::proxy::Proxy;
use crate::proxy_refusals::Credentials;
use crate::{Failure, FailureKind};

/// Asks the proxy at the other end of `tcp` for `server`. What comes back leads there.
pub(crate) async fn open(
    tcp: TcpStream,
    proxy: &Proxy,
    credentials: Option<&Credentials>,
    server: &Uri,
) -> Result<TcpStream, Failure> {
    let target = server.authority().map_or("", |authority| authority.as_str());
    let request = request(credentials, target)
        .map_err(|_| failure(proxy, format!("cannot be asked for {target}")))?;
    let not_http = |error: &hyper::Error| {
        let what = if error.is_parse() {
            "does not answer in HTTP: is its port right?".to_owned()
        } else {
            format!("hung up before the way to {target} was open: does it allow CONNECT to there?")
        };
        failure(proxy, what)
    };

    let mut settings = http1::Builder::new();
    settings.max_buf_size(MAX_HEAD).max_header_size(MAX_HEAD);
    let (mut sender, connection) =
        settings.handshake(TokioIo::new(tcp)).await.map_err(|error| not_http(&error))?;
    let asked = async {
        let response = sender.send_request(request).await.map_err(|error| not_http(&error))?;
        let status = response.status();
        match (credentials, status.as_u16()) {
            (Some(credentials), 401 | 407) => credentials.refused(status.as_u16()),
            (Some(credentials), _) if status.is_success() => credentials.accepted(),
            _ => {}
        }
        if !status.is_success() {
            return Err(failure(proxy, refusal(status, proxy, credentials.is_some(), target)));
        }
        Ok(())
    };
    let connected = async { connection.without_shutdown().await.map_err(|error| not_http(&error)) };
    let ((), parts) = tokio::try_join!(asked, connected)?;
    // A server waits for the client's first word in TLS. What has come already is the proxy's own.
    if !parts.read_buf.is_empty() {
        return Err(failure(
            proxy,
            format!("opened the way to {target}, and then spoke itself: a login page?"),
        ));
    }
    Ok(parts.io.into_inner())
}

fn request(
    credentials: Option<&Credentials>,
    target: &str,
) -> Result<Request<Empty<Bytes>>, hyper::http::Error> {
    let mut request = Request::connect(target).header(HOST, target).body(Empty::new())?;
    if let Some(credentials) = credentials {
        request.headers_mut().insert(PROXY_AUTHORIZATION, credentials.header.clone());
    }
    Ok(request)
}

/// What an answer means that opens nothing. What it says is not quoted: it is the proxy's business.
fn refusal(status: StatusCode, proxy: &Proxy, has_credentials: bool, target: &str) -> String {
    let place = proxy.place_of_password();
    let number = status.as_u16();
    match number {
        // Some, as tinyproxy, answer 401 to wrong ones.
        401 | 407 if has_credentials => format!(
            "does not accept the user name and password in {place} (HTTP {number}): mend them"
        ),
        407 => format!(
            "wants a user name and password (HTTP 407), and {place} has none: write them into a \
            file as USER:PASSWORD, and name it as proxy_credentials_file"
        ),
        502..=504 => {
            format!("cannot reach {target} (HTTP {number}): is the server up, and the url right?")
        }
        500..=599 => format!("failed (HTTP {number})"),
        _ => format!(
            "does not open the way to {target} (HTTP {number}): have it allow CONNECT to there"
        ),
    }
}

fn failure(proxy: &Proxy, what: String) -> Failure {
    Failure::new(FailureKind::Proxy, format!("the proxy {} {what}", proxy.shown()))
}
