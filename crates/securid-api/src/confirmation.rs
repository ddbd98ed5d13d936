//! Which replies to `logoutUser` say that the token is dead. A wrong "yes" here forgets a live
//! token; a wrong "no" costs one more request. So everything is "no" but two replies, to the
//! letter (`docs/contract.md`, Confirmation).

use serde::Deserialize;

use crate::syntax::{Object, json, properties, text_of_page};

/// What the server has said of the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Confirmed {
    /// It was alive, and this logout ended it.
    Revoked,
    /// It was dead already: logged out, timed out, or never known.
    AlreadyInvalid,
}

impl Confirmed {
    /// The words in the reply that say so.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Revoked => "type=logoutUser",
            Self::AlreadyInvalid => INVALID_OR_EXPIRED,
        }
    }
}

/// The longest reply that can confirm, in bytes; the transport reads no more than that. The real
/// ones have a few dozen (JSON) or a few hundred (the page of a 401).
pub const MAX_REPLY: usize = 64 * 1024;

/// What a complete reply to `logoutUser` confirms, if anything: its HTTP status, and its whole
/// content. What the headers call that content does not matter.
#[must_use]
pub fn judge(status: u16, content: &[u8]) -> Option<Confirmed> {
    if content.len() > MAX_REPLY {
        return None;
    }
    match status {
        200 if is_reply_of_logout(content) => Some(Confirmed::Revoked),
        401 if says_invalid_or_expired(content) => Some(Confirmed::AlreadyInvalid),
        _ => None,
    }
}

/// The command's own reply names the command: once, as its `type`.
fn is_reply_of_logout(content: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Reply {
        data: Object<Data>,
    }
    #[derive(Deserialize)]
    struct Data {
        r#type: String,
    }

    match json::<Object<Reply>>(content) {
        Some(Object(reply)) => reply.data.0.r#type == LOGOUT_USER,
        None => properties(content, "type").is_some_and(|types| types == [LOGOUT_USER.as_bytes()]),
    }
}

fn says_invalid_or_expired(content: &[u8]) -> bool {
    let words = INVALID_OR_EXPIRED.as_bytes();
    text_of_page(content).windows(words.len()).any(|window| window == words)
}

/// The executed command's name in a reply, from the vendor's pages.
const LOGOUT_USER: &str = "logoutUser";

