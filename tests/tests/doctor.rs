//! `securid-ctl doctor`: each thing broken once. The message names the cause, and what to do next; and nothing is
//! changed by looking.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use securid_simulator::{Chain, Fault, Handshake, NAME, Validity};
use securid_tests::{AtProxy, ConnectProxy, House, Plan, Prompter, Signal, timed};
use serde_json::Value;

/// What was found, and the exit status.
struct Found(Option<i32>, Vec<Value>);

fn look(house: &House) -> Found {
    let output = house.ctl(&["doctor", "--json"]);
    let said = String::from_utf8_lossy(&output.stdout);
    let view: Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{output:?}"));
    let checks = view["checks"].as_array().unwrap().clone();
    let fine = checks.iter().all(|check| check["state"] == "fine");
    assert_eq!(view["fine"], fine, "{view}");
    let status = output.status.code();
    assert_eq!(status, Some(i32::from(!fine)), "{view}");
    Found(status, checks)
}

impl Found {
    fn of(&self, check: &str) -> Vec<&Value> {
        self.1.iter().filter(|it| it["check"] == check).collect()
    }

    /// The one that is wrong of this kind names the cause and the next step.
    #[track_caller]
    fn wrong(&self, check: &str, words: &[&str], next: &str) {
        let of = self.of(check);
        let wrong: Vec<_> = of.iter().filter(|it| it["state"] == "wrong").collect();
        assert_eq!(wrong.len(), 1, "{check}: {:#?}", self.1);
        let message = wrong[0]["message"].as_str().unwrap();
        for words in words {
            assert!(message.contains(words), "{words:?} is not in {message:?}");
        }
        let told = wrong[0]["next"].as_str().unwrap_or_else(|| panic!("{:?}", wrong[0]));
        assert!(told.contains(next), "{next:?} is not in {told:?}");
    }

    /// Nothing of these kinds is wrong.
    #[track_caller]
    fn fine(&self, checks: &[&str]) {
        for check in checks {
            let of = self.of(check);
            let fine = of.iter().all(|it| it["state"] == "fine");
            assert!(!of.is_empty() && fine, "{check}: {:#?}", self.1);
        }
    }

    /// These were not looked at, for something else comes first.
    #[track_caller]
    fn left_out(&self, checks: &[&str]) {
        for check in checks {
            let of = self.of(check);
            assert!(of.len() == 1 && of[0]["state"] == "unknown", "{check}: {:#?}", self.1);
        }
    }
}

/// Every file below, and what is in it.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for path in fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()) {
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => drop(found.insert(path.clone(), fs::read(&path).unwrap())),
        }
    }
    found
}

/// Time enough for each step on a machine that is busy.
fn plan() -> Plan {
    Plan { revocation: vec![("attempt_timeout", "10s")], ..Plan::default() }
}

