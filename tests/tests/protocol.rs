//! What the socket answers to whatever is said to it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use securid_simulator::Fault;
use securid_tests::patience::is_root;
use securid_tests::process::{run, told};
use securid_tests::stranger::as_user;
use securid_tests::{
    Client, House, PASSWORD, PATIENCE, Plan, is_installed, outcome, skipped, timed,
};
use serde_json::{Value, json};

/// The longest request line, without its newline.
const REQUEST_LIMIT: usize = 64 * 1024;

#[test]
fn unknown_parameters_are_refused_by_name() {
    let house = House::open(Plan::default());
    let (id, token) = house.add_one();
    for (method, params) in [
        ("daemon.status", json!({"wrongly": 1})),
        ("daemon.stop", json!({"wrongly": 1})),
        ("session.add", json!({"token": "a-token", "wrongly": 1})),
        ("session.login", json!({"password": PASSWORD, "wrongly": 1})),
        ("session.list", json!({"wrongly": 1})),
        ("session.history", json!({"wrongly": 1})),
        ("session.token", json!({"session": id, "wrongly": 1})),
        ("session.touch", json!({"session": id, "wrongly": 1})),
        ("session.hold", json!({"session": id, "wrongly": 1})),
        ("session.logout", json!({"all": true, "wrongly": 1})),
        ("session.retry", json!({"wrongly": 1})),
        ("session.forget", json!({"session": id, "wrongly": 1})),
    ] {
        let refused = house.refused(method, params);
        assert_eq!(refused.code, -32602, "{method}: {refused:?}");
        assert!(refused.message.contains("wrongly"), "{method}: {refused:?}");
    }
    assert_eq!(house.token(&id), token, "nothing of it was carried out");
    assert_eq!(house.simulator.truth().connections, 0);
}

#[test]
fn parameters_that_are_wrong_are_refused() {
    let house = House::open(Plan::default());
    let (id, _) = house.add_one();
    for (method, params) in [
        ("session.list", json!([])),
        ("session.list", json!({"limit": "many"})),
        ("session.list", json!({"limit": -1})),
        ("session.add", json!({})),
        ("session.logout", json!({})),
        ("session.logout", json!({"all": false})),
        ("session.logout", json!({"sessions": []})),
        ("session.logout", json!({"sessions": [id], "all": true})),
        ("session.logout", json!({"all": true, "wait": 5})),
        ("session.logout", json!({"all": true, "wait": "soon"})),
        ("session.token", json!({"session": id, "for": "-1s"})),
        ("session.history", json!({"since": "yesterday"})),
        ("session.history", json!({"cursor": "none of yours"})),
        ("session.forget", json!({"session": "prod"})),
    ] {
        assert_eq!(house.refused(method, params.clone()).code, -32602, "{method} {params}");
    }
    assert_eq!(house.state(&id), "active");

    // Neither a password nor a token comes back in an error.
    for (method, params) in [
        ("session.login", json!({"password": 8_765_432})),
        ("session.add", json!({"token": ["8765432"]})),
        ("session.add", json!({"token": "8765432 with\na line break"})),
    ] {
        let refused = house.refused(method, params);
        assert!(!format!("{refused:?}").contains("8765432"), "{refused:?}");
    }
    assert_eq!(house.refused("session.add", json!({"token": ""})).code, -32013);
    assert_eq!(house.refused("session.add", json!({"token": "t", "instance": "no"})).code, -32009);
}

#[test]
fn what_is_no_request_is_refused() {
    let house = House::open(Plan::default());
    let mut client = house.client();
    for (line, code) in [
        ("hello", -32700),
        ("{\"jsonrpc\":", -32700),
        ("[]", -32600),
        ("[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"daemon.status\"}]", -32600),
        ("{}", -32600),
        ("{\"id\":1,\"method\":\"daemon.status\"}", -32600),
        ("{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"daemon.status\"}", -32600),
        ("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":7}", -32600),
        ("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"session.steal\"}", -32601),
        ("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"session.steal\",\"params\":{}}", -32601),
    ] {
        client.send_line(line);
        let refused = outcome(&client.receive().unwrap()).unwrap_err();
        assert_eq!(refused.code, code, "{line}: {refused:?}");
    }
    let hello = client.call("daemon.hello", json!({})).unwrap();
    assert_eq!(hello["protocol"], 1);
    // A call without an id is carried out, and not answered.
    client.send_line("{\"jsonrpc\":\"2.0\",\"method\":\"daemon.status\"}");
    assert!(client.call("daemon.status", json!({})).is_ok());
}

