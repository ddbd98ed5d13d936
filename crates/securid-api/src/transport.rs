//! One exchange with the server: request out, whole answer in, within a deadline.

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::Request;
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use securid_secret::SecretBytes;
use tokio::time::timeout;

use crate::answer::Answer;
use crate::retry_after::retry_after;
use crate::{Endpoint, Failure, MAX_REPLY, SetupError, fault, tls};

/// How long the addresses of a host are tried, all together. Half of the shortest deadline that is
/// usual (10 s), so that a firewall that drops packets is told from a server that does not answer.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long an unused connection is kept. It serves the logouts of one burst, and a script that
/// logs in and out; servers drop it after 20 to 60 s, and a dead one costs an attempt.
const KEEP_IDLE: Duration = Duration::from_secs(15);

/// How many unused connections are kept. In a burst all attempts to one origin may be answered at
/// the same moment, and the next ones begin just after: all their connections must still be there.
/// 256 is the most attempts at once that a config can ask for.
const MAX_IDLE: usize = 256;

/// A pool of connections to one endpoint.
#[derive(Debug)]
pub(crate) struct Transport {
    http: legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    origin: String,
}

impl Transport {
    /// Sets up TLS, if the endpoint wants it; connects nowhere yet.
    pub(crate) fn new(endpoint: &Endpoint, ca_file: Option<&Path>) -> Result<Self, SetupError> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        tcp.set_nodelay(true);
        let connector = HttpsConnectorBuilder::new();
        let connector = if endpoint.is_secure() {
            connector.with_tls_config(tls::config(ca_file)?).https_only()
        } else {
            connector.with_tls_config(tls::unused()?).https_or_http()
        };
        let connector = connector.enable_http1().wrap_connector(tcp);
        // A request is sent anew only if its connection, a used one, was found dead before
        // anything was written: that is hyper-util's own `retry_canceled_requests`.
        let http = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(KEEP_IDLE)
            .pool_max_idle_per_host(MAX_IDLE)
            .build(connector);
        Ok(Self { http, origin: endpoint.origin().to_owned() })
    }

    /// Sends `request` and reads the whole answer, all of it within `deadline`. No redirection is
    /// followed. Dropping the future closes the connection.
    pub(crate) async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
        deadline: Duration,
    ) -> Result<Answer, Failure> {
        let started = Instant::now();
        let response = timeout(deadline, self.http.request(request))
            .await
            .map_err(|_| fault::too_late(deadline, None))?
            .map_err(|error| fault::no_answer(&error, &self.origin))?;

        let (head, body) = response.into_parts();
        let status = head.status.as_u16();
        let content = timeout(deadline.saturating_sub(started.elapsed()), read(body))
            .await
            .map_err(|_| fault::too_late(deadline, Some(status)))
            .and_then(|read| read.map_err(|error| fault::no_end(&*error, status)))
            .map_err(|failure| Failure {
                retry_after: retry_after(status, &head.headers),
                ..failure
            })?;
        Ok(Answer { status, headers: head.headers, content })
    }
}

/// The whole body, at most [`MAX_REPLY`] bytes.
async fn read(body: Incoming) -> Result<SecretBytes, Box<dyn Error + Send + Sync>> {
    let mut body = Limited::new(body, MAX_REPLY);
    let mut content = SecretBytes::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            content.extend_from_slice(&data);
        }
    }
    Ok(content)
}
