//! The networks of companies: proxies and client certificates by config, private CAs, and each failure in words.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use securid_simulator::{Chain, Fault, Handshake, NAME, Options, Simulator, Validity};
use securid_tests::patience::is_root;
use securid_tests::{
    AtProxy, ConnectProxy, House, PASSWORD, Plan, eventually, memory_scan, process, skipped,
};
use serde_json::Value;

/// User name and password for the proxy, and the same as they are sent.
const FOR_THE_PROXY: [&str; 2] = ["me:pr0xy-s3cret", "bWU6cHIweHktczNjcmV0"];

/// How the server's certificate looks, and what is said of clients', that the daemon does not get on with.
fn handshake(chain: Chain, wants_certificate: bool) -> Handshake {
    Handshake { chain, wants_certificate }
}

/// With time enough for each attempt: no failure here is one of time, however busy the machine is.
fn plan() -> Plan {
    Plan { revocation: vec![("attempt_timeout", "10s")], ..Plan::default() }
}

/// A house in which nothing runs yet, for a server that wants to see certificates, with that of this name.
fn house_of_client(name: &str) -> House {
    let house = House::build(plan());
    house.simulator.set_handshake(handshake(Chain::Whole, true)).unwrap();
    give_certificate(&house, &house.simulator, name, Validity::Now);
    name_certificate(&house);
    house
}

/// Puts a certificate of that server's CA into the house, as a company's agent renews it.
fn give_certificate(house: &House, issuer: &Simulator, name: &str, validity: Validity) {
    let made = issuer.client_certificate(name, validity).unwrap();
    fs::write(house.path("client.pem"), made.chain).unwrap();
    secret_file(&house.path("client.key"), &made.key);
}

/// Has the config say where that is.
fn name_certificate(house: &House) {
    let [cert, key] = ["client.pem", "client.key"].map(|name| house.path(name));
    let keys = format!(
        "username = \"alice\"\nclient_cert = \"{}\"\nclient_key = \"{}\"",
        cert.display(),
        key.display()
    );
    house.change_config("username = \"alice\"", &keys);
}

fn secret_file(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
}

/// No way that is open already is left.
fn cut(house: &House) {
    house.simulator.set_fault(Some(Fault::Down));
    house.simulator.set_fault(None);
}

fn login(house: &House) -> Output {
    house.ctl_with(&["login", "--password-stdin", "--json"], PASSWORD)
}

/// Both a pending logout and a login say so, and what to do; nothing was sent.
#[track_caller]
fn is_told(house: &House, case: &str, words: &str) -> (String, String) {
    let (id, token) = house.add_one();
    assert_eq!(house.logout(&id, "50ms")["state"], "revoking", "{case}");
    let error = eventually("an attempt that failed", || {
        let listed = house.ctl(&["list", "--json"]);
        let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
        let sessions = listed["sessions"].as_array().unwrap();
        let session = sessions.iter().find(|session| session["id"] == *id).unwrap();
        session["revocation"]["last_error"].as_str().map(str::to_owned)
    });
    assert!(error.contains(words), "{case}: {error}");
    assert!(house.fate(&token).alive && house.fate(&token).logout_requests == 0, "{case}");

    let refused = login(house);
    let told: Value = serde_json::from_slice(&refused.stderr).unwrap();
    let said = told["error"]["message"].as_str().unwrap();
    assert_eq!(refused.status.code(), Some(68), "{case}: {told}");
    assert!(said.contains(words), "{case}: {told}");
    let hint = told["error"]["hint"].as_str().unwrap();
    assert!(hint.contains("securid-ctl doctor") && hint.contains("check "), "{case}: {told}");
    (id, token)
}

#[track_caller]
fn is_revoked(house: &House, case: &str, (id, token): &(String, String)) {
    assert_eq!(house.eventually_ended(id)["outcome"], "revoked", "{case}");
    assert!(!house.fate(token).alive, "{case}");
}

#[test]
fn what_is_wrong_with_the_servers_certificate_is_told_apart_and_heals() {
    let house = House::open(plan());
    for (chain, words) in [
        (Chain::NoIntermediate, "for the certificate of \"securid-simulator issuing CA "),
        (Chain::OfAnotherCa, "for the certificate of \"securid-simulator private CA "),
        (
            Chain::OfAnotherName,
            "is for another name: for elsewhere.example, and not for localhost; write",
        ),
        (Chain::OfAnotherTime(Validity::Past), "is out of date, or this machine's clock is wrong"),
        (Chain::OfAnotherTime(Validity::Future), "is not valid yet, or this machine's clock is"),
    ] {
        let case = format!("{chain:?}");
        house.simulator.set_handshake(handshake(chain, false)).unwrap();
        cut(&house);
        let pending = is_told(&house, &case, words);
        house.simulator.set_handshake(Handshake::default()).unwrap();
        is_revoked(&house, &case, &pending);
    }
    house.assert_no_leak();
}

