//! `securid-ctl setup`, `start`, `restart` and `stop` where systemd runs the daemon.

use std::fs;
use std::process::Output;
use std::time::Duration;

use securid_simulator::Fault;
use securid_tests::{Machine, Plan, process::told, timed};
use serde_json::{Value, json};

/// One whose units are a package's, and who has a key.
fn packaged() -> Option<Machine> {
    Machine::boot(Plan { keyring: "sealed-file", ..Plan::default() })
}

/// One without a package: the programs are in the user's home, and there is no config.
fn unpackaged() -> Option<Machine> {
    let machine = Machine::boot(Plan { keyring: "auto", ..Plan::default() })?;
    machine.root_ok(
        "rm /usr/lib/systemd/user/securid-* /home/tu/.config/securid/config.toml
         install -D -o tu -t /home/tu/bin /usr/bin/securid-sessiond /usr/bin/securid-ctl
         rm /usr/bin/securid-sessiond /usr/bin/securid-ctl
         ln -s /home/tu/bin/securid-ctl /usr/bin/securid-ctl
         systemctl --user -M tu@ daemon-reload",
    );
    Some(machine)
}

fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

/// The units of ours that are enabled.
fn enabled(machine: &Machine) -> usize {
    let units = "securid-sessiond.socket securid-sessiond.service securid-logout.service";
    let states = machine.user(&format!("systemctl --user is-enabled {units}"));
    let states = String::from_utf8_lossy(&states.stdout).into_owned();
    states.lines().filter(|state| *state == "enabled").count()
}

/// Kind and object of each step.
fn steps(report: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let steps = report["steps"].as_array().unwrap_or_else(|| panic!("{report}"));
    steps.iter().map(|step| (text(&step["step"]), text(&step["about"]))).collect()
}

#[test]
fn a_packages_units_are_enabled_and_the_daemon_restarted_started_and_stopped() {
    let Some(machine) = packaged() else { return };
    let shown = machine.ctl("setup --print");
    assert_eq!((&shown["done"], enabled(&machine)), (&json!(false), 0), "{shown}");
    // Though nobody reads to the end.
    machine.user_ok("securid-ctl setup | true");
    assert_eq!(enabled(&machine), 3);
    machine.user_ok("securid-ctl setup --remove");

    let done = machine.ctl("setup");
    assert_eq!(steps(&shown), steps(&done));
    assert_eq!((&done["done"], enabled(&machine)), (&json!(true), 3), "{done}");
    assert!(steps(&done).iter().all(|(step, _)| step != "write" && step != "make-key"), "{done}");
    let id = machine.login();
    let daemon = machine.daemon().expect("it runs");

    machine.user_ok("securid-ctl setup");
    assert_eq!(machine.daemon(), Some(daemon), "twice is the same as once");
    assert_eq!(machine.ctl("start")["already"], true);
    assert_eq!(machine.ctl("start")["pid"], daemon);

    // As a package's script does it: with root's environment, without a runtime folder.
    let said = machine.root_ok("HOME=/root runuser -u tu -- securid-ctl restart --json");
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((&said["kept"], &said["had"]), (&json!(1), &json!(1)), "{said}");
    assert_ne!(machine.daemon(), Some(daemon));
    assert_eq!(machine.daemon().map(Value::from), Some(said["pid"].clone()));
    assert_eq!(machine.ctl("list")["sessions"][0]["id"], id);
    assert_eq!(machine.simulator.truth().alive().len(), 1);

    let stopped = machine.ctl("stop");
    assert_eq!(stopped, json!({"keep": false, "activated": true}));
    assert_eq!(machine.simulator.truth().alive(), [""; 0]);
    assert_eq!(machine.ctl("list")["sessions"], json!([]), "its socket has started it again");

    machine.user_ok("systemctl --user stop securid-sessiond.socket securid-sessiond.service");
    assert_eq!(machine.ctl("start")["already"], false);
    let daemon = machine.daemon();
    assert!(daemon.is_some(), "systemd has started it");

    // A bad config is told, with its socket or without, and stops nothing.
    machine.change_config("username = ", "usrname = ");
    let refused = machine.user("securid-ctl restart");
    assert_eq!((code(&refused), machine.daemon()), (Some(78), daemon), "{}", told(&refused));
    for stop in ["securid-sessiond.service", "securid-sessiond.socket securid-sessiond.service"] {
        machine.user_ok(&format!("systemctl --user stop {stop}"));
        let refused = machine.user("securid-ctl start");
        assert_eq!(code(&refused), Some(78), "{stop}: {}", told(&refused));
        assert!(told(&refused).contains("usrname"), "{stop}: {}", told(&refused));
    }
}

