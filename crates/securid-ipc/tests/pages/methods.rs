//! Every method, with the types of what is said.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use securid_ipc::{
    envelope::Request,
    messages::{
        Add,
        ErrorCode::{self, *},
        Forget, HelloView, History, HistoryView, Instructions, InstructionsView, List, ListView,
        Login, Logout, LogoutView, OneSession, Relay, RelayView, ReloadView, Retry, RetryView,
        SessionRef, SessionView, StatusView, Stop, StopView, SubscribedView, TakenView, TokenView,
        Use,
    },
};
use serde::{Serialize, de::DeserializeOwned};

pub(crate) struct Method {
    pub(crate) name: &'static str,
    /// What it does, for the page.
    pub(crate) about: &'static str,
    pub(crate) params: fn(&mut SchemaGenerator) -> Schema,
    pub(crate) result: fn(&mut SchemaGenerator) -> Schema,
    /// Reads a result, as a client does, and writes it again.
    pub(crate) reread: fn(&str) -> serde_json::Result<String>,
    /// Its errors, but for those that any method can give.
    pub(crate) errors: &'static [ErrorCode],
}

/// No parameters.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Nothing {}

/// Of any method: what was asked makes no sense, there is too much of it, or the daemon ends or could not start.
pub(crate) const OF_ANY: &[ErrorCode] =
    &[Parse, Request, Method, Params, LimitExceeded, ShuttingDown, StorageFailed];

/// Of those that need the token itself, and so the keyring.
const LENDING: &[ErrorCode] =
    &[NoSuchSession, Ambiguous, UnderRevocation, KeyringLocked, KeyringUnavailable];

pub(crate) fn all() -> Vec<Method> {
    vec![
        method::<Nothing, HelloView>(
            "daemon.hello",
            "Which protocol the daemon speaks, answered at once whatever keyring, disk and network do: within 2 s, or \
             the daemon is stopped. It is not needed; sent along with each call it tells a busy daemon from a dead one.",
            &[],
        ),
        method::<Nothing, StatusView>("daemon.status", "How the daemon is.", &[]),
        method::<Nothing, ReloadView>(
            "daemon.reload",
            "Has the daemon read its config anew. A bad one changes nothing.",
            &[BadConfig],
        ),
        method::<Stop, StopView>(
            "daemon.stop",
            "Has the daemon end. It closes the connection once it goes, so whoever waits for that waits for the end of \
             the stream.",
            &[],
        ),
        method::<Add, TakenView>(
            "session.add",
            "Takes over a token from elsewhere. From its answer on the token is never forgotten until the server has \
             said that it is dead. One that is held already is its session.",
            &[KeyringLocked, KeyringUnavailable, NoSuchInstance, UnderRevocation, BadToken],
        ),
        method::<Login, TakenView>(
            "session.login",
            "Logs in at the server (`loginUser`) and keeps the token. It may wait for a person who unlocks the keyring \
             (60 s) and for the server, so a client waits 90 s. If the connection closes before the answer, the \
             session is revoked.",
            &[
                KeyringLocked,
                KeyringUnavailable,
                ServerUnreachable,
                LoginRefused,
                ServerError,
                NoSuchInstance,
                UnderRevocation,
            ],
        ),
        method::<Instructions, InstructionsView>(
            "session.instructions",
            "Where a login would go, and what its server wants a person to know before (`getLoginInstructions`).",
            &[ServerUnreachable, ServerError, NoSuchInstance],
        ),
        method::<List, ListView>(
            "session.list",
            "The sessions that are not ended, a page at a time. Never counts as use.",
            &[],
        ),
        method::<History, HistoryView>(
            "session.history",
            "The sessions that have ended, newest first, a page at a time. As long as there is a `cursor`, others \
             follow.",
            &[],
        ),
        method::<OneSession, SessionView>(
            "session.show",
            "One session as in the list. Never counts as use.",
            &[NoSuchSession, Ambiguous],
        ),
        method::<Use, TokenView>(
            "session.token",
            "Lends the token out, and counts as use. The only answer with a secret in it.",
            LENDING,
        ),
        method::<Use, SessionRef>("session.touch", "Counts as use, and lends nothing.", LENDING),
        method::<OneSession, SessionRef>(
            "session.hold",
            "The session is in use until this connection closes, however its process dies: no idle limit ends it \
             meanwhile. Its lifetime does, and a logout.",
            LENDING,
        ),
        method::<Relay, RelayView>(
            "session.call",
            "Has the daemon carry a command of the web services out with a session's token, which stays where it is; \
             the session is in use meanwhile. It goes back and forth, see [a command](#a-command).",
            &[
                NoSuchSession,
                Ambiguous,
                UnderRevocation,
                KeyringLocked,
                KeyringUnavailable,
                ServerUnreachable,
                ServerError,
            ],
        ),
        method::<Logout, LogoutView>(
            "session.logout",
            "Has sessions end. From its answer on the intent is on disk (`durable`), and the daemon tries until the \
             server confirms. A selector that means nothing stands in `refused`, and the others are carried out; an \
             ambiguous one refuses all.",
            &[Ambiguous],
        ),
        method::<Retry, RetryView>(
            "session.retry",
            "Tries pending revocations now, and looks for lost secrets again.",
            &[NoSuchSession, Ambiguous],
        ),
        method::<Forget, SessionRef>(
            "session.forget",
            "Gives a pending or lost session up on a person's word, without the server's.",
            &[NoSuchSession, Ambiguous],
        ),
        method::<Nothing, SubscribedView>(
            "events.subscribe",
            "This connection is told of every change of every session from now on, by [events](#events).",
            &[],
        ),
    ]
}

fn method<P: JsonSchema, R: JsonSchema + Serialize + DeserializeOwned>(
    name: &'static str,
    about: &'static str,
    errors: &'static [ErrorCode],
) -> Method {
    Method {
        name,
        about,
        params: SchemaGenerator::subschema_for::<P>,
        result: SchemaGenerator::subschema_for::<R>,
        reread: |text| serde_json::to_string(&serde_json::from_str::<R>(text)?),
        errors,
    }
}

#[test]
fn they_are_those_that_are_understood() {
    let ours: Vec<_> = all().iter().map(|method| method.name).collect();
    for name in &ours {
        let line = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{name}"}}"#);
        let error = Request::parse(line.as_bytes()).asked.err();
        assert!(error.is_none_or(|error| error.code != Method), "there is no {name}");
    }
    // The daemon's own list is the `match` of `Call::parse`.
    let source = include_str!("../../src/messages/call.rs");
    let arms =
        source.lines().filter_map(|line| line.trim().strip_prefix('"')?.split_once("\" => read("));
    let understood: Vec<_> = arms.map(|(name, _)| name).collect();
    assert!(understood.len() > 10, "{understood:?}");
    for name in understood {
        assert!(ours.contains(&name), "{name} is missing in tests/pages/methods.rs");
    }
}
