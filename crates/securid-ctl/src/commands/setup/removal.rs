//! Undoing a setup: everything is revoked first, then what we wrote is removed.

use std::{fs, path::Path};

use super::{
    place::{Place, Scope},
    signed::{Found, look},
    state_folder,
    step::Step,
    units::UNITS,
};
use crate::{
    Context,
    failure::Failure,
    systemd::{self, Manager},
};

pub(super) fn steps(context: &Context, place: &Place) -> Result<Vec<Step>, Failure> {
    let mut steps = Vec::new();
    let units = UNITS.map(|(name, _)| name);
    match &place.scope {
        Scope::User(manager) => {
            steps.push(Step::Drain);
            let mut known = known(manager, &units)?;
            if !known.is_empty() {
                known.splice(0..0, ["disable", "--now"]);
                steps.push(Step::Systemctl(systemd::Scope::User(manager.clone()), known));
            }
        }
        Scope::Alone | Scope::OfTheSystem => steps.push(Step::Drain),
        Scope::Global => {
            let mut words = vec!["disable"];
            words.extend(units);
            steps.push(Step::Systemctl(systemd::Scope::Global, words));
            steps.push(Step::Say(
                "daemons that run are left alone: they end with their users' logins".to_owned(),
            ));
        }
    }
    let mut removed = false;
    let written = units.map(|name| place.units.join(name)).into_iter();
    for path in written.chain([state_folder::path(place)]) {
        match look(&path)? {
            Found::Ours(_) => {
                removed = true;
                steps.push(Step::Remove(path));
            }
            Found::Foreign => steps.push(Step::Keep(path, "changed by hand")),
            Found::Nothing => {}
        }
    }
    if let (true, Scope::User(manager)) = (removed, &place.scope) {
        let scope = systemd::Scope::User(manager.clone());
        steps.push(Step::Systemctl(scope, vec!["daemon-reload"]));
    }
    steps.extend(config(context, place)?);
    Ok(steps)
}

/// Those of the units that the manager has at all.
fn known(manager: &Manager, units: &[&'static str]) -> Result<Vec<&'static str>, Failure> {
    let mut known = Vec::new();
    for unit in units {
        if manager.property(Some(unit), "LoadState")? == "loaded" {
            known.push(*unit);
        }
    }
    Ok(known)
}

/// A config that is as setup wrote it, and its key, unless there is a file that it opens.
fn config(context: &Context, place: &Place) -> Result<Vec<Step>, Failure> {
    let text = match look(&place.config)? {
        Found::Nothing => return Ok(vec![]),
        Found::Foreign => {
            return Ok(vec![Step::Keep(place.config.clone(), "not as setup wrote it")]);
        }
        Found::Ours(text) => text,
    };
    let mut steps = vec![Step::Remove(place.config.clone())];
    let key = place.key();
    if text.contains("\nkey_file = ") && key.exists() {
        steps.push(match has_sealed_file(&context.paths.state_dir) {
            true => Step::Keep(key, "the sealed file in the state folder opens with it alone"),
            false => Step::Remove(key),
        });
    }
    Ok(steps)
}

fn has_sealed_file(state: &Path) -> bool {
    let files = fs::read_dir(state).into_iter().flatten().flatten();
    files.map(|file| file.path()).any(|path| path.extension().is_some_and(|end| end == "sealed"))
}
