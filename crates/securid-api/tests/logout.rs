//! Logouts against a server that does everything a server, or what stands before it, may do.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod responder;

use std::time::{Duration, Instant};

use responder::{
    AMPLE, Act, INVALID_PAGE, JSON_REPLY, PROPERTIES_REPLY, Responder, TOKEN, answer, token,
};
use securid_api::{
    Access, Client, Confirmation, Confirmed, Endpoint, Failure, FailureKind, Format, LogoutReply,
    Proxies,
};

const FORMATS: [Format; 2] = [Format::Json, Format::Properties];

/// Short enough not to hold up the tests, long enough for a connection on a busy machine.
const SHORT: Duration = Duration::from_millis(300);

async fn confirmed(act: Act) -> Vec<Confirmation> {
    let mut all = Vec::new();
    for format in FORMATS {
        let server = Responder::start(act.clone()).await;
        match server.client(format).logout(&token(), AMPLE).await {
            LogoutReply::Confirmed(confirmation) => all.push(confirmation),
            LogoutReply::Unconfirmed(failure) => panic!("{format:?}: {failure:?}"),
        }
    }
    all
}

/// The failure that `act` leads to in either format, which must be the same and show no token.
async fn failed(act: Act, deadline: Duration) -> Failure {
    let mut failures = Vec::new();
    for format in FORMATS {
        let server = Responder::start(act.clone()).await;
        match server.client(format).logout(&token(), deadline).await {
            LogoutReply::Unconfirmed(failure) => {
                let port = format!(":{}", server.port);
                let message = failure.message.replace(&port, ":PORT");
                failures.push(Failure { message, ..failure });
            }
            LogoutReply::Confirmed(confirmation) => panic!("{format:?}: {confirmation:?}"),
        }
        assert_eq!(server.connections(), 1, "one attempt is one attempt");
    }
    let failure = failures.pop().unwrap();
    assert!(failures.iter().all(|other| *other == failure), "{failures:?} {failure:?}");
    assert!(!failure.message.contains(TOKEN), "{failure:?}");
    assert!(failure.message.chars().count() < 300 && !failure.message.contains('\n'), "{failure}");
    failure
}

#[track_caller]
fn expect(failure: &Failure, kind: FailureKind, words: &str) {
    assert_eq!(failure.kind, kind, "{failure}");
    assert!(failure.message.contains(words), "{failure}");
}

#[tokio::test]
async fn the_two_forms_of_the_reply_confirm_whichever_was_asked_for() {
    for content in [JSON_REPLY, PROPERTIES_REPLY] {
        let date = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
        for confirmation in confirmed(Act::Say(answer("200 OK", date, content))).await {
            assert_eq!(confirmation.how, Confirmed::Revoked);
            let evidence = "200 type=logoutUser; Date: Sun, 06 Nov 1994 08:49:37 GMT";
            assert_eq!(confirmation.evidence, evidence);
        }
    }
}

#[tokio::test]
async fn the_servers_own_401_confirms() {
    for confirmation in confirmed(Act::Say(answer("401 Unauthorized", "", INVALID_PAGE))).await {
        assert_eq!(confirmation.how, Confirmed::AlreadyInvalid);
        assert_eq!(confirmation.evidence, "401 Token is invalid or expired");
    }
}

#[tokio::test]
async fn what_the_headers_call_the_content_does_not_matter() {
    let html = "Content-Type: text/html\r\n";
    confirmed(Act::Say(answer("200 OK", html, JSON_REPLY))).await;
    let json = "Content-Type: application/json\r\n";
    let page = "<html><title>Welcome</title>{\"data\": {\"type\": \"logoutUser\"}}</html>";
    let failure = failed(Act::Say(answer("200 OK", json, page)), AMPLE).await;
    expect(&failure, FailureKind::NotConfirmed, "a web page instead");
}

#[tokio::test]
async fn chunks_and_the_end_of_the_connection_end_a_reply_too() {
    let (first, rest) = JSON_REPLY.split_at(9);
    let chunked = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{first}\r\n{:x}\r\n{rest}\r\n0\r\n\r\n",
        first.len(),
        rest.len()
    );
    confirmed(Act::Say(chunked.into())).await;
    let until_the_end = format!("HTTP/1.0 200 OK\r\n\r\n{JSON_REPLY}");
    confirmed(Act::SayAndClose(until_the_end.into())).await;
}

