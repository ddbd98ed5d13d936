//! Undoing a setup: everything is revoked first, then what we wrote is removed.

use super::{
    super::{
        config,
        signed::{Found, look},
        step::Step,
    },
    Systemctl,
    place::{Place, Scope},
    state_folder,
    units::UNITS,
};
use crate::{
    Context,
    failure::Failure,
    manager::systemd::{self, Manager},
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
                steps.push(Systemctl::step(systemd::Scope::User(manager.clone()), known));
            }
        }
        Scope::Alone | Scope::OfTheSystem => steps.push(Step::Drain),
        Scope::Global => {
            let mut words = vec!["disable"];
            words.extend(units);
            steps.push(Systemctl::step(systemd::Scope::Global, words));
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
        steps.push(Systemctl::step(scope, vec!["daemon-reload"]));
    }
    steps.extend(config::removal(context, &place.files)?);
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
