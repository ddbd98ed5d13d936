//! Nothing but the server's own word confirms a logout, and whatever else it does, the daemon goes
//! on until it has that word.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use securid_simulator::{Fault, Options, Simulator};
use securid_tests::{House, Plan, eventually, timed};
use serde_json::json;

/// A fault, words that the error must have for a person to understand it, and whether the token
/// dies all the same.
type Case = (&'static str, &'static [&'static str], bool);

const CASES: [Case; 22] = [
    ("hang", &["1s"], false),
    ("reset", &["connection"], false),
    ("delay:1500ms", &["1s"], true),
    ("status:200", &["200"], false),
    ("status:204", &["204"], false),
    ("status:400", &["400"], false),
    ("status:401", &["401"], false),
    ("status:403", &["403"], false),
    ("status:404", &["404"], false),
    ("status:500", &["500"], false),
    ("status:503", &["503"], false),
    ("proxy-auth-401", &["401"], false),
    ("captive-portal", &["200"], false),
    ("redirect", &["302"], false),
    ("wrong-type", &["loginUser"], false),
    ("truncated", &["before the end"], false),
    ("endless", &["more than"], false),
    ("slow-drip", &["1s"], false),
    ("throttle:1", &["429"], false),
    ("throttle-date:1", &["429"], false),
    ("down", &["refuses"], false),
    ("reply-lost", &["connection"], true),
];

/// So many houses at a time: each spends most of its time waiting.
const AT_ONCE: usize = 8;

#[test]
fn whatever_the_server_does_json() {
    whatever_the_server_does("json");
}

#[test]
fn whatever_the_server_does_properties() {
    whatever_the_server_does("properties");
}

fn whatever_the_server_does(format: &str) {
    let cases = Mutex::new(CASES.iter());
    let next = || cases.lock().unwrap().next();
    let failed: Vec<&str> = thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE)
            .map(|_| {
                scope.spawn(|| {
                    let mut failed = Vec::new();
                    while let Some(case) = next() {
                        if thread::scope(|s| s.spawn(|| one_fault(case, format)).join()).is_err() {
                            failed.push(case.0);
                        }
                    }
                    failed
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    assert!(failed.is_empty(), "{failed:?} ({format}): see above");
}

fn one_fault((fault, words, dies): &Case, format: &str) {
    let instance = format!("format = \"{format}\"");
    let house = House::open(Plan { instance, log: "trace", ..Plan::default() });
    let id = house.login();
    let token = house.token(&id);
    house.simulator.set_fault_for("logoutUser", Some(fault.parse().unwrap()));

    let item = house.logout(&id, "1400ms");
    assert_eq!(item["state"], "revoking", "{fault}: {item}");
    assert_eq!((&item["outcome"], &item["durable"]), (&json!(null), &json!(true)), "{fault}");
    let error = item["last_error"].as_str().unwrap_or_else(|| panic!("{fault}: {item}"));
    for word in *words {
        assert!(error.contains(word), "{fault}: {error:?} does not say {word:?}");
    }
    assert!(!error.contains(&token), "{fault}: {error:?}");
    assert_eq!(house.refused("session.token", json!({"session": id})).code, -32012, "{fault}");
    eventually(&format!("more attempts, {fault}"), || {
        let session = house.session(&id).expect("nothing has confirmed it");
        (session["revocation"]["attempts"].as_u64() >= Some(2)).then_some(())
    });
    assert_eq!(house.fate(&token).alive, !dies, "{fault}");

    house.simulator.set_fault_for("logoutUser", None);
    let line = house.eventually_ended(&id);
    let outcome = if *dies { "already-invalid" } else { "revoked" };
    assert_eq!(line["outcome"], outcome, "{fault}: {line}");
    let truth = house.simulator.truth();
    assert_eq!(truth.alive(), [""; 0], "{fault}");
    assert_eq!(truth.redirects_followed, 0, "{fault}");
    assert_eq!(truth.logouts_of_unknown_tokens, 0, "{fault}");
    house.eventually_empty();
    house.assert_no_leak();
}

#[test]
fn a_token_that_the_server_ended_itself() {
    for format in ["json", "properties"] {
        let instance = format!("format = \"{format}\"");
        let house = House::open(Plan { instance, ..Plan::default() });
        let (id, token) = house.add_one();
        assert!(house.simulator.expire(&token));
        let item = house.logout(&id, "10s");
        assert_eq!(
            (&item["state"], &item["outcome"]),
            (&json!("ended"), &json!("already-invalid"))
        );
        let evidence = house.eventually_ended(&id)["evidence"].as_str().unwrap().to_owned();
        assert!(evidence.contains("401"), "{evidence}");
        assert_eq!(house.fate(&token).logout_requests, 1);
    }
}

#[test]
fn a_server_with_another_certificate_is_told_no_token() {
    let mut house = House::open(Plan::default());
    let (id, token) = house.add_one();
    house.kill_9();
    let stranger = Simulator::start(Options::default()).unwrap();
    fs::write(house.path("ca.pem"), stranger.ca_pem()).unwrap();
    house.start();
    let item = house.logout(&id, "1s");
    let error = item["last_error"].as_str().expect("an error").to_owned();
    assert!(error.contains("certificate"), "{error}");
    assert_eq!(house.refused("session.login", json!({"password": "correct horse"})).code, -32006);
    assert_eq!(house.fate(&token).logout_requests, 0);

    fs::write(house.path("ca.pem"), house.simulator.ca_pem()).unwrap();
    house.kill_9();
    house.start();
    assert_eq!(house.eventually_ended(&id)["outcome"], "revoked");
}

#[test]
fn a_ca_file_that_is_mended_helps_without_a_restart() {
    let stranger = Simulator::start(Options::default()).unwrap();
    for wrong in [None, Some(stranger.ca_pem())] {
        let mut house = House::open(Plan::default());
        let (id, _) = house.add_one();
        house.kill_9();
        let ca_file = house.path("ca.pem");
        fs::remove_file(&ca_file).unwrap();
        if let Some(wrong) = wrong {
            fs::write(&ca_file, wrong).unwrap();
        }
        house.start();
        assert_eq!(house.logout(&id, "300ms")["state"], "revoking");
        fs::write(&ca_file, house.simulator.ca_pem()).unwrap();
        let item = house.logout(&id, "5s");
        assert_eq!(item["outcome"], "revoked", "wrong at first: {wrong:?}: {item}");
    }
}

#[test]
fn retry_goes_before_the_schedule() {
    let revocation = vec![("retry_initial", "1h"), ("retry_max", "1h")];
    let house = House::open(Plan { revocation, ..Plan::default() });
    let held = house.add_many(3);
    house.simulator.set_fault(Some(Fault::Status(503)));
    let view = house.call("session.logout", json!({"all": true, "wait": "500ms"}));
    assert_eq!(view["sessions"].as_array().unwrap().len(), 3);
    house.simulator.set_fault(None);
    let retried = house.call("session.retry", json!({}));
    // Full jitter may have drawn a wait of some milliseconds; three times is a broken clock.
    assert!(!retried["sessions"].as_array().unwrap().is_empty(), "{retried}");
    for (id, _) in held {
        assert_eq!(house.eventually_ended(&id)["outcome"], "revoked");
    }
}

#[test]
fn a_server_that_asks_for_time_gets_it_but_not_for_ever() {
    let house = House::open(Plan::default());
    let (id, token) = house.add_one();
    house.simulator.set_fault(Some("throttle:3600".parse().unwrap()));
    house.logout(&id, "1s");
    thread::sleep(Duration::from_secs(1));
    assert_eq!(house.fate(&token).logout_requests, 1, "Retry-After is honoured");
    house.simulator.set_fault(None);
    house.call("session.retry", json!({"sessions": [id]}));
    assert_eq!(house.eventually_ended(&id)["outcome"], "revoked");
}

#[test]
fn attempts_at_once_are_bounded_and_one_a_session() {
    let mut house = House::build(Plan::default());
    house.change_config("[revocation]", "[revocation]\nconcurrency = 3");
    house.start();
    house.add_many(12);
    house.simulator.set_latency(Duration::from_millis(200));
    let view = house.call("session.logout", json!({"all": true, "wait": "20s"}));
    assert!(view["sessions"].as_array().unwrap().iter().all(|s| s["outcome"] == "revoked"));
    let truth = house.simulator.truth();
    assert_eq!(truth.in_flight_peak, 3);
    assert_eq!(truth.logout_requests, 12);
}

/// A server that swallows every request takes all the places that there are for its own origin, and
/// none of another's.
#[test]
fn a_dead_origin_delays_no_other() {
    let elsewhere = Simulator::start(Options::default()).unwrap();
    let top = "default_instance = \"prod\"".to_owned();
    let revocation = vec![("attempt_timeout", "4s")];
    let mut house = House::build(Plan { top, revocation, ..Plan::default() });
    house.change_config("[revocation]", "[revocation]\nconcurrency = 2");
    let ca_file = house.path("elsewhere.pem");
    fs::write(&ca_file, elsewhere.ca_pem()).unwrap();
    let (url, ca_file) = (elsewhere.url(), ca_file.display());
    let other = format!("[instances.other]\nurl = \"{url}\"\nca_file = \"{ca_file}\"\n\n");
    house.change_config("[instances.prod]", &format!("{other}[instances.prod]"));
    house.start();
    let stuck = house.add_many(20);
    house.simulator.set_fault(Some(Fault::Hang));
    for (id, _) in &stuck {
        house.call("session.logout", json!({"sessions": [id]}));
    }
    house.eventually_true("both places to be taken", |truth| truth.in_flight_peak == 2);

    let token = elsewhere.issue("bob");
    let params = json!({"instance": "other", "token": token, "username": "bob"});
    let id = house.call("session.add", params)["id"].as_str().unwrap().to_owned();
    let (item, took) = timed(|| house.logout(&id, "10s"));
    assert_eq!(item["outcome"], "revoked", "{item}");
    // An attempt that hangs takes 4 s; twenty of them, two at a time, 40.
    assert!(took < Duration::from_secs(3), "{took:?}");
    assert!(!elsewhere.truth().token(&token).unwrap().alive);
    house.simulator.set_fault(None);
    house.eventually_true("the others' ends", |truth| truth.alive().is_empty());
}

/// A gateway that sends one reply twice: the second is nobody's, least of all the next token's.
#[test]
fn a_reply_that_comes_twice_confirms_one_token() {
    let gateway = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/aveksa", gateway.local_addr().unwrap());
    let mut house = House::build(Plan::default());
    house.change_config(house.simulator.url(), &url);
    house.change_config("[revocation]", "[revocation]\nconcurrency = 1");
    house.start();
    let held = house.add_many(2);
    // It ends with the test's process; the daemon's requests end with the daemon.
    thread::spawn(move || {
        for (count, client) in gateway.incoming().flatten().enumerate() {
            thread::spawn(move || serve_as_gateway(client, count == 0));
        }
    });
    house.call("session.logout", json!({"all": true}));
    eventually("more attempts to end the other", || {
        let left: Vec<_> = held.iter().filter_map(|(id, _)| house.session(id)).collect();
        assert!(!left.is_empty(), "both are confirmed by one reply");
        let again = left[0]["revocation"]["attempts"].as_u64() >= Some(2);
        (left.len() == 1 && again).then_some(())
    });
}

/// Confirms the first request twice, and no other.
fn serve_as_gateway(mut client: TcpStream, confirms: bool) {
    let reply = |status, content: &str| {
        format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{content}", content.len())
    };
    let confirmation = reply("200 OK", r#"{"data": {"type": "logoutUser"}}"#);
    let mut seen = Vec::new();
    while !seen.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        match client.read(&mut byte) {
            Ok(1) => seen.push(byte[0]),
            _ => return,
        }
    }
    if confirms {
        let _ = client.write_all(confirmation.as_bytes());
        // Time for the next request to be sent, if it were sent on this connection.
        thread::sleep(Duration::from_millis(50));
        let _ = client.write_all(confirmation.as_bytes());
    } else {
        let _ = client.write_all(reply("500 Error", "").as_bytes());
    }
    // Open until the other side has had enough.
    let _ = client.read(&mut [0]);
}
