//! Where the sandboxed daemon keeps secrets, and where it refuses to.

use securid_tests::process::told;
use securid_tests::{Machine, PASSWORD, Plan, USER, eventually};

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
    assert_eq!(machine.ctl("list")["sessions"][0]["keyring"], keyring);
    let token = machine.user_ok("securid-ctl token");
    assert_eq!(machine.simulator.truth().alive(), [token.trim()]);
    machine.user_ok("securid-ctl logout");
    assert_eq!(machine.simulator.truth().alive(), [""; 0]);
}

/// A server without a desktop: the user's manager has no part in it, and the key is the machine's.
#[test]
fn a_system_unit_with_a_credential() {
    let plan = Plan { keyring: "auto", ..Plan::default() };
    let Some(mut machine) = Machine::boot(plan) else { return };
    seal_a_key(&machine);
    let uid = machine.uid();
    machine.root_ok(&format!("systemctl enable --now securid-sessiond@{uid}.service"));
    let id = machine.login();
    assert_eq!(machine.ctl("list")["sessions"][0]["keyring"], "sealed-file");
    let state = machine.root_ok(&format!("ls -l /var/lib/securid/{uid}"));
    assert!(state.contains(".sealed"), "{state}");
    let token = machine.user_ok("securid-ctl token").trim().to_owned();

    // Nobody is told that there is nothing to do only because nobody can be asked.
    machine
        .root_ok(&format!("kill -9 $(systemctl show -P MainPID securid-sessiond@{uid}.service)"));
    machine.root_ok(&format!("systemctl stop securid-sessiond@{uid}.socket"));
    let refused = machine.user("securid-ctl logout");
    assert_eq!(refused.status.code(), Some(69), "{refused:?}");
    assert!(told(&refused).contains(&format!("/var/lib/securid/{uid}: 1")), "{refused:?}");

    machine.pull_the_plug();
    assert_eq!(machine.simulator.truth().alive(), [token.as_str()]);
    machine.boot_again();
    machine.eventually_dead(&token);
    let ended = machine.ctl("history")["sessions"][0].clone();
    assert_eq!((&ended["id"], &ended["reason"]), (&id.into(), &"shutdown".into()));

    machine.login();
    machine.power_off();
    assert_eq!(machine.simulator.truth().alive(), [""; 0]);
}

/// systemd gives the socket to its user by its path. Whoever could put a link into its place in between would
/// be given the link's target, any file of root's.
#[test]
fn nobody_but_root_can_replace_the_socket_of_a_system_unit() {
    let Some(machine) = Machine::boot(Plan::default()) else { return };
    let uid = machine.uid();
    machine.root_ok(&format!("systemctl start securid-sessiond@{uid}.socket"));
    let folder = format!("/run/securid/{uid}");
    let owners = machine.root_ok(&format!("stat -c '%u %a' {folder} {folder}/sessiond.sock"));
    assert_eq!(owners, format!("0 755\n{uid} 600\n"));
    let replaced = machine.user(&format!("ln -sfn /etc/shadow {folder}/sessiond.sock"));
    assert!(!replaced.status.success(), "{replaced:?}");
}

/// Such a unit starts without a key as well: it refuses what it could not keep, and says what to do.
#[test]
fn a_system_unit_without_one() {
    let plan = Plan { keyring: "auto", ..Plan::default() };
    let Some(machine) = Machine::boot(plan) else { return };
    machine.root_ok(&format!("systemctl start securid-sessiond@{}.socket", machine.uid()));
    let refused = machine.user_with("securid-ctl login --password-stdin", PASSWORD);
    assert_eq!(refused.status.code(), Some(74), "{refused:?}");
    assert!(told(&refused).contains("sealed file"), "{refused:?}");
    assert_eq!(machine.simulator.truth().logins_ok, 0);
}

