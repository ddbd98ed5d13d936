//! The newcomer's first login with each thing broken once: the message names the cause and the next step, and that
//! very step mends it.

use securid_simulator::Fault;
use securid_tests::PASSWORD;

use super::desk::{Desk, next_step, setup};

/// Whoever cannot log in is told so before a password is asked for.
const LOGIN: &str = "kept securid-ctl login";

const WELCOME: &[&str] = &["logged in as alice at prod"];

#[test]
fn no_daemon() {
    let Some(desk) = Desk::new() else { return };
    desk.set_up();
    desk.step("securid-ctl stop", 0, &[]);
    let said = desk.step(LOGIN, 69, &["no daemon is running"]);
    desk.step(&next_step(&said), 0, &[]);
    desk.login(PASSWORD, 0, WELCOME);
}

#[test]
fn a_host_that_nobody_knows() {
    let Some(desk) = Desk::new() else { return };
    desk.set_up_with(&setup("https://nowhere.invalid/aveksa", ""));
    let said =
        desk.step(LOGIN, 68, &["the host of https://nowhere.invalid:443 has no address", "url"]);
    desk.doctor_tells(&said, "dns", "nowhere.invalid");
    desk.set_up_again();
    desk.login(PASSWORD, 0, WELCOME);
}

#[test]
fn a_port_where_nobody_listens() {
    let Some(desk) = Desk::new() else { return };
    desk.set_up();
    desk.house.simulator.set_fault(Some(Fault::Down));
    let said = desk.step(LOGIN, 68, &["refuses connections"]);
    desk.doctor_tells(&said, "tcp", "refuses connections");
    desk.house.simulator.set_fault(None);
    desk.login(PASSWORD, 0, WELCOME);
}

/// The right server, another program's page.
#[test]
fn a_page_that_is_no_web_service() {
    let Some(desk) = Desk::new() else { return };
    let url = desk.house.simulator.url().replace("/aveksa", "/wiki");
    let more = format!("--ca-file {}", desk.house.path("ca.pem").display());
    desk.set_up_with(&setup(&url, &more));
    let said = desk.login(PASSWORD, 1, &["HTTP 404", "url"]);
    desk.doctor_tells(&said, "endpoint", "HTTP 404");
    desk.set_up_again();
    desk.login(PASSWORD, 0, WELCOME);
}

/// A hotel's page in the place of every other.
#[test]
fn a_page_of_a_captive_portal() {
    let Some(desk) = Desk::new() else { return };
    desk.set_up();
    desk.house.simulator.set_fault(Some(Fault::CaptivePortal));
    let page = "a web page instead of the command's reply";
    let said = desk.step(LOGIN, 1, &[page, "captive portal"]);
    desk.doctor_tells(&said, "endpoint", page);
    desk.house.simulator.set_fault(None);
    desk.login(PASSWORD, 0, WELCOME);
}

#[test]
fn a_wrong_password() {
    let Some(desk) = Desk::new() else { return };
    desk.set_up();
    let said = desk.login("wrong horse", 77, &["the login of alice at prod was refused"]);
    assert_eq!(next_step(&said), "securid-ctl login");
    desk.login(PASSWORD, 0, WELCOME);
}

#[test]
fn a_certificate_that_is_not_trusted() {
    let Some(desk) = Desk::new() else { return };
    desk.set_up_with(&setup(desk.house.simulator.url(), ""));
    let said = desk.step(LOGIN, 68, &["the server's certificate is not trusted", "ca_file"]);
    desk.doctor_tells(&said, "tls", "the server's certificate is not trusted");
    desk.set_up_again();
    desk.login(PASSWORD, 0, WELCOME);
}

#[test]
fn a_locked_keyring() {
    let Some(desk) = Desk::new() else { return };
    desk.set_up();
    desk.keyring.lock();
    desk.login(PASSWORD, 74, &["the keyring (secret-service) is locked", "Unlock the keyring"]);
    desk.keyring.unlock();
    desk.login(PASSWORD, 0, WELCOME);
}
