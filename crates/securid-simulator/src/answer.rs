//! One request: the control interface, a fault, or a command.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use httpdate::fmt_http_date;
use hyper::Request;
use hyper::body::Incoming;
use hyper::header::DATE;
use tokio::time::sleep;

use crate::call::{Call, digest_body, read_body};
use crate::commands;
use crate::control;
use crate::fault::Fault;
use crate::misbehave::{Misbehaviour, misbehave};
use crate::reply::{self, Format, Reply};
use crate::server::Server;
use crate::wire::Line;

/// Where [`Fault::Redirect`] points to: a forged confirmation, for whoever should not have come.
pub(crate) const REDIRECT_PATH: &str = "/elsewhere";

pub(crate) async fn answer(
    server: Arc<Server>,
    line: Arc<Line>,
    request: Request<Incoming>,
) -> Result<Reply, Infallible> {
    let (head, body) = request.into_parts();
    let call = Call::new(head);
    let path = call.head.uri.path();
    if path == REDIRECT_PATH {
        server.ledger.count(|truth| &mut truth.redirects_followed);
        return Ok(reply::of_type(Format::Json, commands::LOGOUT_USER));
    }
    if control::PATHS.contains(&path) {
        line.mark_control();
        return match read_body(body).await {
            Some(body) => Ok(control::answer(&server, &call, &body)),
            None => sever(&line).await,
        };
    }

    // What happens is settled before the arrival shows in the truth: whoever has seen it there may
    // switch the fault off, and this request still gets it.
    let (fault, latency) = {
        let switches = server.switches();
        (switches.fault_for(call.command()), switches.latency)
    };
    // The guard lives as long as this request, or its client.
    let _in_flight = match (call.command(), call.token()) {
        (Some(commands::LOGOUT_USER), _) => Some(server.ledger.logout_arrived(call.bearer())),
        (_, token) => {
            server.ledger.other_arrived(token);
            None
        }
    };
    let body = match call.command() {
        Some(commands::FIND_USERS) => count_body(&server, body).await,
        _ => read_body(body).await,
    };
    let Some(body) = body else { return sever(&line).await };

    let mut reply = match fault {
        Some(fault) if !fault.carries_out() => match misbehave(&server, &call, &body, fault) {
            Misbehaviour::Reply(reply) => reply,
            Misbehaviour::Silence => return never().await,
            Misbehaviour::Reset => return sever(&line).await,
        },
        _ => commands::carry_out(&server, &call, &body),
    };
    // After the command: what a server does is done, whether or not its client waits for the reply.
    let delay = if let Some(Fault::Delay(delay)) = fault { delay } else { Duration::ZERO };
    sleep(latency.saturating_add(delay)).await;
    match fault {
        Some(Fault::ReplyLost) => return sever(&line).await,
        Some(Fault::ClockAhead(by)) => {
            if let Ok(date) = fmt_http_date(SystemTime::now() + by).try_into() {
                reply.headers_mut().insert(DATE, date);
            }
        }
        _ => {}
    }
    Ok(reply)
}

/// The body of a command that does not look at it: counted and hashed, and not kept.
async fn count_body(server: &Server, body: Incoming) -> Option<Bytes> {
    match digest_body(body).await {
        Some(digest) => {
            server.ledger.body_came(digest);
            Some(Bytes::new())
        }
        None => {
            server.ledger.count(|truth| &mut truth.bodies_broken_off);
            None
        }
    }
}

/// Resets the connection: no reply comes of this.
async fn sever(line: &Line) -> Result<Reply, Infallible> {
    line.sever();
    never().await
}

/// A moment that never comes, for replies that never do. The request ends with its connection.
async fn never() -> Result<Reply, Infallible> {
    std::future::pending().await
}
