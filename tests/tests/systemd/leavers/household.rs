//! A machine with several users, each of whom runs his daemon by hand, with a sealed file of his own.

use std::fs;

use securid_tests::{Machine, PASSWORD, Plan, USER, eventually};

pub(super) struct Household {
    pub(super) machine: Machine,
}

impl Household {
    /// None, and said so, if it cannot be had.
    pub(super) fn boot() -> Option<Self> {
        let machine = Machine::boot(Plan { keyring: "sealed-file", ..Plan::default() })?;
        Some(Self { machine })
    }

    /// A user whose daemon runs, with a second instance whose server is not there.
    pub(super) fn add(&self, user: &str) {
        let key = format!("/home/{user}/key");
        self.make(user, &format!("default_instance = \"prod\"\nkey_file = \"{key}\"\n"));
        let start = format!("securid-sessiond --make-key {key} && securid-ctl start");
        self.as_user(user, &start);
    }

    /// A user whose daemon is a system unit.
    pub(super) fn serve(&self, user: &str) {
        self.make(user, "default_instance = \"prod\"\n");
        self.machine.root_ok(&format!(
            "mkdir -p -m 700 /etc/credstore.encrypted && securid-sessiond --make-key - | \
             systemd-creds encrypt --with-key=host --name=securid-store-key - \
             /etc/credstore.encrypted/securid-store-key && \
             systemctl start securid-sessiond@$(id -u {user}).service"
        ));
    }

    fn make(&self, user: &str, top: &str) {
        self.machine.root_ok(&format!("useradd -m {user}"));
        let config = self.machine.path(&format!("/home/{USER}/.config/securid/config.toml"));
        let config = fs::read_to_string(config).expect("it was written");
        let (_, rest) = config.split_once('\n').expect("its first line names the key");
        let far = "[instances.far]\nurl = \"https://127.0.0.1:9/aveksa\"\n";
        self.machine.write(
            &format!("/home/{user}/.config/securid/config.toml"),
            &format!("{top}{rest}\n{far}"),
        );
        self.machine.root_ok(&format!("chown -R {user}: /home/{user}"));
    }

    /// Logs the user in at the server.
    pub(super) fn login(&self, user: &str) {
        self.as_user(
            user,
            &format!("printf %s {PASSWORD:?} | securid-ctl login prod --password-stdin"),
        );
    }

    /// Runs a script as the user, who has no manager and so no runtime folder.
    pub(super) fn as_user(&self, user: &str, script: &str) -> String {
        self.machine.root_ok(&format!(
            "cd / && runuser -u {user} -- env -i PATH=/usr/bin:/bin HOME=/home/{user} sh -c '{script}'"
        ))
    }

    pub(super) fn kill_daemon_of(&self, user: &str) {
        self.machine.root_ok(&format!("pkill -9 -x -u {user} securid-session"));
        let gone =
            || !self.machine.root(&format!("pgrep -x -u {user} securid-session")).status.success();
        eventually("its end", || gone().then_some(()));
    }

    /// The tokens that live at the server.
    pub(super) fn alive(&self) -> Vec<String> {
        let truth = self.machine.simulator.truth();
        truth.alive().into_iter().map(str::to_owned).collect()
    }
}
