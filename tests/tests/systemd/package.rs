//! The Debian package: installed, upgraded and removed while people have live sessions.

mod host;

use std::process::Command;

use securid_simulator::Fault;
use securid_tests::process::{run, told};
use securid_tests::programs::programs;
use securid_tests::{PATIENCE, USER, eventually};

use host::{HANDY, Host, SERVED};

#[test]
fn upgrades_log_nobody_out_and_removals_everybody() {
    let Some(host) = Host::without_us("sealed-file") else { return };
    host.install(&host.packages.first);
    for unit in ["securid-sessiond.socket", "securid-sessiond.service", "securid-logout.service"] {
        let enabled = host.machine.user(&format!("systemctl --user is-enabled {unit}"));
        assert_eq!(String::from_utf8_lossy(&enabled.stdout).trim(), "disabled", "{unit}");
    }
    assert_eq!(host.daemons(), [""; 0]);
    host.add_served();
    host.add_handy();
    host.machine.user_ok("securid-ctl setup");
    host.enable_served();

    // What is enabled stays enabled, so the second time the daemons are there by themselves.
    for round in ["new", "again"] {
        host.start_handy();
        let mut ids: Vec<_> =
            [USER, USER, SERVED, HANDY, HANDY].map(|user| host.login(user)).into();
        ids.sort();
        let tokens = host.tokens();
        assert_eq!(tokens.len(), ids.len(), "{round}");
        let before = host.daemons();
        assert_eq!(before.len(), 3, "{round}: {before:?}");

        host.install(&host.packages.second);
        let after = host.daemons();
        assert_eq!(after.len(), 3, "{round}: {after:?}");
        assert!(after.iter().all(|pid| !before.contains(pid)), "{before:?}, then {after:?}");
        assert_eq!(host.tokens(), tokens, "{round}");
        assert_eq!(host.active_ids(), ids, "{round}");

        let said = host.remove();
        assert!(!said.contains("WARNING"), "{said}");
        assert_eq!(host.tokens(), [""; 0], "{round}");
        assert_eq!(host.daemons(), [""; 0], "{round}");
        host.machine.root_ok("! ls /usr/bin/securid-* /usr/lib/systemd/*/securid-*");
        host.install(&host.packages.first);
        host.start_enabled();
    }

    host.machine.root_ok("dpkg -P securid-sessiond");
    host.machine.root_ok(
        "test ! -e /var/lib/securid && test -e /etc/credstore.encrypted/securid-store-key",
    );
    host.machine.root_ok("! ls /etc/systemd/*/*.wants/securid-*");
}

#[test]
fn a_removal_says_what_is_left_and_an_installation_goes_on() {
    let Some(host) = Host::without_us("sealed-file") else { return };
    // What a user has written there must not reach root's terminal.
    host.machine.change_config("[instances.prod]", "[instances.\"prod\\u001b[2J\"]");
    host.install(&host.packages.first);
    host.machine.user_ok("securid-ctl setup");
    host.add_served();
    host.enable_served();
    host.add_handy();
    host.start_handy();
    let everybody = [USER, SERVED, HANDY];
    for user in everybody {
        host.login(user);
    }
    // Records are enough: there need not be a daemon.
    host.kill_daemon_of(HANDY);
    let tokens = host.tokens();
    assert_eq!(tokens.len(), 3);

    host.machine.simulator.set_fault(Some(Fault::Down));
    let said = host.remove();
    assert!(said.contains("WARNING: not all tokens are confirmed dead"), "{said}");
    for user in everybody {
        assert!(said.contains(&format!("    {user}: 1 pending (https://")), "{said}");
    }
    assert!(!said.contains('\x1b'), "{said:?}");
    assert_eq!(host.daemons(), [""; 0]);
    host.machine.root_ok("dpkg -P securid-sessiond");

    host.machine.simulator.set_fault(None);
    assert_eq!(host.tokens(), tokens);
    host.install(&host.packages.second);
    host.machine.user_ok("securid-ctl setup");
    host.enable_served();
    host.machine.root_ok(&host::as_user(HANDY, "securid-sessiond --drain"));
    eventually("all tokens to be revoked", || host.tokens().is_empty().then_some(()));
}

/// The daemon of the unit cannot get at it, and once the unit is stopped, it can be got at.
#[test]
fn a_removal_reaches_the_kernels_keyring() {
    let Some(host) = Host::without_us("auto") else { return };
    host.install(&host.packages.first);
    host.machine.user_ok("setsid securid-sessiond </dev/null >/dev/null 2>&1 & exit 0");
    let answers = || host.machine.user("securid-ctl list").status.success().then_some(());
    eventually("a daemon by hand", answers);
    host.login(USER);
    assert_eq!(host.machine.ctl("list")["sessions"][0]["keyring"], "keyutils");
    host.machine.user_ok("securid-ctl stop --keep");
    host.machine.enable_units();
    assert_eq!(host.tokens().len(), 1);
    let said = host.remove();
    assert!(!said.contains("WARNING"), "{said}");
    assert_eq!(host.tokens(), [""; 0]);
}

#[test]
fn its_example_is_a_good_config() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../packaging/config.toml");
    let mut command = Command::new(&programs().daemon);
    command.args(["--config", example, "--check-config"]);
    let checked = run(command, "", PATIENCE);
    assert!(checked.status.success(), "{}", told(&checked));
}

#[test]
fn its_changelog_is_about_this_version() {
    let changelog = include_str!("../../../packaging/debian/changelog");
    let version = format!("securid-sessiond ({}-1) ", env!("CARGO_PKG_VERSION"));
    assert!(changelog.starts_with(&version), "{version} is not on top of the changelog");
}
