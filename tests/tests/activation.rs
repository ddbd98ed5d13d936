//! A socket that a service manager has bound: the daemon serves it, leaves it where it is, and no
//! client that has connected goes without an answer.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::time::Duration;

use securid_simulator::Fault;
use securid_tests::{Client, House, PASSWORD, PATIENCE, Plan, Signal, eventually, timed};
use serde_json::json;

/// A house whose socket is there before any daemon.
fn house(plan: Plan) -> House {
    let mut house = House::build(plan);
    house.bind_socket();
    house
}

#[test]
fn whoever_connects_before_the_daemon_is_there_is_served() {
    let mut house = house(Plan::default());
    let mut early = house.client();
    let id = early.send("session.login", json!({"password": PASSWORD}));
    house.start();
    let answer = early.receive().unwrap();
    assert_eq!((&answer["id"], &answer["result"]["state"]), (&json!(id), &json!("active")));
    assert_eq!(house.terminate().code(), Some(0));
    assert_eq!(house.simulator.truth().alive(), [""; 0]);
}

#[test]
fn the_socket_outlives_the_daemon_and_so_does_its_queue() {
    let mut house = house(Plan::default());
    house.start();
    house.call("daemon.status", json!({}));
    house.terminate();
    assert!(house.socket().exists());
    let mut between = house.client();
    between.send("session.list", json!({}));
    house.start();
    assert_eq!(between.receive().unwrap()["result"]["sessions"], json!([]));
}

/// Frozen, it can neither accept nor read, so that all of them come at the same instant as the stop.
#[test]
fn a_stop_leaves_nobody_without_an_answer() {
    let mut house = house(Plan::default());
    house.start();
    let mut accepted: Vec<Client> = (0..5).map(|_| house.client()).collect();
    for client in &mut accepted {
        client.call("daemon.hello", json!({})).unwrap();
    }
    let mut queued = house.frozen(|| {
        let queued: Vec<Client> = (0..5).map(|_| house.client()).collect();
        house.signal(Signal::TERM);
        queued
    });
    for client in accepted.iter_mut().chain(&mut queued) {
        // One that was let in and finds the daemon gone was told nothing.
        client.send("session.list", json!({}));
    }
    assert_eq!(house.wait_for_end(PATIENCE).code(), Some(0));
    house.start();
    for (which, mut client) in accepted.into_iter().chain(queued).enumerate() {
        let answer = client.receive().unwrap_or_else(|| panic!("{which} was left alone"));
        let stopping = answer["error"]["code"] == -32010;
        assert!(stopping || answer["result"]["sessions"].is_array(), "{which}: {answer}");
    }
}

#[test]
fn the_one_that_was_handed_over_wins() {
    let mut house = house(Plan::default());
    let mut command = house.daemon_command();
    command.arg("--socket").arg(house.path("run/other.sock"));
    house.start_with(command);
    house.call("daemon.status", json!({}));
    assert!(!house.path("run/other.sock").exists());
    house.terminate();
    let log = house.log();
    let ready = log.lines().find(|line| line.contains("ready")).unwrap();
    assert!(ready.contains("handed over") && ready.contains("run/sessiond.sock"), "{ready}");
    assert!(!log.contains("SocketMode"), "{log}");
}

#[test]
fn one_that_lets_others_connect_is_served_with_a_warning() {
    let mut house = house(Plan::default());
    fs::set_permissions(house.socket(), Permissions::from_mode(0o666)).unwrap();
    house.start();
    house.call("daemon.status", json!({}));
    eventually("a warning", || house.log().contains("set SocketMode=0600").then_some(()));
}

#[test]
fn what_is_no_listening_unix_socket_is_refused_in_words() {
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let (connected, _other_end) = UnixStream::pair().unwrap();
    for (wrong, why) in [
        (tcp.into(), "no Unix stream socket"),
        (UnixDatagram::unbound().unwrap().into(), "no Unix stream socket"),
        (connected.into(), "has no path"),
    ] {
        let mut house = House::build(Plan::default());
        house.hand_over(wrong);
        house.start_unseen(house.daemon_command(), house.open_log());
        assert_eq!(house.wait_for_end(PATIENCE).code(), Some(1), "{why}");
        let log = house.log();
        assert!(log.contains(why) && log.contains("ListenStream="), "{log}");
    }
}

#[test]
fn several_sockets_are_refused_in_words() {
    let mut house = house(Plan::default());
    let mut command = house.daemon_command();
    command.env("LISTEN_FDS", "2");
    house.start_unseen(command, house.open_log());
    assert_eq!(house.wait_for_end(PATIENCE).code(), Some(1));
    assert!(house.log().contains("2 sockets were handed over"), "{}", house.log());
}

/// What is wrong with it stands in its second line.
const BAD_CONFIG: &str = "keyring = \"test\"\non_exit = \"ask\"\n";

