//! Logins against a server that refuses, fails, or is not there.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod responder;

use std::time::Duration;

use responder::{AMPLE, Act, Responder, answer};
use securid_api::{FailureKind, Format, LoginError, LoginRequest, Token};
use securid_secret::Secret;

const PASSWORD: &str = "s3cret-s3cret";

async fn login(
    server: &Responder,
    password: &str,
    deadline: Duration,
) -> Result<Token, LoginError> {
    let password = Secret::from(password);
    let login = LoginRequest { username: "me".into(), password, auth_source: None };
    let result = server.client(Format::Json).login(login, deadline).await;
    if let Err(error) = &result {
        assert!(!format!("{error} {error:?}").contains(PASSWORD), "{error:?}");
    }
    result
}

async fn error(act: Act, deadline: Duration) -> LoginError {
    let server = Responder::start(act).await;
    login(&server, PASSWORD, deadline).await.unwrap_err()
}

#[tokio::test]
async fn both_forms_give_a_token() {
    for content in [r#"{"data":{"type":"loginUser","token":"abc"}}"#, "token=abc", "token=abc\r\n"]
    {
        let server = Responder::start(Act::Say(answer("200 OK", "", content))).await;
        assert_eq!(login(&server, PASSWORD, AMPLE).await.unwrap().expose(), "abc");
    }
}

#[tokio::test]
async fn a_refusal_is_told_from_a_failure() {
    let page = format!("<title>Error</title>wrong: <password>{PASSWORD}</password>");
    for status in [401, 403] {
        let refusal = error(Act::Say(answer(&format!("{status} No"), "", &page)), AMPLE).await;
        let words = "Error wrong: [hidden]".to_owned();
        assert_eq!(refusal, LoginError::Refused { status, words });
    }
    let failures = [
        Act::Say(answer("500 Error", "", &page)),
        Act::Say(answer("302 Found", "Location: https://sso.example/\r\n", "")),
        Act::Say(answer("200 OK", "", "<html>token=abc</html>")),
        Act::Say(answer("200 OK", "", "token=a b")),
        Act::SayAndClose(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\ntoken=abc\n".to_vec()),
        Act::Endless(vec![b'x'; 4096]),
        Act::Reset,
    ];
    for act in failures {
        let failure = error(act, AMPLE).await;
        assert!(matches!(failure, LoginError::Server(_)), "{failure:?}");
    }
}

#[tokio::test]
async fn throttling_keeps_its_wait() {
    let act = Act::Say(answer("429 Slow Down", "Retry-After: 7\r\n", ""));
    let LoginError::Server(failure) = error(act, AMPLE).await else { panic!("not the server's") };
    assert_eq!(failure.retry_after, Some(Duration::from_secs(7)));
}

#[tokio::test]
async fn silence_is_unreachable() {
    let LoginError::Unreachable(failure) = error(Act::Hang, Duration::from_millis(300)).await
    else {
        panic!("not unreachable")
    };
    assert_eq!(failure.kind, FailureKind::Timeout);
}

#[tokio::test]
async fn nothing_is_sent_of_what_cannot_be() {
    let server = Responder::start(Act::Say(answer("200 OK", "", "token=abc"))).await;
    assert_eq!(login(&server, "", AMPLE).await.unwrap_err(), LoginError::EmptyPassword);
    let field = "password";
    assert_eq!(login(&server, "a\0b", AMPLE).await.unwrap_err(), LoginError::Unsendable { field });
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn instructions_keep_nobody_from_logging_in_but_where_somebody_else_answers() {
    let text = "Use your <b>AD</b> account.<br>Help: 4711\u{1b}[2J";
    for (act, told) in [
        (Act::Say(answer("200 OK", "", text)), Some("Use your AD account.\nHelp: 4711[2J")),
        (Act::Say(answer("404 getLoginInstructions", "", "<p>no such command")), None),
        (Act::Say(answer("302 Found", "Location: https://sso.example/\r\n", "")), None),
        (Act::Endless(vec![b'x'; 4096]), None),
        (Act::Reset, None),
    ] {
        let server = Responder::start(act).await;
        let instructions = server.client(Format::Json).instructions(None, AMPLE).await;
        assert_eq!(instructions.unwrap().as_deref(), told);
        assert_eq!(server.connections(), 1);
    }
    let server = Responder::start(Act::Hang).await;
    let soon = Duration::from_millis(300);
    assert_eq!(server.client(Format::Json).instructions(None, soon).await, Ok(None));
    let page = answer("200 OK", "", "<!DOCTYPE html><html><body>Room number?</body></html>");
    let server = Responder::start(Act::Say(page)).await;
    let failure = server.client(Format::Json).instructions(None, AMPLE).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::NotConfirmed);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_before_the_login() {
    let server = Responder::start(Act::Hang).await;
    let client = server.client(Format::Json);
    drop(server);
    // Its task is gone, and the port with it, once it had its turn.
    tokio::task::yield_now().await;
    let failure = client.instructions(None, AMPLE).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Connect);
}
