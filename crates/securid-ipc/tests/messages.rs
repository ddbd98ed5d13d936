//! Golden messages: what goes over the wire, byte for byte.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;

use proptest::prelude::*;
use securid_ipc::{
    envelope::{self, Asked, Request},
    framing::{REPLY_LIMIT, REQUEST_LIMIT, TooLong},
    messages::*,
};

/// Every call in its fullest and its barest form.
const CALLS: &[(&str, &str)] = &[
    ("daemon.status", "{}"),
    ("daemon.stop", "{}"),
    ("daemon.stop", r#"{"keep":true}"#),
    ("session.add", r#"{"instance":"prod","token":"t-1","username":"anna"}"#),
    ("session.add", r#"{"token":"t-1"}"#),
    (
        "session.login",
        r#"{"instance":"prod","username":"anna","password":"p\"w","auth_source":"AD","replace":true}"#,
    ),
    ("session.login", r#"{"password":"pw"}"#),
    ("session.login", r#"{"assertion":"<a b=\"c\"/>\n","auth_source":"SSO","tied":true}"#),
    ("session.instructions", "{}"),
    ("session.instructions", r#"{"instance":"prod","auth_source":"AD"}"#),
    ("session.list", "{}"),
    ("session.list", r#"{"limit":50,"cursor":"c"}"#),
    (
        "session.history",
        r#"{"limit":50,"cursor":"c","since":"2026-11-01T00:00:00Z","until":"2026-11-02T00:00:00Z","instance":"prod"}"#,
    ),
    ("session.show", r#"{"session":"prod"}"#),
    ("session.token", r#"{"session":"prod","for":"90s"}"#),
    ("session.token", "{}"),
    ("session.touch", r#"{"session":"0123abcd","for":"15m"}"#),
    ("session.hold", r#"{"session":"anna@prod"}"#),
    (
        "session.call",
        r#"{"session":"prod","command":"findUsers","arguments":{"name":"smith"},"format":"csv","content_type":"text/xml","timeout":"90s","length":5,"body":"aGVsbG8=","more":true}"#,
    ),
    ("session.call", r#"{"command":"findUsers"}"#),
    ("session.call", r#"{"command":"findUsers","body":""}"#),
    ("session.call", r#"{"call":7,"body":"aGVsbG8=","more":true}"#),
    ("session.call", r#"{"call":7,"body":""}"#),
    ("session.call", r#"{"call":7}"#),
    ("session.logout", r#"{"sessions":["prod","0123abcd"],"wait":"10s"}"#),
    ("session.logout", r#"{"all":true}"#),
    ("session.retry", "{}"),
    ("session.retry", r#"{"sessions":["prod"]}"#),
    ("session.forget", r#"{"session":"0123456789abcdef"}"#),
    ("events.subscribe", "{}"),
];

fn parsed(line: &str) -> Result<Call, RpcError> {
    match Request::parse(line.as_bytes()).asked? {
        Asked::Call(call) => Ok(call),
        Asked::Hello => panic!("a greeting: {line}"),
    }
}

fn answer_to(line: &str, outcome: Result<&Reply, &RpcError>) -> String {
    let id = Request::parse(line.as_bytes()).id.unwrap();
    let answer = envelope::answer(&id, outcome).unwrap();
    String::from_utf8(answer.filled().to_vec()).unwrap()
}

#[test]
fn calls_come_back_byte_for_byte() {
    for (method, params) in CALLS {
        let line = format!(r#"{{"jsonrpc":"2.0","id":2,"method":"{method}","params":{params}}}"#);
        let call = parsed(&line).unwrap_or_else(|error| panic!("{line}: {error}"));
        let sent = envelope::greet_and_call(1, 2, &call).unwrap();
        let greeting = r#"{"jsonrpc":"2.0","id":1,"method":"daemon.hello"}"#;
        assert_eq!(
            std::str::from_utf8(sent.filled()).unwrap(),
            format!("{greeting}\n{line}\n"),
            "{call:?}"
        );
    }
}

#[test]
fn no_debug_shows_a_secret() {
    for (method, params) in [
        ("session.add", r#"{"token":"hunter2"}"#),
        ("session.login", r#"{"password":"hunter2"}"#),
        ("session.login", r#"{"assertion":"hunter2"}"#),
    ] {
        let line = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#);
        let request = format!("{:?}", Request::parse(line.as_bytes()));
        assert!(request.contains("[redacted]") && !request.contains("hunter2"), "{request}");
    }
}

#[test]
fn parameters_that_are_wrong_are_refused_by_name_and_without_their_values() {
    for (method, params, says) in [
        ("daemon.status", r#"{"x":1}"#, "unknown parameter `x`"),
        ("daemon.hello", r#"{"x":1}"#, "unknown parameter `x`"),
        ("session.list", r#"{"al":true}"#, "unknown parameter `al`"),
        (
            "session.login",
            r#"{"password":"hunter2","interactive":true}"#,
            "unknown parameter `interactive`",
        ),
        ("session.login", r#"{"username":"anna"}"#, "missing parameter `password`"),
        ("session.login", r#"{"password":"hunter2","assertion":"hunter2"}"#, "not both"),
        ("session.login", r#"{"password":4711}"#, "a secret must be a string"),
        ("session.login", r#"{"password":"a","replace":"hunter2"}"#, "expected a boolean"),
        ("session.login", r#"{"password":"hunter2","password":"b"}"#, "repeated parameter"),
        ("session.token", r#"{"for":"5x"}"#, "\"5x\" is not a duration"),
        ("session.token", r#"["prod"]"#, "by name"),
        ("session.token", "null", "by name"),
        ("session.token", "5", "by name"),
        ("session.logout", "{}", "give `sessions`"),
        ("session.logout", r#"{"sessions":[]}"#, "give `sessions`"),
        ("session.logout", r#"{"all":false}"#, "give `sessions`"),
        ("session.logout", r#"{"all":true,"sessions":["a"]}"#, "give `sessions`"),
        ("session.call", r#"{"comand":"x"}"#, "unknown parameter `comand`"),
        ("session.call", "{}", "give `command` to begin a call, or `call` to go on with one"),
        (
            "session.call",
            r#"{"call":1,"command":"x"}"#,
            "with `call` there may be `body` and `more`, nothing else",
        ),
        (
            "session.call",
            r#"{"call":1,"timeout":"1s"}"#,
            "with `call` there may be `body` and `more`, nothing else",
        ),
        (
            "session.call",
            r#"{"command":"x","arguments":{"a":"1","a":"2"}}"#,
            "a name is twice in `arguments`",
        ),
        ("session.call", r#"{"command":"x","body":"?"}"#, "`body` is not base64"),
        ("session.logout", r#"{"all":true,"wiat":"1s"}"#, "unknown parameter `wiat`"),
        ("session.forget", "{}", "missing parameter `session`"),
        ("events.subscribe", r#"{"since":1}"#, "unknown parameter `since`"),
    ] {
        let line = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#);
        let error = Request::parse(line.as_bytes()).asked.unwrap_err();
        assert_eq!(error.code, ErrorCode::Params, "{line}: {error}");
        assert!(error.message.contains(says), "{line}: {error}");
        assert!(!error.message.contains("hunter2") && !error.message.contains("4711"), "{error}");
        assert!(!error.message.contains("line 1"), "{error}");
        assert_eq!(error.data.unknown, says.starts_with("unknown"), "{error:?}");
    }
}

#[test]
fn what_is_no_request_is_refused_under_the_id_null() {
    for (line, code) in [
        ("", ErrorCode::Parse),
        ("{", ErrorCode::Parse),
        ("{} {}", ErrorCode::Parse),
        ("[]", ErrorCode::Request),
        (r#"[{"jsonrpc":"2.0","id":1,"method":"daemon.hello"}]"#, ErrorCode::Request),
        ("5", ErrorCode::Request),
        (r#"{"id":1,"method":"daemon.hello"}"#, ErrorCode::Request),
        (r#"{"jsonrpc":"1.0","id":1,"method":"daemon.hello"}"#, ErrorCode::Request),
        (r#"{"jsonrpc":"2.0","id":{},"method":"daemon.hello"}"#, ErrorCode::Request),
        (r#"{"jsonrpc":"2.0","id":true,"method":"daemon.hello"}"#, ErrorCode::Request),
        (r#"{"jsonrpc":"2.0","id":1,"method":"daemon.stop","parms":{}}"#, ErrorCode::Request),
    ] {
        let request = Request::parse(line.as_bytes());
        let error = request.asked.unwrap_err();
        assert_eq!(error.code, code, "{line}");
        let answer = envelope::answer(&request.id.unwrap(), Err::<&Reply, _>(&error)).unwrap();
        let start = format!(r#"{{"jsonrpc":"2.0","id":null,"error":{{"code":{}"#, i32::from(code));
        assert!(answer.filled().starts_with(start.as_bytes()), "{line}");
    }
    assert!(Request::parse(b"\xff").asked.is_err_and(|error| error.code == ErrorCode::Parse));
}

#[test]
fn methods_that_are_not_built_are_not_found() {
    for method in ["session.calls", "events.unsubscribe", "daemon.restart", "Session.list", ""] {
        let line = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}"}}"#);
        assert_eq!(parsed(&line).unwrap_err().code, ErrorCode::Method);
    }
}

#[test]
fn ids_are_given_back_as_they_came() {
    let reply = Reply::Stopping(StopView { keep: false });
    for id in ["1", "\"a\\u00e4\"", "null", "-1.50", "123456789012345678901234567890"] {
        let line = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"daemon.stop"}}"#);
        assert_eq!(
            answer_to(&line, Ok(&reply)),
            format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{{\"keep\":false}}}}\n")
        );
    }
    let notification = Request::parse(br#"{"jsonrpc":"2.0","method":"daemon.stop"}"#);
    assert!(notification.id.is_none() && notification.asked.is_ok());
}

fn session() -> SessionView {
    SessionView {
        id: "0123456789abcdef".into(),
        instance: "prod".into(),
        url: "https://h/aveksa/command.submit".into(),
        username: Some("anna".into()),
        keyring: "keyutils".into(),
        state: SessionState::Revoking,
        created_at: "2026-11-22T12:00:00Z".into(),
        last_used_at: "2026-11-22T12:01:00Z".into(),
        idle_deadline: None,
        expires_at: Some("2026-11-22T20:00:00Z".into()),
        holds: 1,
        revocation: Some(RevocationView {
            reason: Reason::Idle,
            since: "2026-11-22T12:16:00Z".into(),
            attempts: 2,
            last_error: None,
            next_attempt_at: Some("2026-11-22T12:17:00Z".into()),
            durable: true,
        }),
    }
}

const SESSION: &str = r#""id":"0123456789abcdef","instance":"prod","url":"https://h/aveksa/command.submit","username":"anna","keyring":"keyutils","state":"revoking","created_at":"2026-11-22T12:00:00Z","last_used_at":"2026-11-22T12:01:00Z","idle_deadline":null,"expires_at":"2026-11-22T20:00:00Z","holds":1,"revocation":{"reason":"idle","since":"2026-11-22T12:16:00Z","attempts":2,"last_error":null,"next_attempt_at":"2026-11-22T12:17:00Z","durable":true}"#;

/// Writes it, compares, and reads it back.
fn golden<T>(view: &T, text: &str)
where
    T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug,
{
    assert_eq!(serde_json::to_string(view).unwrap(), text);
    // Its client reads it from text in memory, as here; a newer daemon may say more.
    let newer = text.replacen('{', r#"{"new":[1],"#, 1);
    assert_eq!(&serde_json::from_str::<T>(&newer).unwrap(), view);
}

#[test]
fn views_have_the_contract_s_fields() {
    golden(&session(), &format!("{{{SESSION}}}"));
    golden(
        &TakenView { session: session(), warning: Some("w".into()), replaced: None },
        &format!(r#"{{{SESSION},"warning":"w"}}"#),
    );
    golden(
        &TakenView { session: session(), warning: None, replaced: Some(2) },
        &format!(r#"{{{SESSION},"warning":null,"replaced":2}}"#),
    );
    golden(
        &ListView { sessions: vec![session()], cursor: None },
        &format!(r#"{{"sessions":[{{{SESSION}}}]}}"#),
    );
    golden(
        &HistoryView {
            sessions: vec![HistoryItem {
                id: "0123456789abcdef".into(),
                generation: Some(7),
                instance: "prod".into(),
                url: "https://h/aveksa/command.submit".into(),
                username: None,
                keyring: Some("keyutils".into()),
                created_at: "2026-11-22T12:00:00Z".into(),
                requested_at: None,
                ended_at: "2026-11-22T12:01:00Z".into(),
                reason: Some(Reason::Request),
                outcome: Outcome::AlreadyInvalid,
                attempts: 1,
                evidence: Some("401".into()),
            }],
            damaged: 2,
            set_aside: Some("/d".into()),
            kept_since: Some("2026-11-22T12:00:00Z".into()),
            cursor: Some("c".into()),
        },
        r#"{"sessions":[{"id":"0123456789abcdef","generation":7,"instance":"prod","url":"https://h/aveksa/command.submit","username":null,"keyring":"keyutils","created_at":"2026-11-22T12:00:00Z","requested_at":null,"ended_at":"2026-11-22T12:01:00Z","reason":"request","outcome":"already-invalid","attempts":1,"evidence":"401"}],"damaged":2,"set_aside":"/d","kept_since":"2026-11-22T12:00:00Z","cursor":"c"}"#,
    );
    let refused = RpcError::new(ErrorCode::NoSuchSession, "no session \"x\"");
    golden(
        &LogoutView {
            sessions: vec![LogoutItem {
                id: "0123456789abcdef".into(),
                instance: "prod".into(),
                state: SessionState::Ended,
                outcome: Some(Outcome::Revoked),
                last_error: None,
                durable: true,
                unreachable: false,
            }],
            refused: vec![RefusedView { selector: "x".into(), error: refused }],
            unlisted: 0,
        },
        r#"{"sessions":[{"id":"0123456789abcdef","instance":"prod","state":"ended","outcome":"revoked","last_error":null,"durable":true}],"refused":[{"selector":"x","code":-32001,"message":"no session \"x\""}]}"#,
    );
    golden(
        &TokenView {
            token: "t\n".to_owned().into(),
            url: "https://h".into(),
            session: "0123456789abcdef".into(),
            instance: "prod".into(),
            expires_at: None,
        },
        r#"{"token":"t\n","url":"https://h","session":"0123456789abcdef","instance":"prod","expires_at":null}"#,
    );
    golden(
        &StatusView {
            version: "0.1.0".into(),
            pid: 7,
            started_at: "2026-11-22T12:00:00Z".into(),
            sessions: SessionCounts { adding: 0, active: 1, revoking: 2, lost: 3 },
            undecided: 4,
            oldest_pending_seconds: Some(61),
            keyring: KeyringView {
                kind: "keyutils".into(),
                state: KeyringState::Ready,
                survives_reboot: false,
            },
            instances: vec![InstanceView {
                name: "prod".into(),
                url: "https://h".into(),
                last_contact: Some(ContactView {
                    at: "2026-11-22T12:00:00Z".into(),
                    ok: false,
                    message: Some("m".into()),
                }),
            }],
            problems: vec!["p".into()],
            config: Some("c".into()),
        },
        r#"{"version":"0.1.0","pid":7,"started_at":"2026-11-22T12:00:00Z","sessions":{"adding":0,"active":1,"revoking":2,"lost":3},"undecided":4,"oldest_pending_seconds":61,"keyring":{"kind":"keyutils","state":"ready","survives_reboot":false},"instances":[{"name":"prod","url":"https://h","last_contact":{"at":"2026-11-22T12:00:00Z","ok":false,"message":"m"}}],"problems":["p"],"config":"c"}"#,
    );
    golden(
        &envelope::hello(),
        &format!(r#"{{"protocol":1,"version":"{}"}}"#, securid_ipc::VERSION),
    );
}

#[test]
fn a_call_is_taken_and_answered_in_pieces_that_fit() {
    let taken = RelayView {
        session: "0123456789abcdef".into(),
        call: 7,
        status: None,
        content_type: None,
        body: None,
        more: None,
    };
    golden(&taken, r#"{"session":"0123456789abcdef","call":7}"#);
    golden(
        &RelayView {
            status: Some(200),
            content_type: Some("application/json".into()),
            body: Some(Chunk(b"hello".to_vec())),
            more: Some(false),
            ..taken
        },
        r#"{"session":"0123456789abcdef","call":7,"status":200,"content_type":"application/json","body":"aGVsbG8=","more":false}"#,
    );
    let fullest = |bytes: usize| {
        Call::Relay(Relay::GoOn(GoOn {
            call: u64::MAX,
            body: Some(Chunk(vec![0; bytes])),
            more: true,
        }))
    };
    assert!(envelope::greet_and_call(1, 2, &fullest(CHUNK)).is_ok());
    let params = serde_json::value::to_raw_value(&fullest(CHUNK + 1)).unwrap();
    let error = Call::parse("session.call", Some(&params)).unwrap_err();
    assert_eq!(error.message, "`body` has more than 24576 bytes");
}

#[test]
fn words_of_a_newer_daemon_are_kept() {
    let state: SessionState = serde_json::from_str("\"hibernating\"").unwrap();
    assert_eq!(state, SessionState::Other("hibernating".into()));
    assert_eq!(serde_json::to_string(&state).unwrap(), "\"hibernating\"");
}

#[test]
fn errors_carry_code_message_and_help() {
    let mut error = RpcError::new(ErrorCode::Ambiguous, "which one").with_hint("say it all");
    error.data.candidates = vec!["0123".into(), "0124".into()];
    golden(
        &error,
        r#"{"code":-32002,"message":"which one","data":{"hint":"say it all","candidates":["0123","0124"]}}"#,
    );
    let plain = RpcError::new(ErrorCode::ServerError, "500");
    assert_eq!(
        answer_to(r#"{"jsonrpc":"2.0","id":1,"method":"daemon.stop"}"#, Err(&plain)),
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32008,\"message\":\"500\"}}\n"
    );
}

/// The contract's table of codes.
#[test]
fn codes_names_and_exit_statuses() {
    let table: Vec<_> =
        ErrorCode::ALL.iter().map(|c| (i32::from(*c), c.name(), c.exit_code())).collect();
    assert_eq!(
        table,
        [
            (-32700, "parse", 1),
            (-32600, "request", 1),
            (-32601, "method", 1),
            (-32602, "params", 1),
            (-32001, "no-such-session", 66),
            (-32002, "ambiguous", 2),
            (-32003, "keyring-locked", 74),
            (-32004, "keyring-unavailable", 74),
            (-32005, "storage-failed", 74),
            (-32006, "server-unreachable", 68),
            (-32007, "login-refused", 77),
            (-32008, "server-error", 1),
            (-32009, "no-such-instance", 78),
            (-32010, "shutting-down", 69),
            (-32011, "limit-exceeded", 1),
            (-32012, "under-revocation", 1),
            (-32013, "bad-token", 1),
            (-32014, "bad-config", 78),
        ]
    );
    for code in ErrorCode::ALL {
        assert_eq!(ErrorCode::from(i32::from(*code)), *code);
    }
    assert_eq!(ErrorCode::from(-32099).exit_code(), 1);
    let mut draining = RpcError::new(ErrorCode::ShuttingDown, "the config is bad");
    assert_eq!(draining.exit_code(), 69);
    draining.data.bad_config = true;
    assert_eq!(draining.exit_code(), 78);
}

#[test]
fn messages_stop_at_the_limit_of_their_lines() {
    let add = |length: usize| {
        let token = "t".repeat(length).into();
        Call::Add(Add { instance: None, token, username: None })
    };
    // {"jsonrpc":"2.0","id":2,"method":"session.add","params":{"token":"…"}}
    let frame = r#"{"jsonrpc":"2.0","id":2,"method":"session.add","params":{"token":""}}"#.len();
    assert!(envelope::greet_and_call(1, 2, &add(REQUEST_LIMIT - frame)).is_ok());
    assert_eq!(
        envelope::greet_and_call(1, 2, &add(REQUEST_LIMIT - frame + 1)).unwrap_err(),
        TooLong { limit: REQUEST_LIMIT }
    );
    let id = Request::parse(br#"{"jsonrpc":"2.0","id":2,"method":"session.list"}"#).id.unwrap();
    let forgotten = |length| Reply::Forgotten(SessionRef { session: "x".repeat(length) });
    let frame = r#"{"jsonrpc":"2.0","id":2,"result":{"session":""}}"#.len();
    assert!(envelope::answer(&id, Ok(&forgotten(REPLY_LIMIT - frame))).is_ok());
    assert!(envelope::answer(&id, Ok(&forgotten(REPLY_LIMIT - frame + 1))).is_err());
}

fn some_text() -> impl Strategy<Value = Option<String>> {
    prop::option::of(any::<String>())
}

fn some_span() -> impl Strategy<Value = Option<Duration>> {
    prop::option::of((0..3_153_600_000_000_u64).prop_map(Duration::from_millis))
}

fn any_call() -> impl Strategy<Value = Call> {
    let texts = || prop::collection::vec(any::<String>(), 1..4);
    prop_oneof![
        Just(Call::Status),
        Just(Call::Reload),
        Just(Call::Subscribe),
        prop::option::of(any::<bool>()).prop_map(|keep| Call::Stop(Stop { keep })),
        (some_text(), any::<String>(), some_text()).prop_map(|(instance, token, username)| {
            Call::Add(Add { instance, token: token.into(), username })
        }),
        (some_text(), some_text(), any::<String>(), some_text(), any::<[bool; 3]>()).prop_map(
            |(instance, username, secret, auth_source, [vouched, replace, tied])| {
                let proof = if vouched { Proof::Assertion } else { Proof::Password };
                let proof = proof(secret.into());
                Call::Login(Login { instance, username, proof, auth_source, replace, tied })
            }
        ),
        (some_text(), some_text()).prop_map(|(instance, auth_source)| {
            Call::Instructions(Instructions { instance, auth_source })
        }),
        (prop::option::of(any::<u32>()), some_text())
            .prop_map(|(limit, cursor)| Call::List(List { limit, cursor })),
        (
            prop::option::of(any::<u32>()),
            some_text(),
            some_text(),
            some_text(),
            some_text(),
            any::<bool>()
        )
            .prop_map(|(limit, cursor, since, until, instance, unconfirmed)| {
                Call::History(History { limit, cursor, since, until, instance, unconfirmed })
            }),
        (some_text(), some_span())
            .prop_map(|(session, in_use_for)| Call::Token(Use { session, in_use_for })),
        (some_text(), some_span())
            .prop_map(|(session, in_use_for)| Call::Touch(Use { session, in_use_for })),
        some_text().prop_map(|session| Call::Hold(OneSession { session })),
        some_text().prop_map(|session| Call::Show(OneSession { session })),
        some_span().prop_map(|wait| Call::Logout(Logout { targets: Targets::All, wait })),
        (texts(), some_span()).prop_map(|(selectors, wait)| {
            Call::Logout(Logout { targets: Targets::Selected(selectors), wait })
        }),
        prop::option::of(texts()).prop_map(|sessions| Call::Retry(Retry { sessions })),
        any::<String>().prop_map(|session| Call::Forget(Forget { session })),
    ]
}

proptest! {
    #[test]
    fn every_call_survives_the_wire(call in any_call()) {
        let sent = envelope::greet_and_call(1, 2, &call).unwrap();
        let text = std::str::from_utf8(sent.filled()).unwrap();
        let lines: Vec<_> = text.split_terminator('\n').collect();
        prop_assert_eq!(lines.len(), 2);
        prop_assert_eq!(Request::parse(lines[0].as_bytes()).asked.unwrap(), Asked::Hello);
        prop_assert_eq!(parsed(lines[1]).unwrap(), call);
    }

    #[test]
    fn no_line_is_too_much(line in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Request::parse(&line);
    }
}