#[test]
fn a_line_that_is_too_long_ends_the_connection() {
    let house = House::open(Plan::default());
    let padded = |length: usize| {
        let request = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"daemon.hello\"}";
        format!("{}{request}", " ".repeat(length - request.len()))
    };
    let mut client = house.client();
    client.send_line(&padded(REQUEST_LIMIT));
    assert_eq!(client.receive().unwrap()["id"], 1, "the limit itself is allowed");
    client.send_line(&padded(REQUEST_LIMIT + 1));
    let refused = outcome(&client.receive().unwrap()).unwrap_err();
    assert_eq!(refused.code, -32600, "{refused:?}");
    assert_eq!(client.receive(), None);
    assert!(house.client().call("daemon.status", json!({})).is_ok());
}

#[test]
fn a_client_that_half_closes_gets_its_replies() {
    let house = House::open(Plan::default());
    let (id, _) = house.add_one();
    let mut client = house.client();
    let ids = [
        client.send("session.hold", json!({"session": id})),
        client.send("daemon.status", json!({})),
        client.send("session.list", json!({})),
    ];
    client.half_close();
    let mut answered: Vec<u64> =
        (0..3).map(|_| client.receive().unwrap()["id"].as_u64().unwrap()).collect();
    answered.sort_unstable();
    assert_eq!(answered, ids);
    assert_eq!(client.receive(), None);
    securid_tests::eventually("its hold to end", || {
        (house.session(&id)?["holds"] == 0).then_some(())
    });
}

#[test]
fn a_slow_call_does_not_hold_up_the_others() {
    let house = House::open(Plan::default());
    let (id, _) = house.add_one();
    house.simulator.set_fault(Some(Fault::Down));
    let mut client = house.client();
    let slow = client.send("session.logout", json!({"sessions": [id], "wait": "1500ms"}));
    let (first, took) = timed(|| client.call("daemon.status", json!({})));
    assert!(first.is_ok());
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert_eq!(client.receive().unwrap()["id"], slow);
}

#[test]
fn pages() {
    let house = House::open(Plan::default());
    let mut held: Vec<String> = house.add_many(5).into_iter().map(|(id, _)| id).collect();
    let listed = pages_of(&house, "session.list");
    held.sort_unstable();
    assert_eq!(sorted(listed), held);
    house.call("session.logout", json!({"all": true, "wait": "10s"}));
    assert_eq!(sorted(pages_of(&house, "session.history")), held);
    let none = house.call("session.history", json!({"instance": "elsewhere"}));
    assert_eq!(none["sessions"], json!([]));
    let none = house.call("session.history", json!({"since": "2999-01-01T00:00:00Z"}));
    assert_eq!(none["sessions"], json!([]));
    let all = house.call("session.history", json!({"until": "2999-01-01T00:00:00Z"}));
    assert_eq!(all["sessions"].as_array().unwrap().len(), 5);
}

/// The ids of all pages of two.
fn pages_of(house: &House, method: &str) -> Vec<String> {
    let mut ids = Vec::new();
    let mut params = json!({"limit": 2});
    for left in [2, 2, 1] {
        let page = house.call(method, params);
        let sessions = page["sessions"].as_array().unwrap();
        assert_eq!(sessions.len(), left, "{page}");
        ids.extend(sessions.iter().map(|s| s["id"].as_str().unwrap().to_owned()));
        let cursor = page.get("cursor").cloned().unwrap_or(Value::Null);
        assert_eq!(cursor.is_null(), left == 1, "{page}");
        params = json!({"limit": 2, "cursor": cursor});
    }
    ids
}

fn sorted(mut ids: Vec<String>) -> Vec<String> {
    ids.sort_unstable();
    ids
}

