//! What systemd itself thinks of the units.

use securid_tests::{Machine, Plan};

/// The most that `systemd-analyze security` may find: ten times its score.
const USER_LIMIT: u32 = 20;

/// The same for the system's units, whose manager can do more.
const SYSTEM_LIMIT: u32 = 15;

#[test]
fn systemd_has_nothing_to_say_against_them() {
    let Some(machine) = Machine::boot(Plan::default()) else { return };
    // It exits 0 on unknown keys of a user's unit unless it is told to mind its own unit alone.
    let verify = "systemd-analyze verify --recursive-errors=no";
    for (run, words, units) in [
        (Machine::user as fn(&Machine, &str) -> _, "--user", "/usr/lib/systemd/user/securid-*"),
        (Machine::root, "", "/usr/lib/systemd/system/securid-sessiond@*"),
    ] {
        let output = run(&machine, &format!("cd /tmp && {verify} {words} {units}"));
        let told = String::from_utf8_lossy(&output.stderr);
        let ours: Vec<&str> = told.lines().filter(|line| line.contains("securid")).collect();
        assert!(output.status.success() && ours.is_empty(), "{units}: {told}");
    }

    for (unit, limit) in [
        ("user/securid-sessiond.service", USER_LIMIT),
        ("user/securid-logout.service", USER_LIMIT),
        ("system/securid-sessiond@.service", SYSTEM_LIMIT),
    ] {
        machine.root_ok(&format!(
            "systemd-analyze security --no-pager --offline=true --threshold={limit} \
             /usr/lib/systemd/{unit}"
        ));
    }
}
