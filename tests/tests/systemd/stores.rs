//! Where the sandboxed daemon keeps secrets.

use securid_tests::{Machine, Plan};

#[test]
fn gnome_keyring() {
    log_in_and_out("secret-service");
}

#[test]
fn the_sealed_file() {
    log_in_and_out("sealed-file");
}

fn log_in_and_out(keyring: &'static str) {
    let Some(machine) = Machine::boot(Plan { keyring, ..Plan::default() }) else { return };
    machine.enable_units();
    machine.login();
    let session = &machine.ctl("list")["sessions"][0];
    assert_eq!(session["keyring"], keyring);
    let token = machine.user_ok("securid-ctl token");
    assert_eq!(machine.simulator.truth().alive(), [token.trim()]);
    machine.user_ok("securid-ctl logout");
    assert_eq!(machine.simulator.truth().alive(), [""; 0]);
}