#[test]
fn selectors() {
    let house = House::open(Plan::default());
    let held = house.add_many(40);
    let (id, token) = &held[0];
    // Four digits, or as many more as it takes.
    let unique = (4..=16)
        .map(|length| &id[..length])
        .find(|prefix| held.iter().filter(|(other, _)| other.starts_with(prefix)).count() == 1);
    assert_eq!(&house.token(unique.unwrap()), token);
    assert_eq!(house.refused("session.token", json!({"session": &id[..3]})).code, -32001);
    let upper = id.to_uppercase();
    if upper != *id {
        assert_eq!(house.refused("session.token", json!({"session": upper})).code, -32001);
    }
    // Of several, the newest; whoever's they are not all: ambiguous, with candidates.
    for selector in [json!({}), json!({"session": "prod"}), json!({"session": "alice@prod"})] {
        assert_eq!(house.call("session.token", selector)["token"], held[39].1.as_str());
    }
    let bob = house.call("session.add", json!({"token": "of-bob", "username": "bob"}));
    let refused = house.refused("session.token", json!({"session": "prod"}));
    assert_eq!(refused.code, -32002, "{refused:?}");
    assert_eq!(refused.data["candidates"].as_array().unwrap().len(), 20, "of 41");
    assert_eq!(house.call("session.token", json!({"session": "bob@prod"}))["session"], bob["id"]);

    let view = house.call("session.logout", json!({"sessions": [id, "nobody@prod"], "wait": "5s"}));
    assert_eq!(view["sessions"].as_array().unwrap().len(), 1);
    assert_eq!(view["refused"][0]["selector"], "nobody@prod");
    assert_eq!(view["refused"][0]["code"], -32001);
    let view = house.call("session.logout", json!({"sessions": ["alice@prod"], "wait": "20s"}));
    assert_eq!(view["sessions"].as_array().unwrap().len(), 39);
    assert_eq!(house.sessions().len(), 1);
}

/// A request and its reply.
fn exchange(client: &mut Client, method: &str, params: &Value) -> Value {
    let id = client.send(method, params.clone());
    let request = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
    // What it has subscribed to may come in between.
    let reply = std::iter::repeat_with(|| client.receive().unwrap()).find(|line| line["id"] == id);
    json!({"request": request, "reply": reply})
}

/// What the daemon says to each method, in all its states.
fn conversation() -> Vec<Value> {
    let house = House::open(Plan::default());
    let (id, _) = house.add_one();
    let mut client = house.client();
    let mut said = Vec::new();
    let mut say = |method: &str, params: Value| said.push(exchange(&mut client, method, &params));
    say("daemon.hello", json!({}));
    say("daemon.status", json!({}));
    say("session.instructions", json!({}));
    say("session.login", json!({"password": "wrong horse"}));
    say("session.login", json!({"password": PASSWORD, "tied": true}));
    say("session.login", json!({"password": PASSWORD, "instance": "nowhere"}));
    say("session.add", json!({"token": house.simulator.issue("alice"), "username": "bob"}));
    say("session.add", json!({"token": "with a\nline break"}));
    say("session.list", json!({"limit": 1}));
    say("session.list", json!({}));
    say("session.token", json!({"session": id, "for": "1m"}));
    say("session.token", json!({"session": "nobody"}));
    say("session.token", json!({"session": "prod"}));
    say("session.touch", json!({"session": id}));
    say("session.hold", json!({"session": id}));
    say("session.call", json!({"session": id, "command": "findUsers", "more": true}));
    say("session.call", json!({"call": 1, "body": "YQ==", "more": true}));
    say("session.call", json!({"call": 1}));
    say("session.call", json!({"session": id, "command": "noSuchCommand"}));
    say("session.call", json!({"session": id, "command": "logoutUser"}));
    say("session.call", json!({"call": 7, "command": "findUsers"}));
    say("session.show", json!({"session": id}));
    say("session.show", json!({"sesion": id}));
    house.simulator.set_fault_for("logoutUser", Some(Fault::Status(503)));
    say("session.logout", json!({"sessions": [id, "nobody"], "wait": "300ms"}));
    say("session.logout", json!({}));
    say("session.show", json!({"session": id}));
    say("session.token", json!({"session": id}));
    say("session.retry", json!({"sessions": [id]}));
    say("session.forget", json!({"session": id}));
    house.simulator.set_fault_for("logoutUser", None);
    say("session.logout", json!({"all": true, "wait": "20s"}));
    say("session.history", json!({"limit": 1}));
    say("session.history", json!({"since": "2026-01-01T00:00:00Z"}));
    house.simulator.set_fault(Some(Fault::Down));
    say("session.login", json!({"password": PASSWORD}));
    say("daemon.status", json!({}));
    say("daemon.reload", json!({}));
    house.change_config("[revocation]", "idle_timeout = \"soon\"\n[revocation]");
    say("daemon.reload", json!({}));
    say("session.instructions", json!({"instance": "nowhere"}));
    say("events.subscribe", json!({}));
    while said.last().is_some_and(|last| last["notification"]["params"]["event"] != "ready") {
        said.push(json!({"notification": client.receive().unwrap()}));
    }
    said.push(exchange(&mut client, "daemon.stop", &json!({"keep": true})));
    said
}

