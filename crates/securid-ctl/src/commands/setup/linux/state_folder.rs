//! A drop-in for the service's unit where `XDG_STATE_HOME` is elsewhere: the unit's sandbox lets the daemon
//! write to the usual state folder alone.

use std::path::{Path, PathBuf};

use super::{
    super::{
        signed::{Found, look, signed},
        step::Step,
    },
    place::Place,
    units::is_plain,
};
use crate::{
    Context,
    failure::Failure,
    manager::systemd::{ANSWER_WITHIN, Manager, SERVICE},
};

/// Where it belongs, beside the units that setup writes, whoever has installed the unit itself.
pub(super) fn path(place: &Place) -> PathBuf {
    place.units.join(format!("{SERVICE}.d/state-folder.conf"))
}

pub(super) fn steps(
    context: &Context,
    place: &Place,
    manager: &Manager,
) -> Result<Vec<Step>, Failure> {
    let said = manager.systemctl(&["show-environment"], ANSWER_WITHIN)?;
    let variable = |name: &str| {
        said.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).unwrap_or("")
    };
    let elsewhere = variable("XDG_STATE_HOME");
    let mut steps = Vec::new();
    if !is_plain(elsewhere) {
        steps.push(Step::Say(format!(
            "a unit cannot name the folder that systemd has for XDG_STATE_HOME, {elsewhere}: its \
             sandbox stays closed there"
        )));
        return Ok(steps);
    }
    let usual = Path::new(variable("HOME")).join(".local/state/securid");
    let folder = match Path::new(elsewhere).is_absolute() {
        true => Path::new(elsewhere).join("securid"),
        false => usual.clone(),
    };
    let path = path(place);
    match (look(&path)?, (folder != usual).then(|| drop_in(&folder))) {
        (Found::Nothing, None) => {}
        (Found::Foreign, _) => steps.push(Step::Keep(path, "changed by hand")),
        (Found::Ours(_), None) => steps.push(Step::Remove(path)),
        (Found::Ours(present), Some(text)) if present == text => {
            steps.push(Step::Keep(path, "up to date"));
        }
        (found, Some(text)) => {
            let modes = (0o644, place.files.modes.1);
            let before = if let Found::Ours(before) = found { Some(before) } else { None };
            steps.push(Step::Write { path, text, modes, before });
        }
    }
    if folder != context.paths.state_dir {
        steps.push(Step::Say(format!(
            "systemd has the daemon keep its records in {}, and this shell looks for them in {}: say the \
             same XDG_STATE_HOME to both (~/.config/environment.d is read by systemd at login)",
            folder.display(),
            context.paths.state_dir.display()
        )));
    }
    Ok(steps)
}

fn drop_in(folder: &Path) -> String {
    let folder = folder.display();
    signed(&format!(
        "[Service]\n\
         # Where XDG_STATE_HOME has the records. It has to be there before the sandbox is.\n\
         ExecStartPre=+/bin/mkdir -p -m 0700 {folder}\n\
         ReadWritePaths={folder}\n"
    ))
}