#[test]
fn what_is_not_dead_is_not_set_down() {
    let Some(machine) = packaged() else { return };
    machine.user_ok("securid-ctl setup");
    machine.login();
    machine.simulator.set_fault_for("logoutUser", Some(Fault::Status(503)));
    let refused = machine.user("securid-ctl setup --remove");
    assert_eq!(code(&refused), Some(75), "{}", told(&refused));
    assert!(told(&refused).contains("nothing was removed"), "{}", told(&refused));
    assert_eq!(enabled(&machine), 3);
    assert!(machine.daemon().is_some());

    machine.simulator.set_fault_for("logoutUser", None);
    for _ in 0..2 {
        machine.user_ok("securid-ctl setup --remove");
        assert_eq!((enabled(&machine), machine.daemon()), (0, None));
    }
    assert_eq!(machine.simulator.truth().alive(), [""; 0]);
    let config = machine.path("/home/tu/.config/securid/config.toml");
    assert!(config.exists(), "a person has written it");
    assert!(machine.path("/usr/lib/systemd/user/securid-sessiond.service").exists());
}

#[test]
fn without_a_package_units_config_and_key_are_written() {
    let Some(machine) = unpackaged() else { return };
    let home = |name: &str| machine.path(&format!("/home/tu/.config/{name}"));
    let url = machine.simulator.url().to_owned();

    // Where systemd does not look nothing is written.
    let astray =
        machine.user("XDG_CONFIG_HOME=/home/tu/astray securid-ctl setup --url https://h/aveksa");
    assert_eq!(code(&astray), Some(1), "{}", told(&astray));
    assert!(told(&astray).contains("XDG_CONFIG_HOME"), "{}", told(&astray));
    assert!(!machine.path("/home/tu/astray").exists());

    // A config that is bad is taken back, with all that belongs to it.
    let bad = machine.user("securid-ctl setup --url ftp://h");
    assert_eq!(code(&bad), Some(78), "{}", told(&bad));
    assert!(told(&bad).contains("was taken back"), "{}", told(&bad));
    assert!(told(&bad).contains("url"), "{}", told(&bad));
    assert_eq!(fs::read_dir(home("securid")).unwrap().count(), 0);
    assert!(!home("systemd/user/securid-sessiond.service").exists());

    let setup = format!("setup --url {url} --instance prod --username alice --ca-file ca.pem");
    let setup =
        |more: &str| machine.user(&format!("cd /etc/securid && securid-ctl {setup} {more}"));
    let shown = setup("--print");
    assert!(shown.status.success(), "{}", told(&shown));
    assert!(!home("securid/config.toml").exists() && !home("securid/key").exists());
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("ExecStart=/home/tu/bin/securid-sessiond\n"), "{shown}");
    assert!(shown.contains("ca_file = \"/etc/securid/ca.pem\""), "{shown}");

    let done = setup("");
    assert!(done.status.success(), "{}", told(&done));
    assert_eq!(enabled(&machine), 3);
    machine.login();
    assert_eq!(machine.ctl("list")["sessions"][0]["keyring"], "sealed-file");

    // So is a correction that is bad: all is as it was, and the key of what is kept is left alone.
    let config = || fs::read_to_string(home("securid/config.toml")).unwrap();
    let key = || fs::read(home("securid/key")).unwrap();
    let before = (config(), key());
    let bad = machine.user("securid-ctl setup --url ftp://h --instance prod");
    assert_eq!(code(&bad), Some(78), "{}", told(&bad));
    assert!(String::from_utf8_lossy(&bad.stdout).contains("updated "), "{bad:?}");
    assert!(told(&bad).contains("was taken back"), "{}", told(&bad));
    assert_eq!((config(), key()), before);
    assert_eq!(fs::read_dir(home("securid")).unwrap().count(), 2);

    // Twice is the same as once, and what a person has changed stays.
    let unit = home("systemd/user/securid-sessiond.service");
    let written = fs::read_to_string(&unit).unwrap();
    let again: Value = serde_json::from_slice(&setup("--json").stdout).unwrap();
    assert!(
        steps(&again).iter().all(|(step, _)| !["write", "update", "make-key"].contains(&&**step)),
        "{again}"
    );
    assert_eq!(fs::read_to_string(&unit).unwrap(), written);
    let socket = home("systemd/user/securid-sessiond.socket");
    let changed = fs::read_to_string(&socket).unwrap() + "# mine\n";
    fs::write(&socket, &changed).unwrap();

    // One that an older version has written is brought up to date.
    machine.user_ok("mv ~/bin ~/programs");
    machine.root_ok("ln -sf /home/tu/programs/securid-ctl /usr/bin/securid-ctl");
    let moved: Value = serde_json::from_slice(&setup("--json").stdout).unwrap();
    let updated = steps(&moved).into_iter().filter(|(step, _)| step == "update").count();
    assert_eq!(updated, 2, "{moved}");
    assert!(fs::read_to_string(&unit).unwrap().contains("=/home/tu/programs/securid-sessiond"));
    assert_eq!(fs::read_to_string(&socket).unwrap(), changed);
    assert_eq!(machine.ctl("restart")["kept"], 1);

    // A shell whose state folder is another than the unit's sees no record of this session.
    machine.simulator.set_fault(Some(Fault::Down));
    let refused = machine.user("XDG_STATE_HOME=/tmp/elsewhere securid-ctl setup --remove");
    assert_eq!(code(&refused), Some(75), "{}", told(&refused));
    assert!(home("securid/key").exists() && home("securid/config.toml").exists());
    machine.simulator.set_fault(None);

    machine.user_ok("securid-ctl setup --remove");
    assert_eq!(machine.simulator.truth().alive(), [""; 0]);
    assert!(!unit.exists() && !home("securid/config.toml").exists());
    assert!(socket.exists(), "it was changed");
    assert!(home("securid/key").exists(), "there is a sealed file");
}