/// A Python that has the validator: the system's own, or the first on the PATH.
fn python() -> Option<&'static str> {
    let has_it = |python: &&str| {
        let mut look = Command::new(python);
        look.args(["-c", "import jsonschema"]);
        run(look, "", PATIENCE).status.success()
    };
    let systems = Some("/usr/bin/python3").filter(|python| Path::new(python).exists());
    systems.into_iter().chain(is_installed("python3").then_some("python3")).find(has_it)
}

/// The golden messages, and what a daemon really says, judged by a validator of somebody else's.
#[test]
fn every_message_is_as_the_schema_says() {
    let Some(python) = python() else {
        return skipped("there is no python3-jsonschema");
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut exchanges = conversation();
    let said = exchanges.len();
    for file in fs::read_dir(root.join("crates/securid-ipc/tests/golden")).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        let lines: Vec<Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        if lines[0].get("id").is_none() {
            exchanges.extend(lines.iter().map(|line| json!({"notification": line})));
            continue;
        }
        let pairs = lines.chunks(2).map(|pair| json!({"request": pair[0], "reply": pair[1]}));
        exchanges.extend(pairs);
    }
    assert!(exchanges.len() > said + 15, "no golden messages");
    let schema = root.join("docs/protocol.schema.json");
    // Apart, so that each method is known to have been answered by a daemon.
    for exchanges in [&exchanges[..said], &exchanges[said..]] {
        let lines: String = exchanges.iter().map(|exchange| format!("{exchange}\n")).collect();
        let mut conform = Command::new(python);
        conform.arg(root.join("tests/conform.py")).arg(&schema);
        let judged = run(conform, &lines, PATIENCE);
        assert!(judged.status.success(), "{}", told(&judged));
        let answered: Vec<String> = serde_json::from_slice(&judged.stdout).unwrap();
        let schema: Value = serde_json::from_str(&fs::read_to_string(&schema).unwrap()).unwrap();
        let methods = schema["$defs"]["request"]["oneOf"].as_array().unwrap();
        for method in methods.iter().map(|method| method["$ref"].as_str().unwrap()) {
            let method = method.trim_start_matches("#/$defs/");
            assert!(answered.iter().any(|it| it == method), "{method} was never answered");
        }
    }
}

#[test]
fn many_clients_at_once() {
    let house = House::open(Plan::default());
    let (_, token) = house.add_one();
    let mut clients: Vec<_> = (0..50).map(|_| house.client()).collect();
    for client in &mut clients {
        client.send("session.token", json!({}));
    }
    for client in &mut clients {
        assert_eq!(client.receive().unwrap()["result"]["token"], token.as_str());
    }
}

#[test]
fn another_user_is_not_let_in() {
    if !is_root() {
        return skipped("only root can run a daemon as another user");
    }
    let user = Some(800_000_000 + std::process::id());
    let house = House::open(Plan { user, ..Plan::default() });
    let mut client = house.client();
    let answer = client.call_until_gone("session.add", json!({"token": "a-token"}));
    assert!(!matches!(answer, Some(Ok(_))), "root was served: {answer:?}");
    assert!(house.records().is_empty());
}

#[test]
fn nor_is_one_whom_the_file_modes_let_in() {
    if !is_root() {
        return skipped("only root can be another user");
    }
    let house = House::open(Plan::default());
    house.add_one();
    let socket = house.socket();
    for path in [house.path(""), house.path("run"), socket.clone()] {
        fs::set_permissions(path, Permissions::from_mode(0o777)).unwrap();
    }
    let hello = |socket| {
        let mut client = Client::connect(socket).expect("the modes allow it");
        client.call_until_gone("daemon.hello", json!({}))
    };
    assert_eq!(as_user(800_000_000 + std::process::id(), || hello(&socket)), None);
    assert!(matches!(hello(&socket), Some(Ok(_))));
}
