//! Sessions and instances, asked of the daemon in little time and without a word of what goes wrong.

use std::{collections::BTreeMap, sync::mpsc::channel, thread, time::Duration};

use securid_ipc::{
    client::Client,
    messages::{Call, SessionState, SessionView, StatusView},
    paths::Paths,
};

use super::{Candidate, place::Which};
use crate::{commands::list, daemon::ANSWER_WITHIN, screen::printable};

/// How long somebody who has pressed a key waits for nothing, at most.
const WITHIN: Duration = Duration::from_millis(300);

/// What sessions can be named by.
pub(crate) fn sessions(paths: Paths, which: Which) -> Vec<Candidate> {
    let sessions = in_time(move || list::all(&mut Client::connect(&paths.sockets).ok()?).ok());
    named(&sessions.unwrap_or_default(), which)
}

/// The instances of the config.
pub(crate) fn instances(paths: Paths) -> Vec<Candidate> {
    let status = in_time(move || -> Option<StatusView> {
        Client::connect(&paths.sockets).ok()?.call(&Call::Status, ANSWER_WITHIN).ok()
    });
    let instances = status.map(|status| status.instances).unwrap_or_default();
    instances.iter().filter_map(|instance| told(&instance.name, &instance.url)).collect()
}

/// What the daemon says within [`WITHIN`]; the process ends before whoever still waits for it.
fn in_time<T: Send + 'static>(ask: impl FnOnce() -> Option<T> + Send + 'static) -> Option<T> {
    let (answer, answered) = channel();
    thread::spawn(move || answer.send(ask()));
    answered.recv_timeout(WITHIN).ok()?
}

/// Instances first, then users there, then each session.
fn named(sessions: &[SessionView], which: Which) -> Vec<Candidate> {
    let stuck = |state: &SessionState| matches!(state, SessionState::Revoking | SessionState::Lost);
    let meant = sessions.iter().filter(|session| match which {
        Which::All => true,
        Which::Active => session.state == SessionState::Active,
        Which::Stuck | Which::StuckIds => stuck(&session.state),
    });
    let (mut names, mut users) = (BTreeMap::new(), BTreeMap::new());
    let mut ids = Vec::new();
    for session in meant {
        let owner = match &session.username {
            Some(user) => format!("{user}@{}", session.instance),
            None => session.instance.clone(),
        };
        let about = format!("{owner}, {}", session.state.as_str());
        ids.extend(told(&session.id, &about));
        *names.entry(session.instance.clone()).or_insert(0) += 1;
        if session.username.is_some() {
            *users.entry(owner).or_insert(0) += 1;
        }
    }
    if which == Which::StuckIds {
        return ids;
    }
    let count = |(name, number): (String, usize)| {
        let sessions = if number == 1 { "session" } else { "sessions" };
        told(&name, &format!("{number} {sessions}"))
    };
    names
        .into_iter()
        .filter_map(count)
        .chain(users.into_iter().filter_map(count))
        .chain(ids)
        .collect()
}

/// A word that a person can see and a shell can take as it is: one that would be a flag, or that has in it what a
/// terminal obeys or nobody sees, is left out; its session has an id.
fn told(word: &str, about: &str) -> Option<Candidate> {
    let is_plain = !word.is_empty() && !word.starts_with('-') && printable(word) == word;
    is_plain.then(|| Candidate { word: word.to_owned(), about: printable(about).into_owned() })
}