#[test]
fn a_bad_config_is_told_to_whoever_waits_and_then_it_ends() {
    let mut house = house(Plan::default());
    house.write_config(BAD_CONFIG);
    let mut early = house.client();
    early.send("session.list", json!({}));
    let (status, took) = timed(|| {
        house.start_unseen(house.daemon_command(), house.open_log());
        let answer = early.receive().unwrap();
        let error = &answer["error"];
        assert_eq!((&error["code"], &error["data"]["bad_config"]), (&json!(-32010), &json!(true)));
        let fault = format!("{}:2: on_exit: ", house.config().display());
        assert!(error["message"].as_str().unwrap().contains(&fault), "{answer}");
        for words in [&["list"][..], &["status"], &["login", "--password-stdin"]] {
            let output = house.ctl_with(words, PASSWORD);
            assert_eq!(output.status.code(), Some(78), "{words:?}");
            assert!(String::from_utf8_lossy(&output.stderr).contains(&fault), "{output:?}");
        }
        // A hook at log-off: there is nothing to revoke.
        let logout = house.ctl(&["logout"]);
        assert_eq!(logout.status.code(), Some(0), "{logout:?}");
        house.wait_for_end(PATIENCE)
    });
    assert_eq!(status.code(), Some(78));
    // systemd gives a socket up whose service is started more than five times in ten seconds.
    assert!(took > Duration::from_secs(2), "{took:?}");
    assert_eq!(house.simulator.truth().logins_ok, 0);

    // Mended, the next one serves.
    house.change_config("ask\"", "keep\"");
    let mut late = house.client();
    late.send("session.list", json!({}));
    house.start();
    assert!(late.receive().unwrap()["result"]["sessions"].is_array());
}

#[test]
fn nobody_can_keep_a_daemon_with_a_bad_config_up_by_asking() {
    let mut house = house(Plan::default());
    house.write_config(BAD_CONFIG);
    house.start_unseen(house.daemon_command(), house.open_log());
    let asking = asked_until_ended(&mut house, Duration::from_millis(300));
    assert!(asking < Duration::from_secs(15), "{asking:?}");
    // And a stop is obeyed at once.
    house.start_unseen(house.daemon_command(), house.open_log());
    house.refused("session.list", json!({}));
    house.signal(Signal::TERM);
    let (status, took) = timed(|| house.wait_for_end(PATIENCE));
    assert_eq!(status.code(), Some(78));
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[test]
fn with_a_bad_config_and_sessions_it_drains_at_that_socket() {
    let mut house = House::build(Plan::default());
    house.start();
    let (_, token) = house.add_one();
    house.kill_9();
    std::fs::remove_file(house.socket()).unwrap();
    house.bind_socket();
    house.simulator.set_fault_for("logoutUser", Some(Fault::Status(503)));
    house.change_config("keyring = \"test\"", "keyring = \"test\"\non_exit = \"ask\"");
    house.start();
    let status = house.call("daemon.status", json!({}));
    assert!(status["problems"].to_string().contains("draining"), "{status}");
    house.simulator.set_fault_for("logoutUser", None);
    assert_eq!(house.wait_for_end(PATIENCE).code(), Some(78));
    assert!(!house.fate(&token).alive);
    assert!(house.socket().exists());
}

#[test]
fn a_state_folder_that_cannot_be_used_is_told_too() {
    let mut house = house(Plan::default());
    fs::create_dir(house.state_dir()).unwrap();
    fs::set_permissions(house.state_dir(), Permissions::from_mode(0o755)).unwrap();
    house.start_unseen(house.daemon_command(), house.open_log());
    let output = house.ctl(&["list"]);
    assert_eq!(output.status.code(), Some(74), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("chmod 700"), "{output:?}");
    assert_eq!(house.wait_for_end(PATIENCE).code(), Some(74));
}

#[test]
fn beside_a_daemon_that_has_the_sessions_it_says_so() {
    let mut house = House::open(Plan::default());
    let socket = UnixListener::bind(house.path("run/second.sock")).unwrap();
    house.hand_over(socket.into());
    let mut second = house.another_daemon();
    let mut client = Client::connect(&house.path("run/second.sock")).unwrap();
    let refused = client.call("session.list", json!({})).unwrap_err();
    assert_eq!(refused.code, -32010);
    assert!(refused.message.contains("cannot start") && refused.data["bad_config"].is_null());
    assert_eq!(second.wait(PATIENCE).code(), Some(1));
    house.call("daemon.status", json!({}));
}

/// Asks in these intervals until it has ended, and tells how long that took.
fn asked_until_ended(house: &mut House, every: Duration) -> Duration {
    let (_, took) = timed(|| {
        eventually("its end", || {
            // Its queue takes clients still when it has ended.
            let mut client = house.client();
            client.send("session.list", json!({}));
            std::thread::sleep(every);
            house.has_ended().then_some(())
        });
        house.wait_for_end(PATIENCE)
    });
    took
}
