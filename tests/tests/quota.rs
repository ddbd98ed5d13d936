//! The kernel's quota of an ordinary user: 200 keys, 20,000 bytes. Root's would hide it, so root
//! becomes a user whom no machine has.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

use securid_tests::patience::{is_installed, is_root};
use securid_tests::process::run;
use securid_tests::programs::{programs, put_within_reach};
use securid_tests::{House, PASSWORD, Plan, eventually, within};
use serde_json::json;

/// Set for the process that is that user.
const INNER: &str = "SECURID_TESTS_INNER";

#[test]
fn nothing_acknowledged_is_hurt_by_what_does_not_fit() {
    if !is_installed("keyctl") {
        return;
    }
    if !is_root() {
        return fill_up();
    }
    let folder = tempfile::Builder::new()
        .permissions(Permissions::from_mode(0o755))
        .tempdir_in("/tmp")
        .unwrap();
    put_within_reach(&programs().daemon, folder.path());
    put_within_reach(&programs().ctl, folder.path());
    let test = put_within_reach(&std::env::current_exe().unwrap(), folder.path());
    let user = 900_000_000 + std::process::id();
    let mut command = Command::new(test);
    command.args(["--exact", "--ignored", "--nocapture", "as_that_user"]).uid(user).gid(user);
    command.env(INNER, "1").env("SECURID_BIN_DIR", folder.path()).env("TMPDIR", "/tmp");
    let output = run(command, "", Duration::from_secs(120));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stdout));
    eprint!("{told}");
}

#[test]
#[ignore = "run by the test above"]
fn as_that_user() {
    if std::env::var_os(INNER).is_some() {
        fill_up();
    }
}

fn fill_up() {
    let house = House::open(Plan { keyring: "keyutils", ..Plan::default() });
    let mut held = Vec::new();
    let refused = loop {
        let token = house.simulator.issue("alice");
        match house.try_call("session.add", json!({"token": token})) {
            Ok(taken) => held.push((taken["id"].as_str().unwrap().to_owned(), token)),
            Err(fault) => break fault,
        }
        assert!(held.len() < 201, "the kernel has no such quota");
    };
    assert_eq!(refused.code, -32005, "{refused:?}");
    assert!(refused.message.contains("20,000 bytes"), "{refused:?}");
    assert!(held.len() > 50, "only {} fitted", held.len());
    let alive = house.simulator.truth().alive().len();
    assert_eq!(alive, held.len() + 1, "a token that is not taken over stays whose it is");
    // Our own login's token, which nobody else knows, is revoked instead.
    let refused = house.refused("session.login", json!({"password": PASSWORD}));
    assert_eq!(refused.code, -32005, "{refused:?}");
    house.eventually_true("its end", |truth| truth.logins_ok == 1 && truth.alive().len() == alive);

    eventually("only the others", || (house.sessions().len() == held.len()).then_some(()));
    within(Duration::from_secs(40), "what was refused to be cleared away", || {
        (house.records().len() == held.len() && house.secrets() == held.len()).then_some(())
    });
    for (id, token) in &held {
        assert_eq!(&house.token(id), token);
    }

    // The kernel frees a key's share of the quota a little later.
    house.logout(&held.pop().unwrap().0, "10s");
    let (_, token) = within(Duration::from_secs(20), "room", || {
        let token = house.simulator.issue("alice");
        let taken = house.try_call("session.add", json!({"token": token})).ok()?;
        Some((taken, token))
    });
    assert!(house.fate(&token).alive);
    let view = house.call("session.logout", json!({"all": true, "wait": "20s"}));
    let items = view["sessions"].as_array().unwrap();
    assert_eq!(items.len(), held.len() + 1);
    assert!(items.iter().all(|item| item["outcome"] == "revoked"));
    house.eventually_empty();
}