/// The end of the server's own 401 page, from the vendor's pages: "The token is not valid for the
/// command 'logoutUser'. Token is invalid or expired".
const INVALID_OR_EXPIRED: &str = "Token is invalid or expired";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    const PAGE: &str = "<html><head><title>Error</title></head><body>The token is not valid for \
        the command 'logoutUser'. Token is invalid or expired</body></html>";

    #[test]
    fn what_confirms() {
        for body in [
            r#"{"data": {"type": "logoutUser"}}"#,
            "\r\n {\n\"data\" :\t{ \"type\" : \"logoutUser\" } }\n",
            r#"{"status":"ok","data":{"user":"ü","type":"logoutUser","more":[{"type":"x"}]}}"#,
            r#"{"data":{"\u0074ype":"logout\u0055ser"}}"#,
            "type=logoutUser",
            "type=logoutUser\r\n",
            "\nstatus=ok\n\ntype=logoutUser\nmessage=a <b>=</b>",
        ] {
            assert_eq!(judge(200, body.as_bytes()), Some(Confirmed::Revoked), "{body}");
        }
        for body in [
            PAGE,
            "Token is invalid or expired",
            "Token\n  is&<b>Token</b>\n<i>is\r\n\tinvalid</i>or<br>expired",
            "<!-- generated --><p>Token is invalid or expired.</p>",
        ] {
            assert_eq!(judge(401, body.as_bytes()), Some(Confirmed::AlreadyInvalid), "{body}");
        }
        let latin1 = [b"\xe9 ", PAGE.as_bytes()].concat();
        assert_eq!(judge(401, &latin1), Some(Confirmed::AlreadyInvalid));
    }

    #[test]
    fn what_a_200_must_not_say() {
        for body in [
            "",
            "OK",
            "logoutUser",
            "null",
            // the words of the other reply, and a captive portal that has heard of both
            PAGE,
            "<html><body>type=logoutUser {\"data\":{\"type\":\"logoutUser\"}}</body></html>",
            "<html>\ntype=logoutUser\n</html>",
            // JSON: the type at the wrong place, of the wrong sort, another one, spelt otherwise
            r#"{"type":"logoutUser"}"#,
            r#"{"data":"logoutUser"}"#,
            r#"{"data":{"data":{"type":"logoutUser"}}}"#,
            r#"{"data":[{"type":"logoutUser"}]}"#,
            r#"{"data":["logoutUser"]}"#,
            r#"[["logoutUser"]]"#,
            r#"[{"data":{"type":"logoutUser"}}]"#,
            r#""{\"data\":{\"type\":\"logoutUser\"}}""#,
            r#"{"data":{"type":["logoutUser"]}}"#,
            r#"{"data":{"type":null}}"#,
            r#"{"data":{"type":"loginUser"}}"#,
            r#"{"data":{"type":"logoutuser"}}"#,
            r#"{"data":{"type":"logoutUser "}}"#,
            r#"{"data":{"type":"logoutUser\u0000"}}"#,
            r#"{"data":{"Type":"logoutUser"}}"#,
            // said twice: one of the two may be true
            r#"{"data":{"type":"logoutUser","type":"error"}}"#,
            r#"{"data":{"type":"error","type":"logoutUser"}}"#,
            r#"{"data":{"type":"logoutUser","\u0074ype":"error"}}"#,
            r#"{"data":{"type":"logoutUser"},"data":{"type":"error"}}"#,
            r#"{"data":{"type":"error"},"data":{"type":"logoutUser"}}"#,
            // not JSON to its end
            r#"{"data":{"type":"logoutUser"}}x"#,
            r#"{"data":{"type":"logoutUser"}}{"data":{"type":"error"}}"#,
            r#"{"data":{"type":"logoutUser"},}"#,
            "\u{feff}{\"data\":{\"type\":\"logoutUser\"}}",
            r"{'data':{'type':'logoutUser'}}",
            // properties: other spellings, other lines, twice
            "type=logoutUser ",
            " type=logoutUser",
            "type = logoutUser",
            "type:logoutUser",
            "Type=logoutUser",
            "type=logoutuser",
            "type=logoutUser,logoutUser",
            "type=logoutUser\ntype=error",
            "type=error\ntype=logoutUser",
            "type=logoutUser\n<p>hello</p>",
            "<a href=x>\ntype=logoutUser",
            "type=logoutUser\nan error has occurred",
            "error\rtype=logoutUser",
            "type=logoutUser\0",
            "data.type=logoutUser",
        ] {
            assert_eq!(judge(200, body.as_bytes()), None, "{body}");
        }
        assert_eq!(judge(200, b"{\"x\":\"\xff\",\"data\":{\"type\":\"logoutUser\"}}"), None);
    }

    #[test]
    fn what_a_401_must_not_say() {
        for body in [
            "",
            "Unauthorized",
            r#"{"data": {"type": "logoutUser"}}"#,
            "type=logoutUser",
            "<html><body>Proxy authentication required</body></html>",
            "token is invalid or expired",
            "The token is not valid for the command 'logoutUser'.",
            "Token is not invalid or expired",
            "Token isinvalid or expired",
            "Token&nbsp;is invalid or expired",
            "<!-- Token is invalid or expired -->",
            "<!-- <p>Token is invalid or expired</p> -->",
            "<meta content='Token is invalid or expired'>",
            "<p Token is invalid or expired",
        ] {
            assert_eq!(judge(401, body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn nothing_too_long_confirms() {
        let confirming = |len: usize| {
            let mut reply = br#"{"data":{"type":"logoutUser"}}"#.to_vec();
            reply.resize(len, b' ');
            reply
        };
        assert_eq!(judge(200, &confirming(MAX_REPLY)), Some(Confirmed::Revoked));
        assert_eq!(judge(200, &confirming(MAX_REPLY + 1)), None);
    }

    proptest! {
        #[test]
        fn no_other_status_confirms(status in 0u16..1000, which in 0usize..3) {
            prop_assume!(status != 200 && status != 401);
            let body = [r#"{"data":{"type":"logoutUser"}}"#, "type=logoutUser", PAGE][which];
            prop_assert_eq!(judge(status, body.as_bytes()), None);
        }

        #[test]
        fn no_reply_without_its_words_confirms(status in prop::sample::select(vec![200u16, 401]), body: Vec<u8>) {
            // Random bytes hit neither phrase; what is looked for is a panic or a "yes" from nothing.
            prop_assert_eq!(judge(status, &body), None);
        }

        #[test]
        fn no_cut_off_json_or_page_confirms(cut in 0.0..1.0f64) {
            let json = r#"{"data":{"type":"logoutUser","user":"x"},"more":1}"#;
            let keep = |text: &str| (text.len() as f64 * cut) as usize;
            prop_assert_eq!(judge(200, &json.as_bytes()[..keep(json)]), None);
            let words = "Token is invalid or expired";
            prop_assert_eq!(judge(401, &words.as_bytes()[..keep(words)]), None);
        }

        #[test]
        fn another_type_never_confirms(kind in "\\PC{0,12}") {
            prop_assume!(kind != "logoutUser");
            let json = serde_json::json!({"data": {"type": kind}}).to_string();
            prop_assert_eq!(judge(200, json.as_bytes()), None);
            prop_assert_eq!(judge(200, format!("type={kind}").as_bytes()), None);
        }

        #[test]
        fn one_line_that_is_no_property_spoils_the_body(
            before in prop::collection::vec("[a-z]{1,5}=\\PC{0,9}", 0..3),
            line in "[^=\\pC]{0,9}[^=\\s\\pC]",
        ) {
            prop_assume!(before.iter().all(|line| !line.starts_with("type=")));
            let mut body = before.join("\n") + "\ntype=logoutUser\n";
            prop_assert_eq!(judge(200, body.as_bytes()), Some(Confirmed::Revoked));
            body += &line;
            prop_assert_eq!(judge(200, body.as_bytes()), None, "{:?}", body);
        }

        #[test]
        fn other_keys_do_not_disturb(
            keys in prop::collection::hash_map("[a-z]{1,5}", "\\PC{0,9}", 0..5),
        ) {
            let mut data = serde_json::Map::new();
            data.extend(keys.into_iter().map(|(key, value)| (key, value.into())));
            data.insert("type".into(), "logoutUser".into());
            let mut reply = data.clone();
            reply.insert("data".into(), data.into());
            let reply = serde_json::Value::Object(reply).to_string();
            prop_assert_eq!(judge(200, reply.as_bytes()), Some(Confirmed::Revoked));
        }
    }
}