#[test]
fn an_intermediate_that_the_server_keeps_to_itself_may_be_in_ca_file() {
    let house = House::build(plan());
    house.simulator.set_handshake(handshake(Chain::NoIntermediate, false)).unwrap();
    let both = format!("{}{}", house.simulator.ca_pem(), house.simulator.intermediate_pem());
    fs::write(house.path("ca.pem"), both).unwrap();
    let mut house = house;
    house.start();
    let id = house.login();
    assert_eq!(house.logout(&id, "10s")["outcome"], "revoked");
}

#[test]
fn what_keeps_the_daemon_from_connecting_is_told_apart() {
    let house = House::open(plan());
    house.simulator.set_fault(Some(Fault::Down));
    let refused = is_told(&house, "refused", "refuses connections (at ");
    house.simulator.set_fault(None);
    is_revoked(&house, "refused", &refused);
    drop(house);

    // No name service knows it (RFC 6761).
    let mut house = House::build(plan());
    let url = house.simulator.url().replace("localhost", "nowhere.invalid");
    house.change_config(house.simulator.url(), &url);
    let mut command = house.daemon_command();
    // Where no name service answers, it is not waited for longer than that.
    command.env("RES_OPTIONS", "timeout:1 attempts:1");
    house.start_with(command);
    is_told(&house, "no such host", "has no address: ");
}

#[test]
fn an_answer_that_refuses_is_told_by_its_status() {
    let house = House::open(plan());
    let (id, _token) = house.add_one();
    house.simulator.set_fault(Some(Fault::Status(503)));
    let item = house.logout(&id, "1s");
    assert!(item["last_error"].as_str().unwrap().contains("HTTP 503"), "{item}");
    let refused = login(&house);
    let told = String::from_utf8_lossy(&refused.stderr);
    assert!(refused.status.code() == Some(1) && told.contains("HTTP 503"), "{told}");
}

#[test]
fn a_client_certificate_is_shown_and_a_renewed_one_counts_at_once() {
    let mut house = house_of_client("first");
    let checked = house.run_daemon(&["--check-config"]);
    assert!(checked.status.success(), "{}", process::told(&checked));
    house.start();
    let id = house.login();
    assert_eq!(house.logout(&id, "10s")["outcome"], "revoked");
    give_certificate(&house, &house.simulator, "second", Validity::Now);
    let id = house.login();
    cut(&house);
    assert_eq!(house.logout(&id, "10s")["outcome"], "revoked");
    let shown = house.simulator.truth().client_certificates;
    let firsts = shown.iter().position(|name| name == "second").unwrap();
    assert!(firsts > 0 && shown[..firsts].iter().all(|name| name == "first"), "{shown:?}");
    assert!(shown[firsts..].iter().all(|name| name == "second"), "{shown:?}");
    house.assert_no_leak();
}

#[test]
fn what_a_server_has_against_our_certificate_is_told_apart_and_heals() {
    let mut house = house_of_client("good");
    house.start();
    let stranger = Simulator::start(Options::default()).unwrap();
    for (case, issuer, validity, words) in [
        ("expired", None, Validity::Past, "refuses our client certificate, for it is out of date"),
        ("of another CA", Some(&stranger), Validity::Now, "for it does not know who issued it"),
    ] {
        cut(&house);
        give_certificate(&house, issuer.unwrap_or(&house.simulator), "bad", validity);
        let pending = is_told(&house, case, words);
        give_certificate(&house, &house.simulator, "good", Validity::Now);
        is_revoked(&house, case, &pending);
    }
    drop(house);

    let house = House::open(plan());
    house.simulator.set_handshake(handshake(Chain::Whole, true)).unwrap();
    cut(&house);
    let words =
        "asks for a client certificate, but none is configured: set client_cert and client_key";
    let pending = is_told(&house, "none", words);
    // It is the session's own setting, but another instance's files may help.
    give_certificate(&house, &house.simulator, "later", Validity::Now);
    name_certificate(&house);
    assert!(house.ctl(&["reload"]).status.success());
    is_revoked(&house, "none", &pending);
}

