//! What must hold for any bytes on the wire. The fuzzer calls these functions (`fuzz/`), and the
//! tests give them its corpora.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{fmt::Debug, str, time::Duration};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    client::answer::Answer,
    duration::{LONGEST, format_duration, parse_duration},
    envelope::{self, Asked, Request},
    framing::{LineBuffer, TooLong},
    messages::{
        Call, HelloView, HistoryView, ListView, LogoutView, RelayView, ReloadView, Reply,
        RetryView, SessionRef, SessionView, StatusView, StopView, TakenView, TokenView,
    },
};

/// Bytes from a client, cut anyhow: the first byte says how many come at a time, the second how long
/// a line may be. Out come the same lines as a plain split finds, the first that is too long ends it,
/// and the buffer never has more room than for one line. Each line is then a request.
pub fn request_line(bytes: &[u8]) {
    let [cut, longest, wire @ ..] = bytes else { return };
    // From a buffer's first size on, below which it may let a line pass that has come as a whole.
    let limit = 1023 + usize::from(*longest);
    let mut buffer = LineBuffer::new(limit);
    let mut expected = wire.split_inclusive(|byte| *byte == b'\n');
    for piece in wire.chunks(1 + usize::from(*cut)) {
        let mut piece = piece;
        while !piece.is_empty() {
            let space = buffer.space();
            let n = space.len().min(piece.len());
            assert_ne!(n, 0, "a buffer without space");
            space[..n].copy_from_slice(&piece[..n]);
            buffer.advance(n);
            piece = &piece[n..];
            assert!(buffer.filled().len() + buffer.space().len() <= limit + 1, "it grew too far");
            loop {
                match buffer.take_line(<[u8]>::to_vec) {
                    Ok(Some(line)) => {
                        assert_eq!(expected.next(), Some(&[&line, &b"\n"[..]].concat()[..]));
                        request(&line);
                    }
                    Ok(None) => break,
                    Err(TooLong { .. }) => {
                        assert!(expected.next().is_some_and(|line| line.len() > limit));
                        return;
                    }
                }
            }
        }
    }
    let rest = expected.next().unwrap_or_default();
    assert_eq!(buffer.filled(), rest);
}

/// A line either is answered with an error, or says the same when its call is written anew. Nothing in
/// it was overlooked, and its id comes back as it was.
fn request(line: &[u8]) {
    let request = Request::parse(line);
    if let Some(id) = &request.id {
        let outcome = request.asked.as_ref().map(|_| &());
        let written = envelope::answer(id, outcome).expect("an answer to a line of this length");
        let Value::Object(answer) = serde_json::from_slice(written.filled())
            .unwrap_or_else(|_| Value::Object(serde_json::Map::default()))
        else {
            panic!("an answer that is no object")
        };
        // A lone surrogate is given back as it came, and is then no text to others.
        if let (Some(back), Ok(Value::Object(asked))) =
            (answer.get("id"), serde_json::from_slice(line))
            && let Some(id) = asked.get("id").filter(|_| request.asked.is_ok())
        {
            assert_eq!(back, id);
        }
    }
    let Ok(Asked::Call(call)) = request.asked else { return };
    let text = call_line(&call);
    let again = Request::parse(&text).asked;
    assert_eq!(again, Ok(Asked::Call(call.clone())), "{}", String::from_utf8_lossy(&text));

    // What another reader finds in it.
    let Ok(asked) = serde_json::from_slice::<Value>(line) else { return };
    assert_eq!(asked["jsonrpc"], "2.0");
    assert_eq!(asked["method"], call.method());
    let understood = serde_json::to_value(&call).unwrap();
    let given = asked["params"].as_object().cloned().unwrap_or_default();
    let says_nothing = [Value::Null, Value::Bool(false), Value::Object(serde_json::Map::new())];
    let given = given.iter().filter(|(_, value)| !says_nothing.contains(value));
    for (name, value) in given {
        let span = ["for", "wait", "timeout"].contains(&name.as_str());
        assert!(span || understood[name] == *value, "{name} was lost");
    }
}

