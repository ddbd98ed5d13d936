//! Answers that are made to confuse: what is no whole, single, bounded answer to the request that
//! was sent confirms nothing.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod responder;

use std::time::{Duration, Instant};

use responder::{AMPLE, Act, INVALID_PAGE, JSON_REPLY, Responder, TOKEN, answer, token};
use securid_api::{Failure, FailureKind, Format, LogoutReply};

/// Short enough not to hold up the tests, long enough for a connection on a busy machine.
const SHORT: Duration = Duration::from_millis(300);

async fn logout(act: Act, deadline: Duration) -> LogoutReply {
    let server = Responder::start(act).await;
    let reply = server.client(Format::Json).logout(&token(), deadline).await;
    assert_eq!(server.connections(), 1, "one attempt is one attempt");
    reply
}

async fn failed(what: &str, act: Act, deadline: Duration) -> Failure {
    match logout(act, deadline).await {
        LogoutReply::Unconfirmed(failure) => {
            assert!(!failure.message.contains(TOKEN), "{what}: {failure}");
            assert!(failure.message.chars().count() < 300, "{what}: {failure}");
            failure
        }
        LogoutReply::Confirmed(confirmation) => panic!("{what}: {confirmation:?}"),
    }
}

async fn confirmed(what: &str, said: Vec<u8>) {
    let reply = logout(Act::SayAndClose(said), AMPLE).await;
    assert!(matches!(reply, LogoutReply::Confirmed(_)), "{what}: {reply:?}");
}

fn chunk(content: &str) -> String {
    format!("{:x}\r\n{content}\r\n", content.len())
}

#[tokio::test]
async fn an_answer_whose_end_is_in_doubt_does_not_confirm() {
    let length = JSON_REPLY.len();
    let chunks = chunk(JSON_REPLY) + "0\r\n\r\n";
    let chunked = "Transfer-Encoding: chunked\r\n";
    let unreadable = (FailureKind::NotConfirmed, "an answer that is not HTTP/1.1");
    let two_ends = (FailureKind::NotConfirmed, "an answer with two lengths (HTTP 200)");
    let cut = (FailureKind::Cut, "lost before the end of the answer (HTTP 200)");
    for (what, version, headers, content, (kind, words)) in [
        (
            "two lengths",
            "1.1",
            format!("Content-Length: {length}\r\nContent-Length: 9\r\n"),
            JSON_REPLY.to_owned(),
            unreadable,
        ),
        (
            "two in one",
            "1.1",
            format!("Content-Length: {length}, 9\r\n"),
            JSON_REPLY.into(),
            unreadable,
        ),
        ("less than none", "1.1", "Content-Length: -1\r\n".into(), JSON_REPLY.into(), unreadable),
        (
            "with a sign",
            "1.1",
            format!("Content-Length: +{length}\r\n"),
            JSON_REPLY.into(),
            unreadable,
        ),
        (
            "beyond all numbers",
            "1.1",
            "Content-Length: 99999999999999999999\r\n".into(),
            JSON_REPLY.into(),
            unreadable,
        ),
        ("chunks before their time", "1.0", chunked.into(), chunks.clone(), unreadable),
        (
            "length and chunks",
            "1.1",
            format!("Content-Length: {length}\r\n{chunked}"),
            chunks.clone(),
            two_ends,
        ),
        (
            "chunks and length",
            "1.1",
            format!("{chunked}Content-Length: {}\r\n", chunks.len()),
            chunks,
            two_ends,
        ),
        ("no last chunk", "1.1", chunked.into(), chunk(JSON_REPLY), cut),
        ("a size that is none", "1.1", chunked.into(), format!("zz\r\n{JSON_REPLY}\r\n"), cut),
        (
            "a size beyond all",
            "1.1",
            chunked.into(),
            format!("fffffffffffffffff\r\n{JSON_REPLY}\r\n0\r\n\r\n"),
            cut,
        ),
        (
            "a chunk longer than it says",
            "1.1",
            chunked.into(),
            format!("2\r\n{JSON_REPLY}\r\n0\r\n\r\n"),
            cut,
        ),
    ] {
        let said = format!("HTTP/{version} 200 OK\r\n{headers}\r\n{content}");
        let failure = failed(what, Act::SayAndClose(said.into()), AMPLE).await;
        assert_eq!(failure.kind, kind, "{what}: {failure}");
        assert!(failure.message.contains(words), "{what}: {failure}");
    }
    // Said twice, and the same: there is nothing in doubt.
    let twice = format!("Content-Length: {length}\r\n");
    confirmed("the same length twice", answer("200 OK", &twice, JSON_REPLY)).await;
}

#[tokio::test]
async fn an_answer_that_is_none_does_not_confirm() {
    for (what, said, words) in [
        ("HTTP/0.9", JSON_REPLY.to_owned(), "not HTTP/1.1"),
        ("HTTP/2", format!("HTTP/2.0 200 OK\r\n\r\n{JSON_REPLY}"), "not HTTP/1.1"),
        ("no status", format!("HTTP/1.1 OK\r\n\r\n{JSON_REPLY}"), "not HTTP/1.1"),
        (
            "a control character",
            format!("HTTP/1.1 200 OK\r\nA: \x01\r\n\r\n{JSON_REPLY}"),
            "not HTTP/1.1",
        ),
        (
            "another protocol",
            format!("HTTP/1.1 101 Now\r\nUpgrade: x\r\n\r\n{JSON_REPLY}"),
            "HTTP 101",
        ),
        // These have no content, whatever follows them.
        ("nothing to say", format!("HTTP/1.1 204 None\r\n\r\n{JSON_REPLY}"), "HTTP 204"),
        ("reset", format!("HTTP/1.1 205 Reset\r\n\r\n{JSON_REPLY}"), "HTTP 205"),
        ("nothing new", format!("HTTP/1.1 304 Same\r\n\r\n{JSON_REPLY}"), "HTTP 304"),
    ] {
        let failure = failed(what, Act::SayAndClose(said.into()), AMPLE).await;
        assert_eq!(failure.kind, FailureKind::NotConfirmed, "{what}: {failure}");
        assert!(failure.message.contains(words), "{what}: {failure}");
    }
}