#[tokio::test]
async fn a_reset_is_cut() {
    let failure = failed(Act::Reset, AMPLE).await;
    expect(&failure, FailureKind::Cut, "lost before an answer");
}

#[tokio::test]
async fn a_connection_closed_without_an_answer_is_cut() {
    let failure = failed(Act::SayAndClose(Vec::new()), AMPLE).await;
    expect(&failure, FailureKind::Cut, "lost before an answer");
    let failure = failed(Act::SayAndClose(b"HTTP/1.1 200 OK\r\nConte".into()), AMPLE).await;
    expect(&failure, FailureKind::Cut, "lost before an answer");
}

#[tokio::test]
async fn silence_is_a_timeout() {
    let failure = failed(Act::Hang, SHORT).await;
    expect(&failure, FailureKind::Timeout, "no answer within 300ms");
}

#[tokio::test]
async fn a_truncated_body_is_cut_even_if_what_came_would_confirm() {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", JSON_REPLY.len() + 1);
    let failure = failed(Act::SayAndClose((head + JSON_REPLY).into()), AMPLE).await;
    expect(&failure, FailureKind::Cut, "before the end of the answer (HTTP 200)");

    let chunk = format!("{:x}\r\n{JSON_REPLY}\r\n", JSON_REPLY.len());
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned();
    let failure = failed(Act::SayAndClose((head + &chunk).into()), AMPLE).await;
    expect(&failure, FailureKind::Cut, "before the end of the answer (HTTP 200)");

    let head = format!("HTTP/1.1 401 No\r\nContent-Length: {}\r\n\r\n", INVALID_PAGE.len() + 9);
    let failure = failed(Act::SayAndClose((head + INVALID_PAGE).into()), AMPLE).await;
    expect(&failure, FailureKind::Cut, "before the end of the answer (HTTP 401)");
}

#[tokio::test]
async fn an_endless_body_is_given_up() {
    let failure = failed(Act::Endless(vec![b' '; 4096]), AMPLE).await;
    expect(&failure, FailureKind::NotConfirmed, "more than 64 KiB (HTTP 200)");
}

#[tokio::test]
async fn a_confirming_body_of_more_than_64_kib_does_not_confirm() {
    let content = " ".repeat(64 * 1024) + JSON_REPLY;
    let failure = failed(Act::Say(answer("200 OK", "", &content)), AMPLE).await;
    expect(&failure, FailureKind::NotConfirmed, "more than 64 KiB");
}

#[tokio::test]
async fn a_slow_drip_is_a_timeout_of_the_whole() {
    let pause = Duration::from_millis(20);
    for format in FORMATS {
        let server = Responder::start(Act::Drip(answer("200 OK", "", JSON_REPLY), pause)).await;
        let started = Instant::now();
        let reply = server.client(format).logout(&token(), SHORT).await;
        assert!(started.elapsed() < SHORT * 10, "each byte must not start the clock anew");
        let LogoutReply::Unconfirmed(failure) = reply else { panic!("{reply:?}") };
        expect(&failure, FailureKind::Timeout, "300ms");
    }
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{".to_vec();
    let failure = failed(Act::Say(head), SHORT).await;
    expect(&failure, FailureKind::Timeout, "the answer (HTTP 200) had not ended after 300ms");
}

#[tokio::test]
async fn redirections_are_not_followed() {
    let target = Responder::start(Act::Say(answer("200 OK", "", JSON_REPLY))).await;
    for status in ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"] {
        let there = format!("Location: {}?x=y\r\n", target.endpoint().url());
        let failure = failed(Act::Say(answer(status, &there, JSON_REPLY)), AMPLE).await;
        expect(&failure, FailureKind::NotConfirmed, "redirected to http://127.0.0.1:");
        expect(&failure, FailureKind::NotConfirmed, "not followed");
    }
    assert_eq!(target.connections(), 0);
}

#[tokio::test]
async fn throttling_says_how_long() {
    let date = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
    for (status, headers, wait) in [
        ("429 Slow Down", "Retry-After: 7\r\n".to_owned(), 7),
        ("503 Busy", "Retry-After: 86400\r\n".to_owned(), 3600),
        ("503 Busy", format!("{date}Retry-After: Sun, 06 Nov 1994 08:50:07 GMT\r\n"), 30),
    ] {
        let failure = failed(Act::Say(answer(status, &headers, JSON_REPLY)), AMPLE).await;
        expect(&failure, FailureKind::Throttled, &format!("asks to wait {wait}s"));
        assert_eq!(failure.retry_after, Some(Duration::from_secs(wait)));
    }
    let failure = failed(Act::Say(answer("503 Busy", "", "")), AMPLE).await;
    expect(&failure, FailureKind::NotConfirmed, "the server failed (HTTP 503)");
    assert_eq!(failure.retry_after, None);
}