#[test]
fn where_all_is_well_all_is_fine_and_stays_as_it_is() {
    let house = House::open(plan());
    let id = house.login();
    let (before, session) = (files(&house.state_dir()), house.session(&id).unwrap());
    let Found(status, checks) = look(&house);
    assert_eq!(status, Some(0), "{checks:#?}");
    let names: Vec<_> = checks.iter().map(|check| check["check"].as_str().unwrap()).collect();
    let order = [
        "config",
        "socket",
        "daemon",
        "sessions",
        "reload",
        "keyring",
        "records",
        "secrets",
        "disk",
        "dns",
        "tcp",
        "tls",
        "certificate",
        "endpoint",
        "clock",
        "units",
    ];
    assert_eq!(names, order);
    let of = |name: &str| checks.iter().find(|it| it["check"] == name).unwrap()["message"].clone();
    let certificate = of("certificate").as_str().unwrap().to_owned();
    for words in
        ["\"localhost\" of \"securid-simulator issuing CA", "(root \"securid-simulator private CA"]
    {
        assert!(certificate.contains(words), "{certificate}");
    }
    assert!(of("tls").as_str().unwrap().starts_with("TLS 1.3"), "{}", of("tls"));

    // The same for people; and nothing was used, sent or written.
    let output = house.ctl(&["doctor"]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert_eq!(
        said.lines().filter(|line| line.starts_with("fine ")).count(),
        order.len(),
        "{said}"
    );
    assert_eq!(files(&house.state_dir()), before);
    assert_eq!(house.session(&id).unwrap(), session);
    let truth = house.simulator.truth();
    assert_eq!(truth.tokens.iter().map(|token| token.logout_requests).sum::<u32>(), 0);
    assert_eq!(truth.tokens.len(), 1);
    house.assert_no_leak();
}

#[test]
fn a_daemon_that_is_not_there_or_stopped_is_told_from_one_that_is() {
    let mut house = House::build(plan());
    let found = look(&house);
    found.wrong("daemon", &["no daemon is running"], "securid-ctl start");
    found.left_out(&["socket"]);
    found.fine(&["config", "keyring", "records", "disk", "endpoint"]);

    house.start();
    house.kill_9();
    let found = look(&house);
    found.wrong("socket", &["left over: nobody listens"], "securid-ctl start");
    found.wrong("daemon", &["no daemon is running"], "securid-ctl start");

    house.start();
    house.signal(Signal::STOP);
    let pid = house.pid();
    let found = look(&house);
    house.signal(Signal::CONT);
    let (what, next) = (format!("process {pid} is stopped"), format!("kill -CONT {pid}"));
    found.wrong("daemon", &[&what], &next);
    found.fine(&["socket", "keyring", "endpoint"]);

    // It has bound its socket itself, and somebody has opened it.
    fs::set_permissions(house.socket(), Permissions::from_mode(0o666)).unwrap();
    look(&house).wrong("socket", &["lets other users connect (mode 0666)"], "chmod 600 ");
    fs::set_permissions(house.socket(), Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(house.path("run"), Permissions::from_mode(0o777)).unwrap();
    let found = look(&house);
    fs::set_permissions(house.path("run"), Permissions::from_mode(0o700)).unwrap();
    found.wrong("socket", &["is not safe to use"], "Nothing was sent");
    found.left_out(&["daemon"]);
}

#[test]
fn a_config_that_is_bad_or_has_changed_is_told() {
    let house = House::open(plan());
    house.change_config("keyring = \"test\"", "keyring = \"test\"\nidle_timeout = \"1h\"");
    let found = look(&house);
    found.wrong("reload", &["goes by another config"], "securid-ctl reload");
    assert!(house.ctl(&["reload"]).status.success());
    look(&house).fine(&["reload"]);

    house.change_config("idle_timeout = \"1h\"", "idle_timeout = \"soon\"");
    let place = format!("{}:2: idle_timeout", house.config().display());
    look(&house).wrong("config", &[&place], "securid-sessiond --check-config");
    house.change_config("idle_timeout = \"soon\"", "on_lock = \"revoke\"");
    look(&house).fine(&["config"]);
    // Nothing tells of locked screens where there is no logind.
    look(&house).wrong("logind", &["on_lock or on_suspend"], "systemctl status systemd-logind");
    house.write_config("keyring = \"test\"\n");
    look(&house).wrong("config", &["no server is named"], "[instances.NAME]");
}

#[test]
fn records_and_secrets_that_do_not_fit_together_are_told() {
    let mut house = House::open(plan());
    let [(lost, _), (orphan, _), (damaged, _)] = &house.add_many(3)[..] else { unreachable!() };
    house.lose(lost);
    look(&house).wrong("secrets", &[lost, "its token is not there"], "securid-ctl logout");

    house.kill_9();
    let record = |id: &str| house.state_dir().join(format!("sessions/{id}.json"));
    fs::remove_file(record(orphan)).unwrap();
    fs::write(record(damaged), "{").unwrap();
    let before = files(&house.state_dir());
    let found = look(&house);
    assert_eq!(files(&house.state_dir()), before);
    found.wrong("records", &[damaged, "is damaged"], "securid-ctl restart");
    let orphans = found.of("secrets");
    let told = |id: &str| orphans.iter().any(|it| it["message"].as_str().unwrap().contains(id));
    assert!(told(orphan) && told(lost) && !told(damaged), "{orphans:#?}");

    // The next start sees to both, and leaves the damaged file for a person to look at.
    house.start();
    let found = look(&house);
    found.fine(&["records"]);
    found.wrong("damaged", &["set aside: 1"], "ls -l ");

    fs::set_permissions(house.state_dir(), Permissions::from_mode(0o755)).unwrap();
    look(&house).wrong("disk", &["is open to others (mode 0755)"], "chmod 700 ");
    fs::set_permissions(house.state_dir(), Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn a_locked_keyring_is_told_and_nobody_is_asked() {
    let plan = Plan { keyring: "secret-service", ..plan() };
    let Some(house) = House::with_gnome_keyring(plan) else { return };
    let id = house.login();
    look(&house).fine(&["keyring", "secrets"]);
    let keyring = house.secret_service.as_ref().unwrap();
    let prompter = Prompter::start(keyring);
    keyring.lock();
    let found = look(&house);
    found.wrong("keyring", &["is locked"], "securid-ctl login");
    found.left_out(&["secrets"]);
    assert_eq!(prompter.calls(), 0);
    keyring.unlock();
    look(&house).fine(&["keyring", "secrets"]);
    assert!(house.session(&id).is_some());
}

#[test]
fn the_key_of_the_sealed_file_is_told() {
    let mut house = House::open(Plan { keyring: "sealed-file", ..plan() });
    house.login();
    look(&house).fine(&["keyring", "secrets"]);
    assert!(house.terminate_keeping().success());
    let config = fs::read_to_string(house.config()).unwrap();
    let key = config.lines().find_map(|line| line.strip_prefix("key_file = ")).unwrap();
    let key = PathBuf::from(key.trim_matches('"'));
    fs::set_permissions(&key, Permissions::from_mode(0o644)).unwrap();
    let found = look(&house);
    found.wrong("keyring", &["is not safe: it is open to others"], "chmod 600");
    fs::remove_file(&key).unwrap();
    let made = house.run_daemon(&["--make-key", &key.to_string_lossy()]);
    assert!(made.status.success(), "{made:?}");
    let found = look(&house);
    found.wrong("keyring", &["was sealed with another key"], "Put the right key back");
}

#[test]
fn each_step_on_the_way_to_a_server_is_told() {
    let house = House::open(plan());
    let show = |chain| {
        let handshake = Handshake { chain, wants_certificate: false };
        house.simulator.set_handshake(handshake).unwrap();
        look(&house)
    };
    let found = show(Chain::OfAnotherCa);
    found.wrong("tls", &["not trusted", "securid-simulator"], "ca_file");
    found.left_out(&["endpoint", "clock"]);
    found.fine(&["dns", "tcp", "daemon"]);
    show(Chain::OfAnotherTime(Validity::Past)).wrong("tls", &["out of date"], "clock");
    show(Chain::OfAnotherName).wrong("tls", &["for elsewhere.example, and not for"], "url");
    let found = show(Chain::OfAnotherTime(Validity::Soon));
    found.wrong("certificate", &["in 10 days"], "those who run the server");
    found.fine(&["tls", "endpoint", "clock"]);
    show(Chain::Whole).fine(&["tls", "certificate", "endpoint", "clock"]);

    let meet = |fault: &str| {
        house.simulator.set_fault(Some(fault.parse().unwrap()));
        look(&house)
    };
    let found = meet("status:403");
    found.wrong(
        "endpoint",
        &["forbidden (HTTP 403): are web services switched on"],
        "web services",
    );
    found.fine(&["tls", "clock"]);
    meet("captive-portal").wrong("endpoint", &["a web page instead"], "url");
    let found = meet("clock-ahead:90s");
    found.wrong("clock", &["ahead of this machine's"], "timedatectl");
    found.fine(&["endpoint"]);
    let found = meet("clock-ahead:10s");
    found.fine(&["clock"]);
    assert!(found.of("clock")[0]["message"].as_str().unwrap().contains("ahead of"));
    let found = meet("down");
    found.wrong("tcp", &["refuses connections"], "host and port");
    found.left_out(&["tls", "endpoint", "clock"]);
    house.simulator.set_fault(None);
}

#[test]
fn names_and_proxies_that_lead_nowhere_are_told() {
    let house = House::build(plan());
    let named = house.simulator.url().replace("localhost", NAME);
    house.change_config(house.simulator.url(), &named);
    let found = look(&house);
    found.wrong("dns", &[NAME, "has no address"], &format!("getent hosts {NAME}"));
    found.left_out(&["tcp", "tls", "endpoint", "clock"]);

    let proxy = ConnectProxy::start();
    let password = house.path("proxy-password");
    fs::write(&password, "me:pr0xy-s3cret").unwrap();
    fs::set_permissions(&password, Permissions::from_mode(0o600)).unwrap();
    let keys = format!(
        "username = \"alice\"\nproxy = \"http://127.0.0.1:{}\"\nproxy_credentials_file = \"{}\"",
        proxy.port,
        password.display()
    );
    house.change_config("username = \"alice\"", &keys);
    look(&house).fine(&["dns", "proxy", "tls", "endpoint"]);
    proxy.set(AtProxy::Refuse(407));
    let found = look(&house);
    found.wrong("proxy", &["does not accept the user name and password"], "proxy_credentials_file");
    found.left_out(&["tls", "endpoint"]);
    assert!(!format!("{:?}", found.1).contains("pr0xy-s3cret"));
}

#[test]
fn our_own_certificate_is_told_before_it_ends() {
    let house = House::build(plan());
    let handshake = Handshake { chain: Chain::Whole, wants_certificate: true };
    house.simulator.set_handshake(handshake).unwrap();
    let made = house.simulator.client_certificate("anna", Validity::Soon).unwrap();
    let [cert, key] = ["client.pem", "client.key"].map(|name| house.path(name));
    fs::write(&cert, made.chain).unwrap();
    fs::write(&key, made.key).unwrap();
    fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
    look(&house).wrong("tls", &["asks for a client certificate"], "client_cert");
    let (cert, key) = (cert.display(), key.display());
    let keys = format!("username = \"alice\"\nclient_cert = \"{cert}\"\nclient_key = \"{key}\"");
    house.change_config("username = \"alice\"", &keys);
    let found = look(&house);
    found.wrong("client-certificate", &["\"anna\"", "in 10 days"], "client_cert");
    found.fine(&["tls", "endpoint"]);
}

/// Daemon, keyring and server at once.
#[test]
fn with_everything_hanging_it_ends_all_the_same() {
    // An attempt takes a second at most.
    let house = House::open(Plan::default());
    house.login();
    house.simulator.set_fault(Some(Fault::Hang));
    house.set_keyring_fault(Some("hang"));
    house.signal(Signal::STOP);
    let (found, took) = timed(|| look(&house));
    house.signal(Signal::CONT);
    assert!(took < Duration::from_secs(30), "{took:?}");
    found.wrong("daemon", &["is stopped"], "kill -CONT");
    found.wrong("keyring", &["does not answer"], "");
    found.wrong("endpoint", &["no answer within 1s"], "doctor");
    house.set_keyring_fault(None);
    house.simulator.set_fault(None);
}