#[test]
fn for_all_users() {
    let Some(machine) = unpackaged() else { return };
    machine.root_ok("chmod 700 /home/tu && chown -R root /home/tu/bin");
    let refused = machine.root("securid-ctl setup --global");
    assert_eq!(code(&refused), Some(1), "{}", told(&refused));
    assert!(told(&refused).contains("other users cannot run"), "{}", told(&refused));
    // All users would run what one of them puts there.
    machine.root_ok("chmod 755 /home/tu");
    let refused = machine.root("securid-ctl setup --global");
    assert_eq!(code(&refused), Some(1), "{}", told(&refused));
    assert!(told(&refused).contains("a user can replace"), "{}", told(&refused));
    let refused = machine.user("securid-ctl setup --global");
    assert_eq!(code(&refused), Some(1), "{}", told(&refused));

    machine.root_ok("install -t /usr/local/bin /home/tu/bin/*; rm /usr/bin/securid-ctl");
    let url = machine.simulator.url().to_owned();
    let setup = format!("securid-ctl setup --global --url {url} --ca-file /etc/securid/ca.pem");
    let setup = format!("PATH=$PATH:/usr/local/bin; {setup}");
    for _ in 0..2 {
        machine.root_ok(&setup);
    }
    machine.user_ok("systemctl --user daemon-reload");
    assert_eq!(enabled(&machine), 3);
    machine.user_ok("systemctl --user start securid-sessiond.service");
    let checked = machine.user_ok("/usr/local/bin/securid-sessiond --check-config");
    assert_eq!(checked, "the config is good\n");

    machine.root_ok("/usr/local/bin/securid-ctl setup --global --remove");
    machine.user_ok("systemctl --user daemon-reload");
    assert_eq!(enabled(&machine), 0);
    assert!(!machine.path("/etc/systemd/user/securid-sessiond.service").exists());
    assert!(!machine.path("/etc/securid/config.toml").exists());
}

#[test]
fn without_a_manager_or_with_one_that_hangs_it_says_so_in_time() {
    let Some(machine) = packaged() else { return };
    machine.root_ok("useradd -m stranger");
    for command in ["setup", "setup --remove"] {
        let refused = machine.root(&format!("runuser -u stranger -- securid-ctl {command}"));
        assert_eq!(code(&refused), Some(1), "{}", told(&refused));
        assert!(told(&refused).contains("loginctl enable-linger"), "{}", told(&refused));
    }
    // On a machine without systemd everything else is done.
    let elsewhere = "unshare -m sh -c 'mount -t tmpfs none /run/systemd &&
        HOME=/home/stranger exec runuser -u stranger -- securid-ctl setup --url https://h/aveksa'";
    let said = machine.root_ok(elsewhere);
    assert!(said.contains("securid-ctl start"), "{said}");
    assert!(machine.path("/home/stranger/.config/securid/config.toml").exists());

    machine.root_ok("kill -STOP $(pgrep -u tu -x systemd)");
    for command in ["setup", "start"] {
        let (refused, took) = timed(|| machine.user(&format!("securid-ctl {command}")));
        assert_eq!(code(&refused), Some(1), "{}", told(&refused));
        assert!(told(&refused).contains("has not ended within"), "{}", told(&refused));
        assert!(took < Duration::from_secs(25), "{took:?}");
    }
    machine.root_ok("kill -CONT $(pgrep -u tu -x systemd)");
}

