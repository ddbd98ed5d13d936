//! Each fault, on a logout that must not be taken for confirmed.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use securid_simulator::{Fault, Options, Simulator};

use crate::client::{Client, Reply, ask, find_users, is_torn_off, login, logout};

/// A simulator with this fault, and a live token.
fn with_fault(fault: &str) -> (Simulator, String) {
    let simulator = Simulator::start(Options::default()).unwrap();
    let token = simulator.issue("alice");
    simulator.set_fault(Some(fault.parse().unwrap()));
    (simulator, token)
}

/// The reply to a logout under this fault, after which the token is alive, though the request came.
fn reply_instead(fault: &str) -> Reply {
    let (simulator, token) = with_fault(fault);
    let reply = ask(&simulator, &logout("&format=json", &token)).unwrap();
    assert_not_carried_out(&simulator, &token);
    reply
}

fn assert_not_carried_out(simulator: &Simulator, token: &str) {
    let truth = simulator.truth();
    assert!(truth.token(token).unwrap().alive);
    assert_eq!(truth.token(token).unwrap().logout_requests, 1);
    assert_eq!((truth.logout_requests, truth.requests_refused), (1, 0));
}

#[test]
fn status_is_a_page_with_that_status() {
    let reply = reply_instead("status:503");
    assert_eq!((reply.status, reply.reason.as_str()), (503, "Service Unavailable"));
    assert!(reply.headers["content-type"].starts_with("text/html"));
    assert_eq!(reply_instead("status:412").status, 412);
}

#[test]
fn the_proxys_401_says_nothing_of_tokens() {
    let reply = reply_instead("proxy-auth-401");
    assert_eq!(reply.status, 401);
    assert!(reply.headers["www-authenticate"].contains("proxy"));
    assert!(!reply.body.to_lowercase().contains("token"));
}

#[test]
fn the_captive_portal_is_a_200_in_html() {
    let reply = reply_instead("captive-portal");
    assert_eq!(reply.status, 200);
    assert!(reply.headers["content-type"].starts_with("text/html"));
    assert!(!reply.body.contains("logoutUser"));
}