/// Files that are of no use, what a check of the config says of them, and of which key.
#[test]
fn a_check_of_the_config_says_what_is_wrong_with_the_files() {
    let house = house_of_client("good");
    let (cert, key) = (house.path("client.pem"), house.path("client.key"));
    let good = [fs::read_to_string(&cert).unwrap(), fs::read_to_string(&key).unwrap()];
    let other = house.simulator.client_certificate("other", Validity::Now).unwrap();
    let openssl = |words: &[&str]| {
        let mut command = Command::new("openssl");
        command.args(words).arg("-in").arg(&key);
        let made = process::run(command, "", Duration::from_secs(20));
        assert!(made.status.success(), "{made:?}");
        String::from_utf8(made.stdout).unwrap()
    };
    let encrypted = openssl(&["pkcs8", "-topk8", "-passout", "pass:s3cret"]);
    let old = openssl(&["ec", "-aes128", "-passout", "pass:s3cret"]);
    for (case, text, mode, at, words) in [
        ("closed to nobody", good[1].as_str(), 0o644, "client_key", "can be read by others"),
        ("encrypted", &encrypted, 0o600, "client_key", "is encrypted, and nobody is there to be"),
        ("encrypted in the old way", &old, 0o600, "client_key", "is encrypted, and nobody is"),
        ("another key", &other.key, 0o600, "client_key", "is not the key of the certificate in"),
        ("no key", &good[0], 0o600, "client_key", "holds no private key in PEM form"),
    ] {
        fs::write(&key, text).unwrap();
        fs::set_permissions(&key, Permissions::from_mode(mode)).unwrap();
        let checked = house.run_daemon(&["--check-config"]);
        let told = process::told(&checked);
        assert_eq!(checked.status.code(), Some(78), "{case}: {told}");
        assert!(told.contains(&format!(": instances.prod.{at}: ")), "{case}: {told}");
        assert!(told.contains(words) && !told.contains("s3cret"), "{case}: {told}");
    }
    // In each form, and both in one file.
    for form in [openssl_form(&good[1], &["ec"]), format!("{}{}", good[1], good[0])] {
        secret_file(&key, &form);
        let checked = house.run_daemon(&["--check-config"]);
        assert!(checked.status.success(), "{}", process::told(&checked));
    }

    let password = house.path("proxy");
    let top = format!("proxy_credentials_file = \"{}\"\n", password.display());
    let config = fs::read_to_string(house.config()).unwrap();
    house.write_config(&format!("{top}{config}"));
    for (text, mode, words) in [
        ("me:s3cret", 0o644, "can be read by others"),
        ("s3cret", 0o600, "is not one line USER:PASSWORD"),
    ] {
        fs::write(&password, text).unwrap();
        fs::set_permissions(&password, Permissions::from_mode(mode)).unwrap();
        let checked = house.run_daemon(&["--check-config"]);
        let told = process::told(&checked);
        assert!(told.contains(":1: proxy_credentials_file: ") && told.contains(words), "{told}");
        assert!(!told.contains("s3cret"), "{told}");
    }
}

/// A key written anew by openssl.
fn openssl_form(key: &str, words: &[&str]) -> String {
    let mut command = Command::new("openssl");
    command.args(words);
    let made = process::run(command, key, Duration::from_secs(20));
    assert!(made.status.success(), "{made:?}");
    String::from_utf8(made.stdout).unwrap()
}

/// A house whose server is found by this proxy alone, which the config names.
fn house_behind(proxy: &ConnectProxy, more: &str) -> House {
    let house = House::build(Plan { log: "trace", ..plan() });
    let named = house.simulator.url().replace("localhost", NAME);
    house.change_config(house.simulator.url(), &named);
    let keys = format!("username = \"alice\"\nproxy = \"http://127.0.0.1:{}\"\n{more}", proxy.port);
    house.change_config("username = \"alice\"", &keys);
    house
}