/// The unit's sandbox has to be opened for it, and it has to be there.
#[test]
fn a_state_folder_elsewhere() {
    let Some(machine) = packaged() else { return };
    let elsewhere = "/home/tu/elsewhere";
    machine.user_ok(&format!("systemctl --user set-environment XDG_STATE_HOME={elsewhere}"));
    machine.user_ok("systemctl --user start securid-sessiond.socket");
    let refused = machine.user(&format!("XDG_STATE_HOME={elsewhere} securid-ctl start"));
    assert_eq!(code(&refused), Some(74), "{}", told(&refused));

    // A shell that knows nothing of it is told so.
    let said = machine.user_ok("securid-ctl setup");
    assert!(said.contains(&format!("records in {elsewhere}/securid, and this shell")), "{said}");
    machine.login();
    assert_eq!(machine.user_ok(&format!("ls {elsewhere}/securid/sessions | wc -l")).trim(), "1");
    let again = machine.user_ok(&format!("XDG_STATE_HOME={elsewhere} securid-ctl setup"));
    assert!(again.contains("state-folder.conf (up to date)"), "{again}");
    assert!(!again.contains("this shell"), "{again}");

    let drop_in =
        machine.path("/home/tu/.config/systemd/user/securid-sessiond.service.d/state-folder.conf");
    assert!(drop_in.exists());
    machine.user_ok("systemctl --user unset-environment XDG_STATE_HOME");
    let print = machine.user_ok("securid-ctl setup --print");
    assert!(print.contains("would remove"), "{print}");
    // It drains what this shell knows of, and takes nothing from a daemon that has more.
    let refused = machine.user("securid-ctl setup --remove");
    assert_eq!(code(&refused), Some(75), "{}", told(&refused));
    assert!(drop_in.exists());
    machine.user_ok("securid-ctl logout");
    assert_eq!(machine.simulator.truth().alive(), [""; 0]);
    machine.user_ok("securid-ctl setup --remove");
    assert!(!drop_in.exists());
}

/// What a server has where gnome-keyring is installed, and nobody ever logs in at a screen.
#[test]
fn a_secret_service_without_a_place_for_secrets_is_none() {
    let Some(machine) = unpackaged() else { return };
    machine.write(
        "/usr/share/dbus-1/services/org.freedesktop.secrets.service",
        "[D-BUS Service]\nName=org.freedesktop.secrets\n\
         Exec=/usr/bin/gnome-keyring-daemon --start --foreground --components=secrets\n",
    );
    machine.user_ok(
        "busctl --user call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus ReloadConfig",
    );
    let url = machine.simulator.url().to_owned();
    machine.user_ok(&format!(
        "securid-ctl setup --url {url} --username alice --ca-file /etc/securid/ca.pem"
    ));
    machine.login();
    assert_eq!(machine.ctl("list")["sessions"][0]["keyring"], "sealed-file");
    let asked = machine.user_ok("busctl --user list");
    assert!(
        asked.lines().any(|it| it.contains("secrets") && it.contains("gnome-keyring")),
        "{asked}"
    );
    machine.user_ok("securid-ctl logout");
}

/// Units of his own would hide it from him, and a key in his config would replace its credential.
#[test]
fn whom_the_system_serves() {
    let Some(machine) = packaged() else { return };
    let uid = machine.uid();
    machine.root_ok(&format!("systemctl start securid-sessiond@{uid}.socket"));
    let said = machine.user_ok("securid-ctl setup");
    assert!(said.contains(&format!("securid-sessiond@{uid}.service")), "{said}");
    assert_eq!(enabled(&machine), 0);
    let stopped = machine.user_ok("securid-ctl stop");
    assert!(
        stopped.contains(&format!("systemctl stop securid-sessiond@{uid}.socket")),
        "{stopped}"
    );
}
