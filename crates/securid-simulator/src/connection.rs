//! One connection: the TLS handshake, its requests, and its end.

use std::pin::pin;
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::answer::answer;
use crate::certificates::Certificates;
use crate::server::Server;
use crate::wire::{Line, Wire};

/// Serves a connection until one of the sides ends it. `cuts` was taken when it was accepted.
pub(crate) async fn serve(
    server: Arc<Server>,
    stream: TcpStream,
    tls: Option<Arc<Certificates>>,
    mut cuts: watch::Receiver<u64>,
) {
    let line = Arc::new(Line::default());
    let wire = Wire::new(stream, Arc::clone(&line));
    let mut requests = pin!(async {
        match tls {
            None => serve_http(server, Arc::clone(&line), wire).await,
            // A failed handshake is the client's affair: some tests want exactly that.
            Some(tls) => {
                if let Ok(stream) = tls.acceptor().accept(wire).await {
                    if let Some(shown) = stream.get_ref().1.peer_certificates() {
                        server.ledger.shown(tls.name_in(shown));
                    }
                    serve_http(server, Arc::clone(&line), stream).await;
                }
            }
        }
    });
    loop {
        // Biased: a connection that is to be cut answers nothing more, even if a request is there.
        tokio::select! {
            biased;
            () = line.severed() => return,
            changed = cuts.changed() => {
                // Control replies end their connection of themselves.
                if changed.is_err() || !line.is_control() {
                    line.sever();
                }
            }
            () = &mut requests => return,
        }
    }
}

async fn serve_http(
    server: Arc<Server>,
    line: Arc<Line>,
    io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
) {
    let service = service_fn(|request| answer(Arc::clone(&server), Arc::clone(&line), request));
    // Its errors are clients that went away, bad HTTP, and the faults that break off a body.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(io), service).await;
}
