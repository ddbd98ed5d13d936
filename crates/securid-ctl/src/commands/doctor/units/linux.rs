//! What systemd has of us: the units, how they are, and whether the user's manager stays without a login.

use std::{path::Path, process::Command};

use securid_ipc::checks::CheckView;

use super::super::of_failure;
use crate::{
    Context,
    commands::setup::{
        self,
        linux::{
            place::{Place, Scope},
            units::{Standing, UNITS, standing},
        },
    },
    failure::Failure,
    manager::systemd::{self, ANSWER_WITHIN, Manager, SERVICE, SOCKET},
    program,
};

/// What mends most of it.
const SETUP: &str = "securid-ctl setup";

/// Looks at all of it; each wait has a limit, and after the first that passes nothing more is asked.
pub(in super::super) fn look(context: &Context) -> Vec<CheckView> {
    if context.is_elsewhere() {
        let message = "left aside, for they know nothing of --config, --socket, --state-dir and their variables";
        return vec![CheckView::fine("units", "", message)];
    }
    let place = match Place::find(context, &setup::Args::of_a_look()) {
        Ok(place) => place,
        Err(failure) => return vec![of_failure("units", "", &failure)],
    };
    match &place.scope {
        Scope::User(manager) => of_manager(manager, &place),
        Scope::OfTheSystem => {
            let message = format!("{} runs your daemon", systemd::of_the_system("service"));
            vec![CheckView::fine("units", "", message)]
        }
        Scope::Alone | Scope::Global => {
            let message =
                "systemd does not run here, so there are none: securid-ctl start has it run";
            vec![CheckView::fine("units", "", message)]
        }
    }
}

fn of_manager(manager: &Manager, place: &Place) -> Vec<CheckView> {
    let mut checks = Vec::new();
    for (name, text) in UNITS {
        match of_unit(manager, place, name, text) {
            Ok(check) => checks.push(check),
            Err(failure) => {
                checks.push(of_failure("units", name, &failure));
                return checks;
            }
        }
    }
    checks.extend(linger());
    checks
}

fn of_unit(manager: &Manager, place: &Place, name: &str, text: &str) -> Result<CheckView, Failure> {
    let own = place.units.join(name);
    let wrong =
        |message: String, next: &str| Ok(CheckView::wrong("units", name, message).then(next));
    let at = match standing(place, name, text)? {
        Standing::Missing(_) => return wrong("it is not installed".to_owned(), SETUP),
        Standing::Older { .. } => {
            let message = format!("{} is an earlier setup's, and another now", own.display());
            return wrong(message, SETUP);
        }
        Standing::Covering => {
            let message =
                format!("{} is an earlier setup's, and covers the package's", own.display());
            return wrong(message, SETUP);
        }
        Standing::ByHand => format!("{} (changed by hand)", own.display()),
        Standing::UpToDate => own.display().to_string(),
        Standing::Installed(path) => path.display().to_string(),
    };
    let said = manager.systemctl(
        &["show", "--property", "LoadState,UnitFileState,ActiveState,ExecStart", name],
        ANSWER_WITHIN,
    )?;
    let property = |wanted: &str| {
        let mut pairs = said.lines().filter_map(|line| line.split_once('='));
        pairs.find(|(name, _)| *name == wanted).map_or("", |(_, value)| value)
    };
    let (load, file) = (property("LoadState"), property("UnitFileState"));
    let active = property("ActiveState");
    if load == "masked" {
        return wrong("it is masked".to_owned(), &format!("systemctl --user unmask {name}"));
    }
    if load != "loaded" {
        let message = format!("systemd does not know {at} yet ({load})");
        return wrong(message, "systemctl --user daemon-reload");
    }
    if file != "enabled" {
        return wrong(format!("it is {file}, not enabled"), SETUP);
    }
    let program = program_in(property("ExecStart"));
    if let Some(gone) = program.filter(|program| !Path::new(program).exists()) {
        return wrong(format!("it runs {gone}, which is not there"), SETUP);
    }
    let journal = format!("journalctl --user -u {name}");
    match active {
        "failed" => return wrong("it has failed".to_owned(), &journal),
        // The service is for it to start.
        _ if active != "active" && name == SOCKET => {
            return wrong(format!("it is {active}"), &format!("systemctl --user start {SOCKET}"));
        }
        _ => {}
    }
    let runs = match program.filter(|_| name == SERVICE) {
        Some(program) => format!(", runs {program}"),
        None => String::new(),
    };
    Ok(CheckView::fine("units", name, format!("enabled, {active}{runs}: {at}")))
}

/// The program in `ExecStart`, as `systemctl show` has it: `{ path=/usr/bin/x ; argv[]=…`.
fn program_in(exec: &str) -> Option<&str> {
    exec.split_once("path=")?.1.split(" ;").next()
}

/// Whether the user's manager, and the daemon with it, ends with his last login. Either is fine, and good to know.
fn linger() -> Option<CheckView> {
    let uid = rustix::process::getuid().as_raw().to_string();
    let mut command = Command::new("loginctl");
    command.args(["--no-pager", "show-user", &uid, "--property", "Linger", "--value"]);
    let said = program::run(command, ANSWER_WITHIN).ok()?;
    let message = match said.out.trim() {
        "yes" => "on: the daemon goes on without a login",
        "no" => "off: the daemon ends with your last login, and revokes what it has",
        _ => return None,
    };
    Some(CheckView::fine("linger", "", message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_read_as_systemctl_shows_it() {
        let shown = "{ path=/usr/bin/securid-sessiond ; argv[]=/usr/bin/securid-sessiond ; x=1 }";
        assert_eq!(program_in(shown), Some("/usr/bin/securid-sessiond"));
        assert_eq!(program_in(""), None);
    }
}