#[tokio::test]
async fn a_wait_is_heard_even_if_the_answer_is_cut_off() {
    let cut = b"HTTP/1.1 503 Busy\r\nRetry-After: 9\r\nContent-Length: 9\r\n\r\nB".to_vec();
    let failure = failed(Act::SayAndClose(cut), AMPLE).await;
    expect(&failure, FailureKind::Cut, "HTTP 503");
    assert_eq!(failure.retry_after, Some(Duration::from_secs(9)));
}

#[tokio::test]
async fn a_captive_portal_does_not_confirm() {
    let page = format!("<html><title>Free WiFi</title>\ntype=logoutUser\n{INVALID_PAGE}</html>");
    let failure = failed(Act::Say(answer("200 OK", "", &page)), AMPLE).await;
    expect(&failure, FailureKind::NotConfirmed, "a captive portal or login page?");
    expect(&failure, FailureKind::NotConfirmed, "Free WiFi");
}

#[tokio::test]
async fn a_proxys_401_does_not_confirm() {
    let page = "<h1>Sign in to continue\x1b]0;x\x07</h1>";
    let failure = failed(Act::Say(answer("401 Unauthorized", "", page)), AMPLE).await;
    expect(&failure, FailureKind::NotConfirmed, "a proxy or firewall in between?");
    expect(&failure, FailureKind::NotConfirmed, "Sign in to continue]0;x");
}

#[tokio::test]
async fn other_answers_do_not_confirm() {
    for (status, words) in [
        ("200 OK", "not the command's own"),
        ("201 Created", "unexpected answer (HTTP 201)"),
        ("400 Bad", "unexpected answer (HTTP 400)"),
        ("403 Forbidden", "web services switched on"),
        ("404 logoutUser", "is the URL right?"),
        ("407 Proxy", "a proxy wants credentials"),
        ("412 Precondition", "HTTP 412"),
        ("500 Error", "the server failed (HTTP 500)"),
    ] {
        // Each with the confirming words of the other.
        let content =
            if status == "200 OK" { INVALID_PAGE.replace('<', "") } else { JSON_REPLY.into() };
        let failure = failed(Act::Say(answer(status, "", &content)), AMPLE).await;
        expect(&failure, FailureKind::NotConfirmed, words);
    }
    let failure = failed(Act::Say(b"HTTP/1.1 204 None\r\n\r\n".to_vec()), AMPLE).await;
    expect(&failure, FailureKind::NotConfirmed, "HTTP 204");
    let failure = failed(Act::Say(answer("200 OK", "", "")), AMPLE).await;
    expect(&failure, FailureKind::NotConfirmed, "not the command's own");
}

#[tokio::test]
async fn an_echoed_token_is_not_passed_on() {
    let page = format!("Debug: authorization: Bearer {TOKEN}");
    let failure = failed(Act::Say(answer("500 Error", "", &page)), AMPLE).await;
    expect(&failure, FailureKind::NotConfirmed, "Bearer [hidden]");
    let there = format!("Location: https://sso.example/{TOKEN}/\r\n");
    let failure = failed(Act::Say(answer("302 Found", &there, "")), AMPLE).await;
    expect(&failure, FailureKind::NotConfirmed, "https://sso.example/[hidden]/");
}

#[tokio::test]
async fn another_protocol_is_told() {
    let failure = failed(Act::SayAndClose(b"SSH-2.0-OpenSSH_9.6\r\n".to_vec()), AMPLE).await;
    expect(&failure, FailureKind::NotConfirmed, "not HTTP/1.1");
}

#[tokio::test]
async fn nobody_there_is_told() {
    // Bound and not listening: nobody else can take the port, and it refuses.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = socket.local_addr().unwrap().port();
    let endpoint = Endpoint::parse(&format!("http://127.0.0.1:{port}/aveksa")).unwrap();
    let client =
        Client::new(endpoint, &Access::default(), Format::Json, &Proxies::default()).unwrap();
    let LogoutReply::Unconfirmed(failure) = client.logout(&token(), AMPLE).await else {
        panic!("confirmed by nobody")
    };
    expect(&failure, FailureKind::Connect, &format!("http://127.0.0.1:{port} refuses connections"));
}
