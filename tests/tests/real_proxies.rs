//! Through a real proxy, with a password and without, named by the environment and by the config. (What a proxy
//! may do wrong, and what it sees, is in `proxy`, with one of our own making.)
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use securid_tests::{FOR_THE_PROXY, House, Network, PASSWORD, Plan, REAL_PROXY, RealProxy};
use serde_json::json;

/// A laptop with a daemon and a proxy on the way to the server.
struct Office {
    network: Network,
    house: House,
    proxy: RealProxy,
}

impl Office {
    /// With this at the top of the config, and this as `HTTPS_PROXY`.
    fn open(closed: bool, top: &str, variable: Option<&str>) -> Option<Self> {
        let network = Network::lay()?;
        let mut house = House::build(Plan { log: "trace", ..Plan::default() });
        network.move_server(&mut house);
        network.route(true);
        let proxy = RealProxy::start(&network, &house, closed)?;
        let folder = house.path("").display().to_string();
        house
            .change_config("keyring = ", &format!("{}\nkeyring = ", top.replace("HOUSE", &folder)));
        let mut command = network.on_laptop(&house.daemon_command());
        command.envs(variable.map(|url| ("HTTPS_PROXY", url)));
        for (file, password) in [("credentials", FOR_THE_PROXY[1]), ("wrong", "another")] {
            fs::write(house.path(file), format!("{}:{password}\n", FOR_THE_PROXY[0])).unwrap();
            fs::set_permissions(house.path(file), Permissions::from_mode(0o600)).unwrap();
        }
        house.start_with(command);
        Some(Self { network, house, proxy })
    }

    /// A session's life goes through the proxy, which learns host and port.
    fn works(&self) {
        let id = self.house.login();
        let token = self.house.token(&id);
        assert_eq!(self.house.logout(&id, "10s")["outcome"], "revoked");
        assert!(!self.house.fate(&token).alive);
        let log = self.proxy.log();
        let asked = log.matches(&format!("CONNECT {}:", securid_simulator::NAME)).count();
        assert!(asked >= 2, "{log}");
        assert!(!log.contains(&token) && !log.contains(PASSWORD), "{log}");
        self.house.assert_no_leak();
        assert!(!self.house.log().contains(FOR_THE_PROXY[1]));
    }
}

#[test]
fn an_open_one() {
    let url = format!("http://{REAL_PROXY}");
    let config = format!("proxy = \"{url}\"");
    for (top, variable) in [("", Some(url.as_str())), (config.as_str(), None)] {
        let Some(office) = Office::open(false, top, variable) else { return };
        office.works();
    }
}

#[test]
fn one_with_a_password() {
    let [name, password] = FOR_THE_PROXY;
    let url = format!("http://{name}:{password}@{REAL_PROXY}");
    let config =
        format!("proxy = \"http://{REAL_PROXY}\"\nproxy_credentials_file = \"HOUSE/credentials\"");
    for (top, variable) in [("", Some(url.as_str())), (config.as_str(), None)] {
        let Some(office) = Office::open(true, top, variable) else { return };
        office.works();
    }
}

#[test]
fn a_wrong_password_and_none_are_told() {
    let config = format!("proxy = \"http://{REAL_PROXY}\"");
    let wrong = format!("{config}\nproxy_credentials_file = \"HOUSE/wrong\"");
    for (top, words) in [
        (wrong, "does not accept the user name and password"),
        (config, "wants a user name and password"),
    ] {
        let Some(office) = Office::open(true, &top, None) else { return };
        let refused = office.house.refused("session.login", json!({"password": PASSWORD}));
        assert_eq!(refused.code, -32006, "{refused:?}");
        let named = format!("the proxy http://{REAL_PROXY} {words}");
        assert!(refused.message.contains(&named), "{refused:?}");
        assert!(!refused.message.contains("another"), "{refused:?}");
    }
}

#[test]
fn one_that_dies_and_comes_back() {
    let url = format!("http://{REAL_PROXY}");
    let Some(mut office) = Office::open(false, "", Some(&url)) else { return };
    let (id, token) = office.house.add_one();
    office.proxy.kill();
    let item = office.house.logout(&id, "1400ms");
    assert_eq!(item["state"], "revoking", "{item}");
    let error = item["last_error"].as_str().unwrap();
    assert!(error.starts_with(&format!("the proxy {url} refuses connections")), "{error}");
    assert!(office.house.fate(&token).alive);
    office.proxy.start_again(&office.network);
    assert_eq!(office.house.eventually_ended(&id)["outcome"], "revoked");
    assert!(!office.house.fate(&token).alive);
}
