//! A new user's first quarter of an hour, in a terminal: set up, log in at the prompt, look, use, walk away, come
//! back, log out.

use securid_tests::{PASSWORD, PATIENCE, is_installed};

use super::desk::{Desk, next_step};

#[test]
fn the_newcomer() {
    if !is_installed("curl") {
        return;
    }
    let Some(desk) = Desk::new() else { return };
    set_up(&desk);
    log_in(&desk);
    look(&desk);
    use_it(&desk);
    walk_away(&desk);
    come_back(&desk);
    log_out(&desk);
}

fn set_up(desk: &Desk) {
    desk.step("securid-ctl", 2, &["Usage"]);
    desk.set_up();
}

fn log_in(desk: &Desk) {
    desk.login(PASSWORD, 0, &["logged in as alice at prod"]);
    assert_eq!(desk.alive(), 1);
}

fn look(desk: &Desk) {
    desk.step("securid-ctl list", 0, &["prod", "alice", "active", "in 15m", "in 8h"]);
    desk.step("securid-ctl status", 0, &["1 active", "secret-service", "last contact"]);
    desk.step("securid-ctl doctor", 0, &["sessions: 1 active", "endpoint prod", "units"]);
    // Or else what is waited for is there already.
    desk.step("clear", 0, &[]);
    desk.terminal.begin("kept securid-ctl watch");
    desk.terminal.wait_for("active");
    desk.terminal.key("C-c");
    assert_eq!(desk.terminal.end().status, 130);
    assert!(desk.terminal.shows_cursor() && !desk.terminal.is_on_other_screen());
}

fn use_it(desk: &Desk) {
    let ca = desk.house.path("ca.pem");
    let users = format!(
        "securid-ctl exec -- sh -c 'printf \"Authorization: Bearer %s\" \"$SECURID_TOKEN\" | curl -sS --fail \
         --cacert {} -H @- -d \"\" \"$SECURID_URL?cmd=findUsers&format=json\"'",
        ca.display()
    );
    desk.step(&users, 0, &["alice"]);
    desk.step("securid-ctl call findUsers", 0, &["alice"]);
    let token = desk.step("securid-ctl token", 0, &[]);
    assert_eq!(desk.house.simulator.truth().alive(), [token.trim()]);
    assert_eq!(desk.house.simulator.truth().tokens[0].other_requests, 2);
}

/// A coffee, by a clock that goes fast.
fn walk_away(desk: &Desk) {
    desk.step("sed -i '1i idle_timeout = \"1s\"' .config/securid/config.toml", 0, &[]);
    desk.step("securid-ctl reload", 0, &["the config was read anew"]);
    assert!(desk.house.simulator.wait_until(PATIENCE, |truth| truth.alive().is_empty()));
    desk.step("sed -i 1d .config/securid/config.toml && securid-ctl reload", 0, &[]);
}

fn come_back(desk: &Desk) {
    let refused = desk.step("securid-ctl token", 66, &[]);
    assert_eq!(next_step(&refused), "securid-ctl login");
    desk.step("securid-ctl history", 0, &["prod", "idle", "revoked"]);
    desk.login(PASSWORD, 0, &["logged in as alice at prod"]);
    assert_eq!(desk.alive(), 1);
}

fn log_out(desk: &Desk) {
    desk.step("securid-ctl logout", 0, &["prod", "revoked"]);
    assert_eq!(desk.alive(), 0);
    desk.step("securid-ctl list", 0, &["no sessions"]);
    let history = desk.step("securid-ctl history", 0, &["request", "idle"]);
    assert_eq!(history.matches("revoked").count(), 2, "{history}");
    desk.step("securid-ctl stop", 0, &[]);
    assert_eq!(desk.house.simulator.truth().tokens.len(), 2);
}
