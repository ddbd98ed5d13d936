//! What is sent, to the byte, and once.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod responder;

use responder::{AMPLE, Act, JSON_REPLY, Responder, TOKEN, answer, token};
use securid_api::{Format, LoginRequest, LogoutReply};
use securid_secret::Secret;

/// Request line, headers (sorted: their order means nothing) and content.
fn parts(request: &str) -> (String, Vec<String>, String) {
    let (head, content) = request.split_once("\r\n\r\n").unwrap();
    let (line, headers) = head.split_once("\r\n").unwrap();
    let mut headers: Vec<_> = headers.split("\r\n").map(str::to_owned).collect();
    headers.sort();
    (line.into(), headers, content.into())
}

#[tokio::test]
async fn a_logout_is_just_what_the_vendors_pages_say() {
    for (format, name) in [(Format::Json, "json"), (Format::Properties, "properties")] {
        let server = Responder::start(Act::Say(answer("200 OK", "", JSON_REPLY))).await;
        server.client(format).logout(&token(), AMPLE).await;
        let (line, headers, content) = parts(&server.requests()[0]);
        let path = "/aveksa/command.submit?cmd=logoutUser";
        assert_eq!(line, format!("POST {path}&format={name} HTTP/1.1"));
        let expected = [
            "accept: application/json".to_owned(),
            format!("authorization: Bearer {TOKEN}"),
            "content-length: 0".to_owned(),
            "content-type: application/json".to_owned(),
            format!("host: 127.0.0.1:{}", server.port),
        ];
        assert_eq!(headers, expected);
        assert_eq!(content, "");
    }
}

#[tokio::test]
async fn a_login_is_xml_and_carries_no_token() {
    for (format, name) in [(Format::Json, "json"), (Format::Properties, "properties")] {
        let server = Responder::start(Act::Say(answer("200 OK", "", "token=abc\n"))).await;
        let login = LoginRequest {
            username: "me".into(),
            password: Secret::from("p&w"),
            auth_source: Some("AD".into()),
        };
        let token = server.client(format).login(login, AMPLE).await.unwrap();
        assert_eq!(token.expose(), "abc");
        let (line, headers, content) = parts(&server.requests()[0]);
        let path = "/aveksa/command.submit?cmd=loginUser";
        assert_eq!(line, format!("POST {path}&format={name} HTTP/1.1"));
        let xml = "<username>me</username><password>p&amp;w</password><authsource>AD</authsource>";
        let expected = [
            "accept: application/json".to_owned(),
            format!("content-length: {}", xml.len()),
            "content-type: application/xml".to_owned(),
            format!("host: 127.0.0.1:{}", server.port),
        ];
        assert_eq!(headers, expected);
        assert_eq!(content, xml);
    }
}

#[tokio::test]
async fn instructions_are_asked_for_without_anything_else() {
    let server = Responder::start(Act::Say(answer("200 OK", "", "Hello"))).await;
    let client = server.client(Format::Json);
    client.instructions(None, AMPLE).await.unwrap();
    client.instructions(Some("A&D"), AMPLE).await.unwrap();
    for (request, source) in server.requests().iter().zip(["", "&authsource=A%26D"]) {
        let (line, headers, content) = parts(request);
        let path = "/aveksa/command.submit?cmd=getLoginInstructions";
        assert_eq!(line, format!("POST {path}{source} HTTP/1.1"));
        let expected = [
            "accept: */*".to_owned(),
            "content-length: 0".to_owned(),
            "content-type: application/json".to_owned(),
            format!("host: 127.0.0.1:{}", server.port),
        ];
        assert_eq!((&headers[..], &*content), (&expected[..], ""));
    }
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_request_is_never_sent_again() {
    for act in [Act::Reset, Act::HangUp, Act::SayInTurn(Vec::new())] {
        let server = Responder::start(act).await;
        let reply = server.client(Format::Json).logout(&token(), AMPLE).await;
        assert!(matches!(reply, LogoutReply::Unconfirmed(_)), "{reply:?}");
        assert_eq!(server.connections(), 1);
    }
}
