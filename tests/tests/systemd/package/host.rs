//! A machine that the package is installed on, with three users: one whose daemon is in his manager's
//! units, one whose daemon is a system unit, and one who starts his by hand.

use std::fs;
use std::path::Path;

use securid_tests::process::told;
use securid_tests::{Machine, PASSWORD, Packages, Plan, USER, is_installed};
use serde_json::Value;

/// The user of a system unit.
pub(super) const SERVED: &str = "served";

/// The user who starts his daemon by hand.
pub(super) const HANDY: &str = "handy";

pub(super) struct Host {
    pub(super) machine: Machine,
    pub(super) packages: Packages,
}

impl Host {
    /// One that has neither programs nor units of ours yet. None, and said so, if it cannot be had.
    pub(super) fn without_us(keyring: &'static str) -> Option<Self> {
        if !["cargo-deb", "strip", "dpkg"].into_iter().all(is_installed) {
            return None;
        }
        let machine = Machine::boot(Plan { keyring, ..Plan::default() })?;
        machine.root_ok("rm /usr/bin/securid-* /usr/lib/systemd/*/securid-*");
        machine.root_ok("systemctl daemon-reload");
        machine.user_ok("systemctl --user daemon-reload");
        Some(Self { machine, packages: Packages::pack() })
    }

    pub(super) fn install(&self, package: &Path) {
        let name = package.file_name().expect("it has a name").to_string_lossy();
        fs::copy(package, self.machine.path(&format!("/root/{name}"))).expect("there is room");
        // At a terminal, as an administrator does; no daemon may be left in that one's session.
        let script = format!(
            "script -qec 'dpkg -i /root/{name} && ! ps -o tty= -C securid-session | grep pts' /dev/null"
        );
        let output = self.machine.root(&script);
        assert!(output.status.success(), "{script}: {}", told(&output));
        assert!(!told(&output).contains("could not"), "{script}: {}", told(&output));
    }

    /// Removes it; what was said.
    pub(super) fn remove(&self) -> String {
        let output = self.machine.root("dpkg -r securid-sessiond");
        assert!(output.status.success(), "{}", told(&output));
        told(&output)
    }

    pub(super) fn add_served(&self) {
        self.add(SERVED, "");
        self.machine.root_ok(
            "mkdir -p -m 700 /etc/credstore.encrypted && securid-sessiond --make-key - | systemd-creds \
             encrypt --with-key=host --name=securid-store-key - \
             /etc/credstore.encrypted/securid-store-key",
        );
    }

    /// As the administrator does.
    pub(super) fn enable_served(&self) {
        self.machine
            .root_ok(&format!("systemctl enable --now securid-sessiond@$(id -u {SERVED}).service"));
    }

    pub(super) fn add_handy(&self) {
        let key = format!("/home/{HANDY}/key");
        self.add(HANDY, &format!("key_file = \"{key}\"\n"));
        self.machine.root_ok(&as_user(HANDY, &format!("securid-sessiond --make-key {key}")));
    }

    /// Starts his daemon, if none runs.
    pub(super) fn start_handy(&self) {
        self.machine.root_ok(&as_user(HANDY, "securid-ctl start"));
    }

    /// Starts what a boot would start.
    pub(super) fn start_enabled(&self) {
        self.machine.user_ok("systemctl --user start default.target sockets.target");
        self.machine.root_ok("systemctl start sockets.target multi-user.target");
    }

    /// A user with the config of the machine's own one, but for the key.
    fn add(&self, user: &str, key_file: &str) {
        self.machine.root_ok(&format!("useradd -m {user}"));
        let config = self.machine.path(&format!("/home/{USER}/.config/securid/config.toml"));
        let config = fs::read_to_string(config).expect("it was written");
        let (_, rest) = config.split_once('\n').expect("its first line names the key");
        self.machine.write(
            &format!("/home/{user}/.config/securid/config.toml"),
            &format!("{key_file}{rest}"),
        );
        self.machine.root_ok(&format!("chown -R {user}: /home/{user}"));
    }

    /// Logs the user in at the server; the session's id.
    pub(super) fn login(&self, user: &str) -> String {
        let script =
            format!("printf %s {:?} | securid-ctl login --password-stdin --json", PASSWORD);
        let session: Value =
            serde_json::from_str(&self.as_user(user, &script)).expect("it is JSON");
        session["id"].as_str().expect("a session has an id").to_owned()
    }

    /// The ids of everybody's active sessions, sorted.
    pub(super) fn active_ids(&self) -> Vec<String> {
        let mut ids = Vec::new();
        for user in [USER, SERVED, HANDY] {
            let list = self.as_user(user, "securid-ctl list --json");
            let list: Value = serde_json::from_str(&list).expect("it is JSON");
            for session in list["sessions"].as_array().expect("a list") {
                assert_eq!(session["state"], "active", "{user}");
                ids.push(session["id"].as_str().expect("a session has an id").to_owned());
            }
        }
        ids.sort();
        ids
    }

    /// The tokens that live at the server.
    pub(super) fn tokens(&self) -> Vec<String> {
        let truth = self.machine.simulator.truth();
        truth.alive().into_iter().map(str::to_owned).collect()
    }

    /// The processes of all daemons.
    pub(super) fn daemons(&self) -> Vec<String> {
        // Its name, as far as the kernel keeps it.
        let pids = self.machine.root("pgrep -x securid-session").stdout;
        String::from_utf8_lossy(&pids).lines().map(str::to_owned).collect()
    }

    pub(super) fn kill_daemon_of(&self, user: &str) {
        self.machine.root_ok(&format!("kill -9 $(pgrep -x -u {user} securid-session)"));
    }

    fn as_user(&self, user: &str, script: &str) -> String {
        match user {
            USER => self.machine.user_ok(script),
            _ => self.machine.root_ok(&as_user(user, script)),
        }
    }
}

/// A script of root's that runs another as this user, with nothing of root's environment.
pub(super) fn as_user(user: &str, script: &str) -> String {
    format!(
        "cd / && runuser -u {user} -- env -i PATH=/usr/bin:/bin HOME=/home/{user} sh -c '{script}'"
    )
}
