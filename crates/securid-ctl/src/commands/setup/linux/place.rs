//! Where units and config belong: for one user, or for all.

use std::path::{Path, PathBuf};

use securid_ipc::{client::Client, paths::is_of_a_system_unit};

use super::super::{Args, files::Files};
use crate::{
    Context,
    failure::{FAILED, Failure},
    manager::systemd::{self, Manager},
};

/// Where packages, and administrators by hand, put units for all users.
const FOR_ALL: [&str; 5] = [
    "/usr/local/lib/systemd/user",
    "/usr/lib/systemd/user",
    "/lib/systemd/user",
    "/usr/local/share/systemd/user",
    "/usr/share/systemd/user",
];

/// For whom setup works.
#[derive(Debug)]
pub(in super::super::super) enum Scope {
    /// This user, whose manager runs.
    User(Manager),
    /// This user, on a machine without systemd.
    Alone,
    /// This user, whose daemon is a unit of the system's.
    OfTheSystem,
    /// All users.
    Global,
}

/// Where everything belongs.
#[derive(Debug)]
pub(in super::super::super) struct Place {
    pub(in super::super::super) scope: Scope,
    /// Our units go here.
    pub(in super::super::super) units: PathBuf,
    /// Units of packages are here.
    packaged: Vec<PathBuf>,
    pub(super) files: Files,
}

impl Place {
    pub(in super::super::super) fn find(context: &Context, args: &Args) -> Result<Self, Failure> {
        if args.global {
            if !rustix::process::getuid().is_root() {
                return Err(Failure::new("setup", "only root sets up for all users", FAILED)
                    .with_hint("Without --global it is for you alone."));
            }
            return Ok(Self {
                scope: Scope::Global,
                units: "/etc/systemd/user".into(),
                packaged: FOR_ALL.map(PathBuf::from).into(),
                files: Files::of_the_machine(context)?,
            });
        }
        let files = Files::of_the_user(context)?;
        let user = &files.own;
        // .../securid/config.toml
        let own = user.ancestors().nth(2).unwrap_or(user);
        let units = own.join("systemd/user");
        let scope = scope(context, args)?;
        let packaged = match &scope {
            Scope::User(manager) => {
                let said = manager.property(None, "UnitPath")?;
                let folders = || said.split_whitespace().map(PathBuf::from);
                if !folders().any(|it| it == units) {
                    return Err(unknown_to_systemd(own));
                }
                folders()
                    .filter(|it| !it.starts_with(own) && !it.starts_with("/run/user"))
                    .collect()
            }
            Scope::Alone | Scope::OfTheSystem | Scope::Global => Vec::new(),
        };
        Ok(Self { scope, units, packaged, files })
    }

    /// The unit of this name that a package, or an administrator, has installed.
    pub(super) fn packaged(&self, unit: &str) -> Option<PathBuf> {
        self.packaged.iter().map(|folder| folder.join(unit)).find(|path| path.exists())
    }
}

impl Files {
    /// Those of all users.
    ///
    /// # Errors
    /// As [`Files::of_the_user`].
    fn of_the_machine(context: &Context) -> Result<Self, Failure> {
        let mut files = Self::of_the_user(context)?;
        files.all.pop();
        let own = context.paths.config.machine.clone();
        Ok(Self { own, all: files.all, modes: (0o644, 0o755) })
    }
}

fn scope(context: &Context, args: &Args) -> Result<Scope, Failure> {
    // What is to be undone may be of a time before the system's unit.
    if !args.remove && is_served_by_the_system(context) {
        return Ok(Scope::OfTheSystem);
    }
    if let Some(manager) = Manager::find() {
        return Ok(Scope::User(manager));
    }
    if !systemd::is_booted() {
        return Ok(Scope::Alone);
    }
    let message = "systemd runs no manager for this user that could be reached from here";
    Err(Failure::new("no-user-manager", message, FAILED).with_hint(
        "Log in properly, not with su (machinectl shell USER@ does it too); or have root run \
         loginctl enable-linger USER, so that one runs without a login.",
    ))
}

/// Units, and a config for the daemon, would be where systemd and its services do not look.
fn unknown_to_systemd(configs: &Path) -> Failure {
    let message = format!("systemd does not look for this user's configs in {}", configs.display());
    Failure::new("setup", message, FAILED).with_hint(
        "Say the same XDG_CONFIG_HOME to this shell and to systemd, or to neither: systemctl --user \
         show-environment shows what it knows.",
    )
}

/// A daemon of one's own beside that of the system would have its own sessions, and hide the other's.
fn is_served_by_the_system(context: &Context) -> bool {
    Client::connect(&context.paths.sockets).is_ok_and(|client| is_of_a_system_unit(client.path()))
}