#[tokio::test]
async fn only_the_first_answer_counts() {
    let confirming = String::from_utf8(answer("200 OK", "", JSON_REPLY)).unwrap();
    for (what, first, words) in [
        ("a failure", answer("500 Error", "", "oops"), "HTTP 500"),
        ("an empty one", answer("200 OK", "", ""), "not the command's own"),
        ("one without content", b"HTTP/1.1 204 None\r\n\r\n".to_vec(), "HTTP 204"),
    ] {
        let said = String::from_utf8(first).unwrap() + &confirming;
        let failure = failed(what, Act::Say(said.into()), AMPLE).await;
        assert!(failure.message.contains(words), "{what}: {failure}");
    }
    // What comes before it is no answer.
    let early = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n";
    confirmed("hints", (early.to_owned() + &confirming).into()).await;
    // And what comes behind it is none either.
    confirmed("a line too many", (confirming.clone() + "\r\n\r\n").into()).await;
}

#[tokio::test]
async fn nothing_leads_elsewhere() {
    let target = Responder::start(Act::Say(answer("200 OK", "", JSON_REPLY))).await;
    let there = target.endpoint();
    let there = there.url();
    let port = target.port;
    for status in ["201 Made", "300 Many", "301 A", "302 B", "303 C", "305 Proxy", "307 D", "308 E"]
    {
        for place in [there, &format!("//127.0.0.1:{port}/aveksa"), "/aveksa/elsewhere", ""] {
            let headers = format!("Location: {place}\r\n");
            let act = Act::Say(answer(status, &headers, JSON_REPLY));
            let failure = failed(status, act, AMPLE).await;
            assert_eq!(failure.kind, FailureKind::NotConfirmed, "{status}: {failure}");
        }
    }
    let page = format!("<meta http-equiv=refresh content='0; url={there}'>{INVALID_PAGE}");
    let refresh = format!("Refresh: 0; url={there}\r\n");
    let failure = failed("refresh", Act::Say(answer("200 OK", &refresh, &page)), AMPLE).await;
    assert_eq!(failure.kind, FailureKind::NotConfirmed, "{failure}");

    // An invitation to send the next request elsewhere is not taken up.
    let elsewhere = format!(
        "Alt-Svc: h2=\":{port}\"; ma=9999; persist=1, http/1.1=\":{port}\"\r\n\
         Strict-Transport-Security: max-age=9999\r\nSet-Cookie: a=b\r\n"
    );
    let server = Responder::start(Act::Say(answer("500 Error", &elsewhere, ""))).await;
    let client = server.client(Format::Json);
    for sent in 1..=2 {
        client.logout(&token(), AMPLE).await;
        assert_eq!(server.requests().len(), sent);
    }
    assert_eq!(server.requests()[0], server.requests()[1], "no cookie goes back");
    assert_eq!(target.connections(), 0);
}

#[tokio::test]
async fn a_head_is_bounded() {
    let long = "x".repeat(40 * 1024);
    for (what, said) in [
        ("a long header", answer("200 OK", &format!("A: {long}\r\n"), JSON_REPLY)),
        ("a long reason", answer(&format!("200 {long}"), "", JSON_REPLY)),
        ("many headers", answer("200 OK", &"A: b\r\n".repeat(101), JSON_REPLY)),
    ] {
        let failure = failed(what, Act::Say(said), AMPLE).await;
        assert_eq!(failure.kind, FailureKind::NotConfirmed, "{what}: {failure}");
        assert!(failure.message.contains("message head is too large"), "{what}: {failure}");
    }
    let large = format!("A: {}\r\n", "x".repeat(20 * 1024)) + &"B: c\r\n".repeat(50);
    confirmed("a large head", answer("200 OK", &large, JSON_REPLY)).await;
}

#[tokio::test]
async fn a_head_that_drips_is_a_timeout_of_the_whole() {
    let pause = Duration::from_millis(20);
    for said in [
        answer("200 OK", &format!("A: {}\r\n", "x".repeat(2000)), JSON_REPLY),
        "HTTP/1.1 100 Continue\r\n\r\n".repeat(100).into(),
    ] {
        let started = Instant::now();
        let failure = failed("a drip", Act::Drip(said, pause), SHORT).await;
        assert!(started.elapsed() < SHORT * 10, "each byte must not start the clock anew");
        assert_eq!(failure.kind, FailureKind::Timeout, "{failure}");
    }
}

#[tokio::test]
async fn what_was_packed_is_not_unpacked() {
    // Some 10 MiB, if anybody unpacked it.
    let bomb = [b"\x1f\x8b\x08\0\0\0\0\0\0\x03".to_vec(), vec![0; 10 * 1024]].concat();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
        bomb.len()
    );
    let failure = failed("packed", Act::Say([head.into_bytes(), bomb].concat()), AMPLE).await;
    assert_eq!(failure.kind, FailureKind::NotConfirmed, "{failure}");
}

#[tokio::test]
async fn who_speaks_first_is_not_the_server() {
    for greeting in ["SSH-2.0-OpenSSH_9.6\r\n", "220 mail.example ESMTP\r\n"] {
        let failure = failed("greeted", Act::Greet(greeting.into()), SHORT).await;
        assert!(matches!(failure.kind, FailureKind::NotConfirmed | FailureKind::Cut), "{failure}");
    }
}
