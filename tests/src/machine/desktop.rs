//! Graphical sessions of a machine's user.

use super::{Machine, USER};

/// What a display manager's PAM stack tells logind; the rest of it is of no use here.
const PAM: &str = "\
auth required pam_permit.so
account required pam_permit.so
session required pam_systemd.so class=user type=x11
";

/// What a desktop does with systemd: its own target, which brings the well-known one along.
const DESKTOP: &str = "\
[Unit]
BindsTo=graphical-session.target
After=graphical-session.target
";

impl Machine {
    /// Logs the user in at the screen: a graphical session in logind, and its target in the user's
    /// manager. The session's id.
    ///
    /// # Panics
    /// If logind knows of no such session then.
    pub fn open_desktop(&self) -> String {
        self.write("/etc/pam.d/securid-desktop", PAM);
        self.write("/etc/systemd/user/test-desktop.target", DESKTOP);
        self.root_ok(&format!(
            "systemd-run --quiet --unit=test-desktop -p PAMName=securid-desktop -p User={USER} \
             -p Environment=XDG_SEAT=seat0 sleep 3600"
        ));
        let session = crate::eventually("a graphical session", || {
            let listed = self.root_ok("loginctl list-sessions --no-legend");
            listed.split_whitespace().next().map(str::to_owned)
        });
        self.user_ok(
            "systemctl --user daemon-reload && systemctl --user start test-desktop.target",
        );
        session
    }

    /// Logs him out there; his manager goes on if he lingers.
    pub fn close_desktop(&self) {
        self.user_ok("systemctl --user stop test-desktop.target");
        self.root_ok("systemctl stop test-desktop.service");
    }
}
