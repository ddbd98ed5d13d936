//! The units of the user's manager: written where no package has them, then enabled and started.

use std::{
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use securid_ipc::client::Client;

use super::{
    super::{
        signed::{Found, look, signed},
        step::Step,
    },
    Systemctl,
    place::{Place, Scope},
    state_folder,
};
use crate::{
    Context,
    failure::{FAILED, Failure},
    manager::systemd::{self, Manager, SERVICE, SOCKET},
    program,
};

/// The units and their texts, in which programs are where packages put them.
pub(in super::super::super) const UNITS: [(&str, &str); 3] = [
    (SOCKET, include_str!("../../../../../../systemd/user/securid-sessiond.socket")),
    (SERVICE, include_str!("../../../../../../systemd/user/securid-sessiond.service")),
    (LOGOUT, include_str!("../../../../../../systemd/user/securid-logout.service")),
];

/// The unit that logs out when the desktop is left.
const LOGOUT: &str = "securid-logout.service";

/// The target that stands for the desktop.
const DESKTOP: &str = "graphical-session.target";

pub(super) fn steps(context: &Context, place: &Place) -> Result<Vec<Step>, Failure> {
    if matches!(place.scope, Scope::OfTheSystem) {
        return Ok(vec![Step::Say(format!(
            "{}, a unit of the system's, runs your daemon: there is nothing to be enabled",
            systemd::of_the_system("service")
        ))]);
    }
    if matches!(place.scope, Scope::Alone) {
        return Ok(vec![Step::Say(
            "systemd does not run here: start the daemon with securid-ctl start, at each login (as from \
             ~/.profile), and run securid-ctl logout when you leave"
                .to_owned(),
        )]);
    }
    let mut steps = Vec::new();
    for (name, text) in UNITS {
        steps.push(unit(place, name, text)?);
    }
    if let Scope::User(manager) = &place.scope {
        steps.extend(state_folder::steps(context, place, manager)?);
    }
    let changed = steps.iter().any(|it| matches!(it, Step::Write { .. } | Step::Remove(_)));
    let enable = vec!["enable", SOCKET, SERVICE, LOGOUT];
    match &place.scope {
        Scope::User(manager) => {
            let scope = systemd::Scope::User(manager.clone());
            if changed {
                steps.push(Systemctl::step(scope.clone(), vec!["daemon-reload"]));
            }
            steps.push(Systemctl::step(scope.clone(), enable));
            steps.extend(start(context, manager, scope)?);
        }
        Scope::Global => {
            steps.push(Systemctl::step(systemd::Scope::Global, enable));
            steps.push(Step::Say("users have it from their next login on".to_owned()));
        }
        Scope::Alone | Scope::OfTheSystem => {}
    }
    Ok(steps)
}

/// How one unit stands.
#[derive(Debug)]
pub(in super::super::super) enum Standing {
    /// There is none; this would be its text.
    Missing(String),
    /// An earlier setup has written it; this would be its text.
    Older { text: String, before: String },
    /// An earlier setup has written it, and covers what a package has installed since.
    Covering,
    /// A person has written or changed it.
    ByHand,
    /// As setup would write it.
    UpToDate,
    /// A package has installed it there.
    Installed(PathBuf),
}

/// How the unit of this name stands.
///
/// # Errors
/// If it cannot be read, or the programs cannot be named in it.
pub(in super::super::super) fn standing(
    place: &Place,
    name: &str,
    text: &str,
) -> Result<Standing, Failure> {
    Ok(match (look(&place.units.join(name))?, place.packaged(name)) {
        (Found::Foreign, _) => Standing::ByHand,
        (Found::Ours(_), Some(_)) => Standing::Covering,
        (Found::Nothing, Some(installed)) => Standing::Installed(installed),
        (found, None) => {
            let text = signed(&with_programs(text, &place.scope)?);
            match found {
                Found::Ours(present) if present == text => Standing::UpToDate,
                Found::Ours(before) => Standing::Older { text, before },
                _ => Standing::Missing(text),
            }
        }
    })
}

/// What becomes of one unit.
fn unit(place: &Place, name: &str, text: &str) -> Result<Step, Failure> {
    let path = place.units.join(name);
    let modes = (0o644, place.files.modes.1);
    Ok(match standing(place, name, text)? {
        Standing::ByHand => Step::Keep(path, "changed by hand"),
        Standing::Covering => Step::Remove(path),
        Standing::Installed(installed) => Step::Keep(installed, "installed already"),
        Standing::UpToDate => Step::Keep(path, "up to date"),
        Standing::Missing(text) => Step::Write { path, text, modes, before: None },
        Standing::Older { text, before } => Step::Write { path, text, modes, before: Some(before) },
    })
}

/// The unit's text with the programs where they are: beside this one.
fn with_programs(text: &str, scope: &Scope) -> Result<String, Failure> {
    let us = program::ourselves()?;
    let folder = us.parent().unwrap_or(Path::new("/"));
    let failed = |what: String, hint: &str| Failure::new("setup", what, FAILED).with_hint(hint);
    let daemon = folder.join("securid-sessiond");
    if !daemon.is_file() {
        let what = format!("securid-sessiond is not in {}, beside securid-ctl", folder.display());
        return Err(failed(what, "Install both programs into one folder."));
    }
    let shown = folder.display().to_string();
    if !is_plain(&shown) {
        let what = format!("a unit cannot name a program in {shown}");
        return Err(failed(what, "Install both programs where the path has no such characters."));
    }
    if matches!(scope, Scope::Global)
        && let Some(why) = unfit_for_all(&daemon).or_else(|| unfit_for_all(&us))
    {
        return Err(failed(why, "Install both programs into /usr/local/bin, as root's."));
    }
    let mut text = text.to_owned();
    for program in ["securid-sessiond", "securid-ctl"] {
        text = text.replace(&format!("/usr/bin/{program}"), &format!("{shown}/{program}"));
    }
    Ok(text)
}

/// Whether a unit can name this path as it is: systemd would read other characters as more than that.
pub(super) fn is_plain(path: &str) -> bool {
    path.chars().all(|c| c.is_alphanumeric() || "/._-+@~,:".contains(c))
}

/// Why all users cannot be given this program, or must not: whoever can replace it runs as each of them.
/// (Who may write by his group is root's choice, as with Debian's `staff` in `/usr/local`.)
fn unfit_for_all(program: &Path) -> Option<String> {
    program.ancestors().find_map(|path| {
        let found = path.metadata().ok()?;
        let why = match found.mode() {
            mode if mode & 0o001 == 0 => "other users cannot run",
            mode if mode & 0o002 != 0 => "anybody can replace",
            _ if found.uid() != 0 => "a user can replace",
            _ => return None,
        };
        Some(format!("{why} what is below {}", path.display()))
    })
}

/// What is to be started now. A socket cannot be taken from a daemon that has it.
fn start(
    context: &Context,
    manager: &Manager,
    scope: systemd::Scope,
) -> Result<Vec<Step>, Failure> {
    let is_active =
        |unit| Ok::<_, Failure>(manager.property(Some(unit), "ActiveState")? == "active");
    let mut steps = Vec::new();
    if is_active(SERVICE)? {
        steps.push(Step::Say(
            "the daemon runs already; securid-ctl restart has it run as unit and config now say"
                .to_owned(),
        ));
    } else if !is_active(SOCKET)? && Client::connect(&context.paths.sockets).is_ok() {
        steps.push(Step::Say(
            "a daemon runs that this unit has not started: securid-ctl stop, then securid-ctl start, \
             has systemd run it"
                .to_owned(),
        ));
    } else {
        steps.push(Systemctl::step(scope.clone(), vec!["start", SOCKET, SERVICE]));
    }
    if is_active(DESKTOP)? {
        steps.push(Systemctl::step(scope, vec!["start", LOGOUT]));
    }
    Ok(steps)
}
