//! Where units and config belong: for one user, or for all.

use std::fs;
use std::path::{Path, PathBuf};

use securid_ipc::{
    client::Client,
    paths::{ConfigFiles, OwnFile, SYSTEM_SOCKETS},
};

use super::Args;
use crate::{
    Context,
    failure::{FAILED, Failure},
    systemd::{self, Manager},
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
pub(in crate::commands) enum Scope {
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
pub(in crate::commands) struct Place {
    pub(in crate::commands) scope: Scope,
    /// Our units go here.
    pub(in crate::commands) units: PathBuf,
    /// Units of packages are here.
    packaged: Vec<PathBuf>,
    /// The config that setup writes.
    pub(super) config: PathBuf,
    /// All configs that count, this one among them.
    pub(super) configs: Vec<PathBuf>,
}

impl Place {
    pub(in crate::commands) fn find(context: &Context, args: &Args) -> Result<Self, Failure> {
        let ConfigFiles { machine, additions, own: OwnFile::Usual(user) } = &context.paths.config
        else {
            return Err(Failure::usage("setup is about the usual places alone"));
        };
        let mut configs = vec![machine.clone()];
        configs.extend(files(additions));
        if args.global {
            if !rustix::process::getuid().is_root() {
                return Err(Failure::new("setup", "only root sets up for all users", FAILED)
                    .with_hint("Without --global it is for you alone."));
            }
            return Ok(Self {
                scope: Scope::Global,
                units: "/etc/systemd/user".into(),
                packaged: FOR_ALL.map(PathBuf::from).into(),
                config: machine.clone(),
                configs,
            });
        }
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
        configs.push(user.clone());
        Ok(Self { scope, units, packaged, config: user.clone(), configs })
    }

    /// The unit of this name that a package, or an administrator, has installed.
    pub(super) fn packaged(&self, unit: &str) -> Option<PathBuf> {
        self.packaged.iter().map(|folder| folder.join(unit)).find(|path| path.exists())
    }

    /// The permissions of what setup writes: files, and folders.
    pub(super) fn modes(&self) -> (u32, u32) {
        match self.scope {
            Scope::Global => (0o644, 0o755),
            Scope::User(_) | Scope::Alone | Scope::OfTheSystem => (0o600, 0o700),
        }
    }

    /// The key of the sealed file, beside the config.
    pub(super) fn key(&self) -> PathBuf {
        self.config.parent().unwrap_or(Path::new("/")).join("key")
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

/// The machine's further configs. What is wrong with the folder, the daemon tells when the config is checked.
fn files(additions: &Path) -> Vec<PathBuf> {
    let found = fs::read_dir(additions).into_iter().flatten();
    let paths = found.filter_map(|file| Some(file.ok()?.path()));
    paths.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect()
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
    Client::connect(&context.paths.sockets)
        .is_ok_and(|client| client.path().starts_with(SYSTEM_SOCKETS))
}