#[test]
fn the_wrong_type_is_that_of_another_command() {
    assert_eq!(reply_instead("wrong-type").body, r#"{"data":{"type":"loginUser"}}"#);
    let (simulator, _) = with_fault("wrong-type");
    let reply = ask(&simulator, &login("&format=json", "alice", "correct horse")).unwrap();
    assert_eq!(reply.body, r#"{"data":{"type":"logoutUser"}}"#);
    assert_eq!(simulator.truth().logins_ok, 0);
}

#[test]
fn throttling_says_when_to_come_back() {
    let reply = reply_instead("throttle:2");
    assert_eq!((reply.status, reply.headers["retry-after"].as_str()), (429, "2"));

    let reply = reply_instead("throttle-date:120");
    assert_eq!(reply.status, 429);
    let at = httpdate::parse_http_date(&reply.headers["retry-after"]).unwrap();
    let from_date = httpdate::parse_http_date(&reply.headers["date"]).unwrap();
    let wait = at.duration_since(from_date).unwrap().as_secs();
    assert!((119..=121).contains(&wait), "{wait}");
}

#[test]
fn who_follows_the_redirect_is_found_out() {
    let (simulator, token) = with_fault("redirect");
    let mut client = Client::connect(&simulator).unwrap();
    let reply = client.ask(&logout("&format=json", &token)).unwrap();
    assert_eq!(reply.status, 302);
    let target = &reply.headers["location"];
    let path = target
        .strip_prefix(&simulator.url().replace("localhost", "127.0.0.1").replace("/aveksa", ""));
    assert_eq!(simulator.truth().redirects_followed, 0);

    let follow = format!("GET {} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", path.unwrap());
    assert_eq!(client.ask(&follow).unwrap().body, r#"{"data":{"type":"logoutUser"}}"#);
    assert_eq!(simulator.truth().redirects_followed, 1);
    assert_not_carried_out(&simulator, &token);
}

#[test]
fn a_reset_is_a_reset_and_not_an_end() {
    let (simulator, token) = with_fault("reset");
    let error = ask(&simulator, &logout("", &token)).unwrap_err();
    assert!(is_torn_off(error.kind()), "{error}");
    assert_not_carried_out(&simulator, &token);
}

#[test]
fn a_lost_reply_is_of_a_command_carried_out() {
    let (simulator, token) = with_fault("reply-lost");
    let error = ask(&simulator, &logout("", &token)).unwrap_err();
    assert!(is_torn_off(error.kind()), "{error}");
    assert!(simulator.truth().alive().is_empty());

    ask(&simulator, &login("", "alice", "correct horse")).unwrap_err();
    assert_eq!(simulator.truth().alive().len(), 1);
}

#[test]
fn a_truncated_reply_looks_whole_but_for_its_length() {
    for (format, looks) in
        [("&format=json", r#"{"data":{"type":"logoutUser"}}"#), ("", "type=logoutUser\n")]
    {
        let (simulator, token) = with_fault("truncated");
        let mut client = Client::connect(&simulator).unwrap();
        client.send(&logout(format, &token)).unwrap();
        let head = client.head().unwrap();
        assert_eq!(head.status, 200);
        assert_eq!(head.headers["content-length"], (looks.len() + 64).to_string());
        let mut body = vec![0; looks.len()];
        let mut got = 0;
        while got < body.len() {
            let read = client.raw(&mut body[got..]).unwrap();
            assert_ne!(read, 0);
            got += read;
        }
        assert_eq!(String::from_utf8(body).unwrap(), looks);
        // TLS tells an end without farewell from a proper one.
        assert_eq!(client.raw(&mut [0]).unwrap_err().kind(), ErrorKind::UnexpectedEof);
        assert_not_carried_out(&simulator, &token);
    }
}

#[test]
fn an_endless_body_goes_on_until_its_bound() {
    let simulator = Simulator::start(Options { tls: false, ..Options::default() }).unwrap();
    simulator.set_fault(Some(Fault::Endless));
    let mut client = Client::connect(&simulator).unwrap();
    client.send(&logout("&format=json", "any")).unwrap();
    let head = client.head().unwrap();
    assert_eq!(head.status, 200);
    assert!(!head.headers.contains_key("content-length"));
    let mut buffer = vec![0; 1 << 20];
    let mut total = 0;
    loop {
        match client.raw(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(read) => total += read,
        }
        assert!(!buffer.windows(5).any(|five| five == b"\r\n0\r\n"), "the body was ended properly");
    }
    assert!((60 << 20..65 << 20).contains(&total), "{total}");
}

#[test]
fn a_slow_drip_is_a_byte_a_second() {
    let (simulator, token) = with_fault("slow-drip");
    let mut client = Client::connect(&simulator).unwrap();
    client.send(&logout("&format=json", &token)).unwrap();
    assert_eq!(client.head().unwrap().status, 200);
    let started = Instant::now();
    // Three chunks of one space each: `1\r\n \r\n`.
    let mut got = 0;
    while got < 3 * 6 {
        let read = client.raw(&mut [0; 6]).unwrap();
        assert_ne!(read, 0);
        got += read;
    }
    assert!(started.elapsed() >= Duration::from_millis(1_500), "{:?}", started.elapsed());
    assert_not_carried_out(&simulator, &token);
}

#[test]
fn a_hanging_request_gets_no_answer_even_after_the_fault() {
    let (simulator, token) = with_fault("hang");
    let mut hanging = Client::connect(&simulator).unwrap();
    hanging.send(&logout("", &token)).unwrap();
    assert!(simulator.wait_until(Duration::from_secs(10), |truth| truth.logout_requests == 1));
    simulator.set_fault(None);

    hanging.tcp.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let error = hanging.raw(&mut [0]).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
    assert_not_carried_out(&simulator, &token);
    // A later request is served, while that one hangs.
    assert_eq!(ask(&simulator, &logout("", &token)).unwrap().status, 200);
    assert_eq!(simulator.truth().in_flight_peak, 2);
}

#[test]
fn a_hanging_request_ends_when_its_client_goes() {
    let (simulator, token) = with_fault("hang");
    for requests in 1..=3 {
        let mut client = Client::connect(&simulator).unwrap();
        client.send(&logout("", &token)).unwrap();
        assert!(simulator.wait_until(Duration::from_secs(10), |t| t.logout_requests == requests));
        drop(client);
        // The server has seen the end of the first connection before it accepts another.
        ask(&simulator, "GET /truth HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    }
    assert_eq!(simulator.truth().in_flight_peak, 1);
}

#[test]
fn a_delay_is_of_the_reply_only() {
    let (simulator, token) = with_fault("delay:300ms");
    let mut client = Client::connect(&simulator).unwrap();
    let started = Instant::now();
    client.send(&logout("", &token)).unwrap();
    assert!(simulator.wait_until(Duration::from_secs(10), |truth| truth.alive().is_empty()));
    assert_eq!(client.reply().unwrap().status, 200);
    assert!(started.elapsed() >= Duration::from_millis(300));
}

#[test]
fn latency_is_added_to_every_reply() {
    let simulator = Simulator::start(Options { tls: false, ..Options::default() }).unwrap();
    simulator.set_latency(Duration::from_millis(120));
    for fault in [None, Some(Fault::Status(500))] {
        simulator.set_fault(fault);
        let started = Instant::now();
        ask(&simulator, &find_users("any")).unwrap();
        assert!(started.elapsed() >= Duration::from_millis(120));
    }
}

#[test]
fn a_fault_of_one_command_leaves_the_others_alone() {
    let simulator = Simulator::start(Options { tls: false, ..Options::default() }).unwrap();
    let token = simulator.issue("alice");
    simulator.set_fault_for("logoutUser", Some(Fault::Status(500)));
    assert_eq!(ask(&simulator, &logout("", &token)).unwrap().status, 500);
    assert_eq!(ask(&simulator, &find_users(&token)).unwrap().status, 200);

    simulator.set_fault(Some(Fault::Status(502)));
    assert_eq!(ask(&simulator, &logout("", &token)).unwrap().status, 500);
    assert_eq!(ask(&simulator, &find_users(&token)).unwrap().status, 502);

    simulator.set_fault_for("logoutUser", None);
    assert_eq!(ask(&simulator, &logout("", &token)).unwrap().status, 502);
    simulator.set_fault(None);
    assert_eq!(ask(&simulator, &logout("", &token)).unwrap().status, 200);
}