/// The line of a call alone, as a client sends it after its greeting.
fn call_line(call: &Call) -> Vec<u8> {
    let both = envelope::greet_and_call(1, 2, call).expect("a call of this length");
    let mut lines = both.filled().split(|byte| *byte == b'\n');
    assert!(matches!(Request::parse(lines.next().unwrap()).asked, Ok(Asked::Hello)));
    lines.next().unwrap().to_vec()
}

/// A line from a daemon: no answer, or one whose result each command can try to read. What was
/// understood is understood again.
pub fn reply_line(line: &[u8]) {
    let Some(answer) = Answer::parse(line) else { return };
    match answer.outcome {
        Err(error) => {
            // No status that would mean success.
            assert_ne!(error.exit_code(), 0);
            means_the_same(&serde_json::to_string(&error).unwrap(), &error);
        }
        Ok(result) => {
            view::<HelloView>(result.expose(), None);
            view(result.expose(), Some(Reply::Status));
            view::<ReloadView>(result.expose(), Some(Reply::Reloaded));
            view::<StopView>(result.expose(), Some(Reply::Stopping));
            view::<TakenView>(result.expose(), Some(Reply::Added));
            view::<ListView>(result.expose(), Some(Reply::List));
            view::<HistoryView>(result.expose(), Some(Reply::History));
            view::<SessionView>(result.expose(), Some(Reply::Session));
            view::<TokenView>(result.expose(), Some(Reply::Token));
            view::<SessionRef>(result.expose(), Some(Reply::Held));
            view::<RelayView>(result.expose(), Some(Reply::Relayed));
            view::<LogoutView>(result.expose(), Some(Reply::Logout));
            view::<RetryView>(result.expose(), Some(Reply::Retrying));
            view::<StatusView>(result.expose(), None);
        }
    }
}

fn view<T>(text: &str, reply: Option<fn(T) -> Reply>)
where
    T: DeserializeOwned + Serialize + PartialEq + Debug + Clone,
{
    let Ok(view) = serde_json::from_str::<T>(text) else { return };
    means_the_same(&serde_json::to_string(&view).unwrap(), &view);
    if let Some(reply) = reply {
        means_the_same(&serde_json::to_string(&reply(view.clone())).unwrap(), &view);
    }
}

fn means_the_same<T: DeserializeOwned + PartialEq + Debug>(text: &str, meant: &T) {
    assert_eq!(&serde_json::from_str::<T>(text).unwrap(), meant);
}

/// A span of time: refused, or the same when it is written and read again, and what a plain
/// multiplication makes of it.
pub fn duration(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let read = parse_duration(text);
    let naive = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)]
        .into_iter()
        .find_map(|(unit, length)| {
            let digits = text.strip_suffix(unit)?;
            let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            let number = plain.then(|| digits.parse::<u128>().unwrap_or(u128::MAX))?;
            let millis = number.saturating_mul(length);
            (millis <= LONGEST.as_millis()).then(|| u64::try_from(millis).unwrap())
        })
        .map(Duration::from_millis);
    assert_eq!(read.as_ref().ok(), naive.as_ref());
    match read {
        Ok(span) => assert_eq!(parse_duration(&format_duration(span)), Ok(span)),
        Err(error) => assert!(!error.to_string().contains(char::is_control)),
    }
}

#[cfg(test)]
#[path = "../../../fuzz/replay.rs"]
mod replay;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_lines_of_the_corpus_hold() {
        replay::corpus("request_line", request_line);
    }

    #[test]
    fn reply_lines_of_the_corpus_hold() {
        replay::corpus("reply_line", reply_line);
    }

    #[test]
    fn durations_of_the_corpus_hold() {
        replay::corpus("duration", duration);
    }
}
