//! `securid-ctl doctor` where systemd runs the daemon: the same machine before `setup`, after it, and with what an
//! earlier one has left behind.

use securid_tests::{Machine, Plan};
use serde_json::Value;

fn look(machine: &Machine) -> (Option<i32>, Value) {
    let output = machine.user("securid-ctl doctor --json");
    let view = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    (output.status.code(), view)
}

fn of<'a>(view: &'a Value, check: &str, about: &str) -> &'a Value {
    let mut checks = view["checks"].as_array().unwrap().iter();
    let found = checks.find(|it| it["check"] == check && it["about"] == about);
    found.unwrap_or_else(|| panic!("no {check} {about}: {view:#}"))
}

#[test]
fn units_are_told_that_are_not_there_not_enabled_or_an_earlier_setups() {
    let Some(machine) = Machine::boot(Plan { keyring: "sealed-file", ..Plan::default() }) else {
        return;
    };
    let service = "securid-sessiond.service";
    let (status, view) = look(&machine);
    assert_eq!(status, Some(1), "{view:#}");
    let unit = of(&view, "units", service);
    assert_eq!((&unit["state"], &unit["next"]), (&"wrong".into(), &"securid-ctl setup".into()));
    assert_eq!(unit["message"], "it is disabled, not enabled");
    assert_eq!(of(&view, "daemon", "")["next"], "securid-ctl start");

    // In its sandbox the daemon goes by the same config and reaches the same keyring.
    machine.user_ok("securid-ctl setup");
    machine.login();
    let (status, view) = look(&machine);
    assert_eq!((status, &view["fine"]), (Some(0), &true.into()), "{view:#}");
    let unit = of(&view, "units", service)["message"].as_str().unwrap().to_owned();
    assert!(unit.starts_with("enabled, active, runs /usr/bin/securid-sessiond: "), "{unit}");
    assert_eq!(of(&view, "linger", "")["state"], "fine");
    assert_eq!(machine.simulator.truth().alive().len(), 1);

    machine.user_ok(
        "mkdir -p ~/.config/systemd/user && cd ~/.config/systemd/user
         printf '[Service]\\nExecStart=/bin/true\\n' > text
         sum=$(sha256sum < text | cut -d' ' -f1)
         head='# Written by securid-ctl setup, which leaves it alone once it is changed. sha256'
         { echo \"$head $sum\"; cat text; } > securid-sessiond.service
         rm text",
    );
    let unit = of(&look(&machine).1, "units", service).clone();
    assert!(unit["message"].as_str().unwrap().ends_with("and covers the package's"), "{unit}");
    machine.user_ok("securid-ctl setup");
    assert_eq!(of(&look(&machine).1, "units", service)["state"], "fine");

    machine.user_ok("systemctl --user mask securid-logout.service");
    let (_, view) = look(&machine);
    let logout = of(&view, "units", "securid-logout.service");
    assert_eq!(logout["next"], "systemctl --user unmask securid-logout.service", "{logout}");
}