#[test]
fn a_proxy_of_the_config_is_used_with_the_password_in_a_file() {
    let proxy = ConnectProxy::start();
    let mut house = house_behind(&proxy, "");
    let file = house.path("proxy");
    secret_file(&file, "nobody:yet");
    let line = format!("proxy_credentials_file = \"{}\"", file.display());
    house.change_config("username = \"alice\"", &format!("username = \"alice\"\n{line}"));
    // The environment's counts for nothing then.
    let mut command = house.daemon_command();
    command.env("HTTPS_PROXY", "http://127.0.0.1:1").env("NO_PROXY", NAME);
    house.start_with(command);
    let id = house.login();
    secret_file(&file, FOR_THE_PROXY[0]);
    let token = house.token(&id);
    assert_eq!(house.logout(&id, "10s")["outcome"], "revoked");
    let seen = proxy.seen();
    assert!(seen[0].contains("proxy-authorization: Basic bm9ib2R5OnlldA=="), "{seen:?}");
    let expected = format!("proxy-authorization: Basic {}", FOR_THE_PROXY[1]);
    assert!(seen.last().unwrap().contains(&expected), "{seen:?}");
    assert!(!seen.concat().contains(&token) && !seen.concat().contains(PASSWORD), "{seen:?}");
    house.assert_no_leak();
    for secret in FOR_THE_PROXY.into_iter().chain(["pr0xy-s3cret"]) {
        let records = format!("{}{}", house.log(), house.heard());
        assert!(!records.contains(secret), "{secret}");
    }
}

#[test]
fn what_a_proxy_does_is_told_apart() {
    let proxy = ConnectProxy::start();
    let mut house = house_behind(&proxy, "");
    house.start();
    for (mood, words) in [
        (AtProxy::Refuse(407), "wants a user name and password (HTTP 407)"),
        (AtProxy::Refuse(403), "does not open the way to "),
        (AtProxy::Refuse(502), "cannot reach "),
        (AtProxy::HangUp, "hung up before the way to "),
        (AtProxy::Portal, ""),
    ] {
        let case = format!("{mood:?}");
        cut(&house);
        proxy.set(mood);
        let pending = is_told(&house, &case, words);
        proxy.set(AtProxy::Lead);
        is_revoked(&house, &case, &pending);
    }
    let port = house.simulator.url().rsplit(':').next().unwrap();
    let no_proxy = port.split('/').next().unwrap().to_owned();
    house.change_config(&proxy.port.to_string(), &no_proxy);
    assert!(house.ctl(&["reload"]).status.success());
    is_told(&house, "another server's port", "does not answer in HTTP: is its port right?");
    drop(house);

    let port = proxy.port;
    let mut house = house_behind(&proxy, "");
    drop(proxy);
    house.start();
    let nobody = format!("the proxy http://127.0.0.1:{port} refuses connections: is it up");
    is_told(&house, "nobody there", &nobody);
}

#[test]
fn with_the_password_refused_the_file_is_named() {
    let proxy = ConnectProxy::start();
    let mut house = house_behind(&proxy, "");
    let file = house.path("proxy");
    secret_file(&file, FOR_THE_PROXY[0]);
    let line = format!("proxy_credentials_file = \"{}\"", file.display());
    house.change_config("username = \"alice\"", &format!("username = \"alice\"\n{line}"));
    house.start();
    proxy.set(AtProxy::Refuse(407));
    let words = format!(
        "does not accept the user name and password in proxy_credentials_file {}",
        file.display()
    );
    let pending = is_told(&house, "refused", &words);
    let asked = proxy.seen().len();
    assert_eq!(asked, 1, "the account behind it would be locked");
    let wait = |attempts: u64| {
        eventually("more attempts", || {
            let session = house.session(&pending.0)?;
            (session["revocation"]["attempts"].as_u64()? >= attempts).then_some(session)
        })
    };
    let session = wait(3);
    let told = session["revocation"]["last_error"].as_str().unwrap();
    assert!(told.contains("they are not sent again before 20"), "{told}");
    assert_eq!(proxy.seen().len(), asked, "by no attempt");
    assert!(house.ctl(&["retry"]).status.success());
    eventually("a person's word to count", || (proxy.seen().len() == asked + 1).then_some(()));
    // The mended file does at once.
    proxy.set(AtProxy::Lead);
    secret_file(&file, "me:another");
    is_revoked(&house, "another password", &pending);
    proxy.set(AtProxy::Refuse(407));
    cut(&house);
    fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    is_told(&house, "open to others", "can be read by others (mode 0644): run chmod 600");
    fs::remove_file(&file).unwrap();
    is_told(&house, "gone", "cannot be read: No such file");
}