/// The machine's config counts, and what it enforces, although its owner has no number in the sandbox.
#[test]
fn the_config_of_the_machine() {
    let plan = Plan { keyring: "sealed-file", ..Plan::default() };
    let Some(machine) = Machine::boot(plan) else { return };
    machine.write("/etc/securid/config.toml", "max_lifetime = \"400d\"\n");
    let loose = "[Service]\nEnvironment=SECURID_IDLE_TIMEOUT=1h\n";
    machine.drop_in("securid-sessiond.service", loose);
    machine.enable_units();
    machine.login();
    let session = machine.ctl("list")["sessions"][0].clone();
    let year = |key: &str| session[key].as_str().unwrap()[..4].to_owned();
    assert_ne!(year("expires_at"), year("created_at"));

    // What is enforced counts at a reload, whatever the unit's environment says.
    let token = machine.add();
    machine.write("/etc/securid/config.d/50.toml", "[enforced]\nidle_timeout = \"1s\"\n");
    machine.user_ok("systemctl --user reload securid-sessiond.service");
    machine.eventually_dead(&token);
    // The user has a number in there: a file of his is none of the machine's.
    machine.root_ok(&format!("chown {USER} /etc/securid/config.d/50.toml"));
    let refused = machine.user("securid-ctl reload");
    assert_eq!(refused.status.code(), Some(78), "{refused:?}");
    assert!(told(&refused).contains("/etc/securid/config.d/50.toml: "), "{refused:?}");
}

/// The sandbox lets it write to the usual place alone; another is the person's to name.
#[test]
fn a_state_folder_elsewhere() {
    let plan = Plan { keyring: "sealed-file", ..Plan::default() };
    let Some(machine) = Machine::boot(plan) else { return };
    let folder = format!("/home/{USER}/elsewhere/securid");
    machine.user_ok(&format!(
        "mkdir -p -m 700 {folder} && systemctl --user set-environment \
         XDG_STATE_HOME=$(dirname {folder})"
    ));
    let drop_in = format!("[Service]\nReadWritePaths={folder}\n");
    machine.drop_in("securid-sessiond.service", &drop_in);
    machine.enable_units();
    machine.login();
    assert_eq!(machine.user_ok(&format!("ls {folder}/sessions | wc -l")).trim(), "1");
    machine.user_ok("securid-ctl logout");
}

/// Kernel keyrings are others in the sandbox: what a daemon outside has stored there is neither lost nor
/// forgotten when the unit takes over.
#[test]
fn the_kernels_keyring_is_left_to_a_daemon_outside() {
    let plan = Plan { keyring: "auto", ..Plan::default() };
    let Some(machine) = Machine::boot(plan) else { return };
    machine.user_ok("setsid securid-sessiond </dev/null >/dev/null 2>&1 & exit 0");
    let started = || machine.user("securid-ctl status").status.success().then_some(());
    eventually("a daemon by hand", started);
    let id = machine.login();
    assert_eq!(machine.ctl("list")["sessions"][0]["keyring"], "keyutils");
    machine.user_ok("securid-ctl stop --keep");
    let ended = || (machine.user("securid-ctl status").status.code() == Some(69)).then_some(());
    eventually("its end", ended);

    machine.enable_units();
    let session = machine.ctl("list")["sessions"][0].clone();
    assert_eq!((&session["id"], &session["state"]), (&id.as_str().into(), &"active".into()));
    let to_do = "systemctl --user stop securid-sessiond.socket securid-sessiond.service";
    let told_to = |problem: &serde_json::Value| problem.as_str().unwrap().contains(to_do);
    let status = eventually("what is to be done", || {
        let status = machine.ctl("status");
        status["problems"].as_array().unwrap().iter().any(told_to).then_some(status)
    });
    assert!(status.to_string().contains("securid-sessiond --drain"), "{status}");
    let refused = machine.user_with("securid-ctl login --password-stdin", PASSWORD);
    assert_eq!(refused.status.code(), Some(74), "{refused:?}");
    assert!(told(&refused).contains("securid-ctl setup"), "{refused:?}");
    assert_eq!(machine.simulator.truth().alive().len(), 1);

    machine.user_ok(&format!("{to_do} && securid-sessiond --drain"));
    assert_eq!(machine.simulator.truth().alive(), [""; 0]);
    machine.user_ok("systemctl --user start securid-sessiond.socket");
    assert_eq!(machine.ctl("history")["sessions"][0]["outcome"], "revoked");
}

/// As an administrator does it.
fn seal_a_key(machine: &Machine) {
    machine.root_ok(
        "mkdir -m 700 /etc/credstore.encrypted && securid-sessiond --make-key - | systemd-creds \
         encrypt --with-key=host --name=securid-store-key - /etc/credstore.encrypted/securid-store-key",
    );
}
