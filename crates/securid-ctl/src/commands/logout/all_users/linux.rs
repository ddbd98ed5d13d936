//! Everybody who has a state folder, a unit of the system's or something in `/run`.
//!
//! - `people`: who has sessions; `sight`: what root may look at
//! - `visit`: our own programs, run as another user
//! - `told`: a line about each
//! - `side_by_side`: many at once, of whom each may hang

mod people;
mod side_by_side;
mod sight;
mod told;
mod visit;

use std::time::Duration;

use rustix::process::geteuid;
use serde::Serialize;

use people::Person;
use side_by_side::side_by_side;
use told::Told;
use visit::{Programs, visit};

use super::super::{PENDING, worst};
use crate::{
    Context,
    failure::{FAILED, Failure},
};

/// How long users are looked for: a home on a network that is down never answers.
const SEARCH: Duration = Duration::from_secs(10);

/// How long a plain logout of root's looks for others.
const GLANCE: Duration = Duration::from_secs(1);

/// How many are visited at once: each takes up to three processes, of some 5 MB each, that mostly wait.
const AT_ONCE: usize = 32;

/// Where the system's own programs are, whatever root's environment says.
const PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

/// How many names a warning has.
const MOST_NAMED: usize = 10;

#[derive(Serialize)]
struct Everybody {
    users: Vec<Told>,
    /// Why there may be others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<String>,
}

/// Visits everybody; the exit status.
pub(in super::super) fn run(context: &Context, timeout: Duration) -> Result<u8, Failure> {
    if context.is_elsewhere() {
        return Err(Failure::usage(
            "--all-users goes by the usual places: leave out --socket, --state-dir and --config, \
             and unset SECURID_SOCKET, SECURID_STATE_DIR and SECURID_CONFIG",
        ));
    }
    if !geteuid().is_root() {
        return Err(Failure::new("not-root", "only root can log all users out", FAILED)
            .with_hint("securid-ctl logout logs yourself out."));
    }
    let programs = Programs::find()?;
    // From here on everything that is opened is closed to programs. What came along with us is not, and may be
    // root's alone.
    close_fds::set_fds_cloexec_threadsafe(3, &[]);
    let found = people::find(SEARCH);
    let people = found.people.into_iter().collect();
    let told = side_by_side(people, AT_ONCE, None, move |(uid, person)| {
        tell(uid, &person, &programs, timeout)
    });
    let told = Everybody { users: told.into_iter().flatten().collect(), problems: found.troubles };
    context.screen.show(&told, lines)?;
    for problem in &told.problems {
        context.screen.warn(problem);
    }
    let unfound = told.problems.iter().map(|_| FAILED);
    Ok(worst(told.users.iter().map(Told::status).chain(unfound)))
}

fn tell(uid: u32, person: &Person, programs: &Programs, timeout: Duration) -> Told {
    match &person.account {
        Some(account) => Told::of(uid, person, visit(account, person, programs, timeout)),
        None => Told::of_nobody(uid, person),
    }
}

fn lines(told: &Everybody) -> String {
    if told.users.is_empty() {
        return "nothing to do\n".to_owned();
    }
    told.users.iter().map(Told::line).collect()
}

/// Says whom a plain logout of root's leaves logged in, as far as a glance shows it.
pub(in super::super) fn warn_of_others(context: &Context) {
    if !geteuid().is_root() || context.is_elsewhere() || context.screen.json {
        return;
    }
    let people = people::find(GLANCE).people;
    let others = people.iter().filter(|(uid, person)| **uid != 0 && person.recorded);
    let names: Vec<_> = others
        .map(|(uid, person)| match &person.account {
            Some(account) => account.name.clone(),
            None => format!("uid {uid}"),
        })
        .collect();
    if names.is_empty() {
        return;
    }
    let more = match names.len().saturating_sub(MOST_NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let named = names[..names.len().min(MOST_NAMED)].join(", ");
    context.screen.warn(&format!(
        "others have records here too: {named}{more}; securid-ctl logout --all-users logs them out"
    ));
}
