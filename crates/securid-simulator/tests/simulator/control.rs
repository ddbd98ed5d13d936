//! The control interface.

use std::io::ErrorKind;
use std::time::Duration;

use securid_simulator::{Fault, Options, Simulator, Truth};

use crate::client::{Client, Reply, ask, find_users, logout};

fn control(simulator: &Simulator, method: &str, path: &str, body: &str) -> Reply {
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    ask(simulator, &request).unwrap()
}

#[test]
fn it_issues_expires_and_tells_the_truth() {
    let simulator = Simulator::start(Options::default()).unwrap();
    let token = control(&simulator, "POST", "/issue", "bob\n").body;
    assert_eq!(simulator.truth().alive(), [token.as_str()]);
    assert_eq!(control(&simulator, "POST", "/expire", &token).status, 200);
    assert_eq!(control(&simulator, "POST", "/expire", &token).status, 404);

    let body = control(&simulator, "GET", "/truth", "").body;
    assert!(body.contains(r#""ended_by":"expired""#), "{body}");
    let told: Truth = serde_json::from_str(&body).unwrap();
    assert_eq!(told, simulator.truth());
    assert_eq!(told.tokens[0].username, "bob");
    assert_eq!((told.requests_refused, told.connections), (0, 4));
}

#[test]
fn it_switches_faults_that_do_not_touch_it() {
    let simulator = Simulator::start(Options { tls: false, ..Options::default() }).unwrap();
    simulator.set_fault(Some(Fault::Hang));
    assert_eq!(control(&simulator, "PUT", "/fault", "status:500").status, 200);
    assert_eq!(control(&simulator, "PUT", "/fault?cmd=findUsers", "status:501\n").status, 200);
    assert_eq!(ask(&simulator, &logout("", "any")).unwrap().status, 500);
    assert_eq!(ask(&simulator, &find_users("any")).unwrap().status, 501);
    assert_eq!(control(&simulator, "PUT", "/fault", "").status, 200);
    assert_eq!(control(&simulator, "PUT", "/fault?cmd=findUsers", "none").status, 200);
    assert_eq!(ask(&simulator, &logout("", "any")).unwrap().status, 401);
    assert_eq!(ask(&simulator, &find_users("any")).unwrap().status, 401);
}

#[test]
fn it_answers_before_it_goes_down() {
    let simulator = Simulator::start(Options::default()).unwrap();
    let reply = control(&simulator, "PUT", "/fault", "down");
    assert_eq!((reply.status, reply.body.as_str()), (200, "ok"));
    simulator.set_latency(Duration::ZERO);
    simulator.set_fault_for("logoutUser", None);
    assert_eq!(Client::connect(&simulator).err().unwrap().kind(), ErrorKind::ConnectionRefused);
}

#[test]
fn it_says_what_it_does_not_understand() {
    let simulator = Simulator::start(Options { tls: false, ..Options::default() }).unwrap();
    let reply = control(&simulator, "PUT", "/fault", "explode");
    assert_eq!(reply.status, 400);
    assert!(reply.body.contains("explode"));
    assert_eq!(control(&simulator, "PUT", "/latency", "soon").status, 400);
    assert_eq!(control(&simulator, "PUT", "/latency", "1ms").status, 200);
    assert_eq!(control(&simulator, "POST", "/issue", "").status, 400);
    let reply = control(&simulator, "POST", "/fault", "hang");
    assert_eq!((reply.status, reply.headers["allow"].as_str()), (405, "PUT"));
}