/// A record has what it takes, whatever becomes of the config: after a reboot, and in a drain.
#[test]
fn a_session_goes_by_its_own_proxy_and_certificate_when_its_instance_is_gone() {
    for drain in [false, true] {
        let proxy = ConnectProxy::start();
        let mut house = house_behind(&proxy, "");
        house.simulator.set_handshake(handshake(Chain::Whole, true)).unwrap();
        give_certificate(&house, &house.simulator, "recorded", Validity::Now);
        name_certificate(&house);
        house.start();
        let id = house.login();
        let token = house.token(&id);
        house.kill_9();
        house.reboot();
        let record = fs::read_to_string(&house.records()[0]).unwrap();
        let made = fs::read_to_string(house.path("client.key")).unwrap();
        assert!(
            record.contains("\"version\": 2") && !record.contains(made.lines().nth(1).unwrap())
        );
        house.write_config("keyring = \"test\"\n");
        let before = (proxy.seen().len(), house.simulator.truth().client_certificates.len());
        if drain {
            let drained = house.run_daemon(&["--drain"]);
            assert!(drained.status.success(), "{}", process::told(&drained));
        } else {
            house.start();
            assert_eq!(house.eventually_ended(&id)["outcome"], "revoked");
        }
        assert!(!house.fate(&token).alive, "{drain}");
        let after = (proxy.seen().len(), house.simulator.truth().client_certificates.len());
        assert_eq!(after, (before.0 + 1, before.1 + 1), "{drain}");
        house.simulator.truth().client_certificates.iter().for_each(|name| {
            assert_eq!(name, "recorded", "{drain}");
        });
    }
}

/// A proxy that was replaced strands no token: the config's settings for the same URL are tried as well.
#[test]
fn a_proxy_that_is_gone_strands_no_token() {
    let old = ConnectProxy::start();
    let mut house = house_behind(&old, "");
    house.start();
    let (id, token) = house.add_one();
    let port = old.port;
    drop(old);
    let new = ConnectProxy::start();
    house.change_config(&port.to_string(), &new.port.to_string());
    assert!(house.ctl(&["reload"]).status.success());
    assert_eq!(house.logout(&id, "10s")["outcome"], "revoked");
    assert!(!house.fate(&token).alive);
    assert_eq!(new.seen().len(), 1);
}

/// What is read for each connection is nowhere in memory afterwards.
/// A firewall has closed the straight way since, and the company's config names a proxy.
#[test]
fn a_proxy_that_is_needed_since_strands_no_token() {
    let proxy = ConnectProxy::start();
    let mut house = House::build(plan());
    let named = house.simulator.url().replace("localhost", NAME);
    house.change_config(house.simulator.url(), &named);
    house.start();
    let pending = house.add_one();
    assert_eq!(house.logout(&pending.0, "1s")["state"], "revoking");
    let with = format!("username = \"alice\"\nproxy = \"http://127.0.0.1:{}\"", proxy.port);
    house.change_config("username = \"alice\"", &with);
    assert!(house.ctl(&["reload"]).status.success());
    is_revoked(&house, "by the config's proxy", &pending);
}

#[test]
fn neither_the_clients_key_nor_the_proxys_password_stays_in_memory() {
    if !is_root() {
        return skipped("only root may read the daemon's memory");
    }
    let password = "7f3k2m9xq4w8-pr0xy-z6y0u3i2";
    let proxy = ConnectProxy::start();
    let mut house = house_behind(&proxy, "");
    house.simulator.set_handshake(handshake(Chain::Whole, true)).unwrap();
    give_certificate(&house, &house.simulator, "me", Validity::Now);
    secret_file(&house.path("proxy"), &format!("me:{password}\n"));
    let keys = [
        "client_cert = \"client.pem\"",
        "client_key = \"client.key\"",
        "proxy_credentials_file = \"proxy\"",
    ];
    let folder = format!("= \"{}/", house.path("").display());
    let keys = keys.join("\n").replace("= \"", &folder);
    house.change_config("username = \"alice\"", &format!("username = \"alice\"\n{keys}"));
    house.start();
    let pem = fs::read_to_string(house.path("client.key")).unwrap();
    let key: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let key = STANDARD.decode(key).unwrap();
    let basic = STANDARD.encode(format!("me:{password}"));
    let found = || {
        let pid = house.pid();
        let mut found = memory_scan::find_key(pid, &key);
        for text in [&pem, password, &basic] {
            found.extend(memory_scan::find(pid, text));
        }
        found
    };

    proxy.set(AtProxy::Hang);
    let (id, _token) = house.add_one();
    house.logout(&id, "50ms");
    eventually("a password on its way", || (!found().is_empty()).then_some(()));
    proxy.set(AtProxy::Lead);
    house.login();
    assert_eq!(house.eventually_ended(&id)["outcome"], "revoked");
    eventually("key and password to be gone", || found().is_empty().then_some(()));
}
