//! What is put into a machine before it is used.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{Machine, USER};
use crate::kernel_keys;
use crate::patience::PATIENCE;
use crate::plan::Plan;
use crate::process::run;
use crate::programs::programs;

/// The project's units.
const UNITS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../systemd");

/// gnome-keyring as a desktop has it, unlocked with its password when the user's manager starts.
const GNOME_KEYRING: &str = "\
[Unit]
Requires=dbus.socket
After=dbus.socket
[Service]
Type=dbus
BusName=org.freedesktop.secrets
StandardInput=file:/etc/keyring-password
ExecStart=/usr/bin/gnome-keyring-daemon --foreground --unlock --components=secrets --control-directory=%t/keyring
";

impl Machine {
    /// `-l`: lastlog(8) has room for every number, and may be huge.
    pub(super) fn furnish(&self, plan: &Plan) {
        let home = format!("/home/{USER}");
        self.root_ok(&format!(
            "useradd -l -K UID_MAX=60000 -m -u {} -s /bin/bash {USER}",
            self.uid
        ));
        self.put_programs();
        for manager in ["user", "system"] {
            self.put_units(manager);
        }
        self.write("/etc/securid/ca.pem", self.simulator.ca_pem());
        self.write(
            &format!("{home}/.config/securid/config.toml"),
            &plan.config(self.simulator.url(), "/etc/securid/ca.pem"),
        );
        self.root_ok(&format!("chmod 700 {home}/.config && chown -R {USER}: {home}"));
        for manager in ["user", "system"] {
            let units = if manager == "user" { "" } else { "@" };
            self.write(
                &format!("/etc/systemd/{manager}/securid-sessiond{units}.service.d/test.conf"),
                &format!("[Service]\nEnvironment=SECURID_LOG={}\n", plan.log),
            );
        }
        match plan.keyring {
            "secret-service" => self.put_gnome_keyring(),
            "sealed-file" => self.give_key(),
            _ => {}
        }
        if plan.keyring != "secret-service" {
            self.root_ok("rm -f $(grep -l org.freedesktop.secrets /usr/share/dbus-1/services/*)");
        }
        self.root_ok(&format!("systemctl daemon-reload && loginctl enable-linger {USER}"));
    }

    /// Enables the units of the user's manager as a person does, and starts those that are not for a
    /// desktop.
    pub fn enable_units(&self) {
        self.user_ok(
            "systemctl --user enable --now securid-sessiond.socket securid-sessiond.service && \
             systemctl --user enable securid-logout.service",
        );
    }

    /// Writes a drop-in for a unit of the user's manager, which has it at once.
    pub fn drop_in(&self, unit: &str, text: &str) {
        self.write(&format!("/etc/systemd/user/{unit}.d/of-the-test.conf"), text);
        self.user_ok("systemctl --user daemon-reload");
    }

    /// Changes the user's config by replacing words in it.
    ///
    /// # Panics
    /// If they are not there.
    pub fn change_config(&self, from: &str, to: &str) {
        let path = self.path(&format!("/home/{USER}/.config/securid/config.toml"));
        let text = fs::read_to_string(&path).expect("it was written");
        assert!(text.contains(from), "there is no {from:?} in the config");
        fs::write(path, text.replace(from, to)).expect("we are root");
    }

    /// Keys in the kernel outlive the machine.
    pub(super) fn clear_kernel_keys(&self) {
        kernel_keys::clear(self.uid);
    }

    /// Copied by another process, as in [`crate::programs::put_within_reach`].
    fn put_programs(&self) {
        let programs = programs();
        let mut command = Command::new("install");
        command.args(["-m", "755"]).arg(&programs.daemon).arg(&programs.ctl);
        command.arg(self.path("/usr/bin/"));
        assert!(run(command, "", PATIENCE).status.success(), "there is room");
    }

    fn put_units(&self, manager: &str) {
        for unit in fs::read_dir(Path::new(UNITS).join(manager)).expect("they are there") {
            let unit = unit.expect("it can be read").path();
            let name = unit.file_name().expect("a file has a name").to_string_lossy().into_owned();
            let text = fs::read_to_string(&unit).expect("a unit is text");
            self.write(&format!("/usr/lib/systemd/{manager}/{name}"), &text);
        }
    }

    fn put_gnome_keyring(&self) {
        self.write("/etc/keyring-password", "pw");
        self.write("/etc/systemd/user/gnome-keyring-daemon.service", GNOME_KEYRING);
        let wants = "/etc/systemd/user/default.target.wants";
        self.root_ok(&format!(
            "mkdir -p {wants} && ln -s ../gnome-keyring-daemon.service {wants}/"
        ));
    }

    fn give_key(&self) {
        let key = format!("/home/{USER}/.config/securid/store.key");
        self.root_ok(&format!("runuser -u {USER} -- securid-sessiond --make-key {key}"));
        let config = format!("/home/{USER}/.config/securid/config.toml");
        let text = fs::read_to_string(self.path(&config)).expect("it was written");
        fs::write(self.path(&config), format!("key_file = \"{key}\"\n{text}"))
            .expect("we are root");
    }
}
