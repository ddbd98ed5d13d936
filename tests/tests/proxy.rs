//! The proxy that the daemon's environment names: used, told from the server, and trusted with
//! nothing.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use securid_simulator::Fault;
use securid_simulator::NAME;
use securid_tests::{AtProxy, ConnectProxy, House, PASSWORD, Plan, eventually};
use serde_json::json;

/// The password for the proxy, and as it is sent with its user name.
const FOR_THE_PROXY: [&str; 2] = ["pr0xy-s3cret", "bWU6cHIweHktczNjcmV0"];

/// A house whose server is named, and whose daemon is in this environment.
fn house(variables: &[(&str, String)]) -> House {
    let mut house = House::build(Plan { log: "trace", ..Plan::default() });
    let named = house.simulator.url().replace("localhost", NAME);
    house.change_config(house.simulator.url(), &named);
    start(&mut house, variables);
    house
}

fn start(house: &mut House, variables: &[(&str, String)]) {
    let mut command = house.daemon_command();
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    house.start_with(command);
}

/// Neither sessions' nor the proxy's secrets are anywhere.
fn assert_no_leak(house: &House) {
    house.assert_no_leak();
    let status = house.ctl(&["status", "--json"]);
    for secret in FOR_THE_PROXY {
        for text in [house.log(), house.heard(), format!("{status:?}")] {
            assert!(!text.contains(secret), "{secret} is in {text}");
        }
    }
}

#[test]
fn a_proxy_sees_neither_tokens_nor_passwords() {
    let proxy = ConnectProxy::start();
    let url = format!("http://me:{}@127.0.0.1:{}", FOR_THE_PROXY[0], proxy.port);
    for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
        let house = house(&[(variable, url.clone())]);
        let before = proxy.seen().len();
        let id = house.login();
        let token = house.token(&id);
        assert_eq!(house.logout(&id, "10s")["outcome"], "revoked", "{variable}");
        let seen = proxy.seen().split_off(before);
        assert_eq!(seen.len(), 2, "{variable}: {seen:?}");
        for head in seen {
            assert!(head.starts_with(&format!("CONNECT {NAME}:")), "{head}");
            assert!(head.contains(&format!("proxy-authorization: Basic {}", FOR_THE_PROXY[1])));
            assert!(!head.contains(&token) && !head.contains(PASSWORD), "{head}");
        }
        assert_no_leak(&house);
    }
}

#[test]
fn whatever_the_proxy_does_the_daemon_goes_on() {
    let proxy = ConnectProxy::start();
    let url = format!("http://me:{}@127.0.0.1:{}", FOR_THE_PROXY[0], proxy.port);
    let house = house(&[("HTTPS_PROXY", url)]);
    for (mood, words) in [
        (AtProxy::Refuse(407), "does not accept the user name and password in HTTPS_PROXY"),
        (AtProxy::Refuse(403), "does not open the way to "),
        (AtProxy::Refuse(502), "cannot reach "),
        (AtProxy::Hang, "had not opened the way to "),
        (AtProxy::HangUp, "hung up before the way to "),
        (AtProxy::Portal, ""),
    ] {
        proxy.set(AtProxy::Lead);
        let id = house.login();
        let token = house.token(&id);
        // No way that is open already is left.
        house.simulator.set_fault(Some(Fault::Down));
        house.simulator.set_fault(None);
        proxy.set(mood);

        let item = house.logout(&id, "1400ms");
        assert_eq!(item["state"], "revoking", "{mood:?}: {item}");
        let error = item["last_error"].as_str().unwrap_or_else(|| panic!("{mood:?}: {item}"));
        let named = format!("the proxy http://127.0.0.1:{}", proxy.port);
        assert!(error.contains(&named) && error.contains(words), "{mood:?}: {error}");
        assert!(house.fate(&token).alive, "{mood:?}");
        assert_eq!(house.fate(&token).logout_requests, 0, "{mood:?}");

        let refused = house.ctl_with(&["login", "--password-stdin", "--json"], PASSWORD);
        let said = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(68), "{mood:?}: {said}");
        assert!(said.contains(&named), "{mood:?}: {said}");

        proxy.set(AtProxy::Lead);
        if mood == AtProxy::Refuse(407) {
            // It is half an hour until the same password is sent by itself.
            assert!(house.ctl(&["retry"]).status.success());
        }
        assert_eq!(house.eventually_ended(&id)["outcome"], "revoked", "{mood:?}");
        assert!(!house.fate(&token).alive, "{mood:?}");
    }
    house.eventually_empty();
    assert_no_leak(&house);
}

#[test]
fn a_proxy_that_cannot_be_used_is_told_and_not_gone_around() {
    for (value, words) in [
        (format!("socks5://me:{}@127.0.0.1:1", FOR_THE_PROXY[0]), "is not an http:// one"),
        (format!("http://me:{}#x@127.0.0.1:1", FOR_THE_PROXY[0]), "is not a proxy's URL"),
    ] {
        let mut house = house(&[("HTTPS_PROXY", value)]);
        eventually(words, || house.log().contains(words).then_some(()));
        let (id, token) = house.add_one();
        let error = house.logout(&id, "1s")["last_error"].as_str().unwrap().to_owned();
        assert!(error.contains("HTTPS_PROXY") && error.contains(words), "{error}");
        let refused = house.refused("session.login", json!({"password": PASSWORD}));
        assert_eq!(refused.code, -32006, "{refused:?}");
        assert!(refused.message.contains(words), "{refused:?}");
        let status = house.ctl(&["status", "--json"]);
        let said = String::from_utf8_lossy(&status.stdout);
        assert_eq!(status.status.code(), Some(1), "{said}");
        assert!(said.contains(words), "{said}");
        assert_eq!(house.simulator.truth().connections, 0);
        assert_no_leak(&house);

        // With a good one in its place, what was kept is done.
        assert!(house.terminate().success());
        let proxy = ConnectProxy::start();
        start(&mut house, &[("HTTPS_PROXY", format!("127.0.0.1:{}", proxy.port))]);
        assert_eq!(house.eventually_ended(&id)["outcome"], "revoked");
        assert!(!house.fate(&token).alive);
        assert_eq!(proxy.seen().len(), 1);
    }
}

#[test]
fn this_machine_and_exceptions_are_reached_without() {
    let proxy = ConnectProxy::start();
    let mut house = House::build(Plan::default());
    start(&mut house, &[("HTTPS_PROXY", format!("127.0.0.1:{}", proxy.port))]);
    let id = house.login();
    assert_eq!(house.logout(&id, "10s")["outcome"], "revoked");
    drop(house);
    assert_eq!(proxy.seen(), [""; 0]);

    // No address is known for the name but by the proxy, which is not asked.
    let house = self::house(&[
        ("HTTPS_PROXY", format!("127.0.0.1:{}", proxy.port)),
        ("NO_PROXY", format!("other.test, {NAME}")),
    ]);
    let refused = house.refused("session.login", json!({"password": PASSWORD}));
    assert_eq!(refused.code, -32006, "{refused:?}");
    assert!(!refused.message.contains("proxy"), "{refused:?}");
    assert_eq!(proxy.seen(), [""; 0]);
}
