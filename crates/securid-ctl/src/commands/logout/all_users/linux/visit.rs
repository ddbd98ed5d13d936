//! Running our programs as another user: with nothing of root's, and each wait with a limit.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use securid_ipc::{
    client::ConnectError,
    duration::format_duration,
    messages::{DrainView, LogoutItem, SessionState, StatusView},
};
use securid_trust::Standing;
use serde::{Deserialize, de::DeserializeOwned};

use super::{
    PATH,
    people::{Account, Person},
};
use crate::{
    failure::{FAILED, Failure},
    program::{self, Ended},
};

/// How much longer than told a program may take: `--drain` takes 3 s, the rest is for whoever opens the
/// user's session (PAM), and for a directory on the network.
const MARGIN: Duration = Duration::from_secs(8);

/// How much a program may say in bytes: as much as the daemon in an answer.
const MOST_SAID: u64 = 1024 * 1024;

/// How long systemd may take to start a unit of ours.
const START_WITHIN: Duration = Duration::from_secs(15);

/// The daemon and this program, as they are run as others.
#[derive(Debug, Clone)]
pub(super) struct Programs {
    daemon: PathBuf,
    ctl: PathBuf,
}

impl Programs {
    /// Those that stand beside each other where this process comes from.
    ///
    /// # Errors
    /// If somebody else than root could put others into their place.
    pub(super) fn find() -> Result<Self, Failure> {
        let us = program::ourselves()?;
        Ok(Self { daemon: trusted(&us.with_file_name("securid-sessiond"))?, ctl: trusted(&us)? })
    }
}

fn trusted(program: &Path) -> Result<PathBuf, Failure> {
    let refused = |why: String| {
        Failure::new("untrusted", why, FAILED).with_hint(
            "It is run as every user: have both programs in a folder of root's, as the package does.",
        )
    };
    let path = securid_trust::real_path(program).map_err(|error| refused(error.to_string()))?;
    let about = Standing::at(&path)
        .map_err(|error| refused(format!("cannot look at {}: {error}", path.display())))?;
    if !about.is_roots() || about.is_writable_by_others() {
        return Err(refused(format!("others can write to {}", path.display())));
    }
    Ok(path)
}

/// How far a user's sessions came.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// By id.
    pub(super) sessions: BTreeMap<String, LogoutItem>,
    /// How many there are besides, none worse than those.
    pub(super) unlisted: u32,
    /// Those without a good record.
    pub(super) undecided: u32,
    /// What went wrong, in a user's own words; and whether sessions are left for sure.
    pub(super) error: Option<String>,
    pub(super) is_left: bool,
}

/// Has everything of this user revoked, through his daemons or without.
pub(super) fn visit(
    account: &Account,
    person: &Person,
    programs: &Programs,
    timeout: Duration,
) -> Outcome {
    let mut homes = person.homes.clone();
    if person.socket {
        homes.insert(account.home.clone());
    }
    let unit = || person.unit.then(|| drain_unit(account, person.unit_recorded, programs, timeout));
    // One whose records are elsewhere than usual is only found by its socket.
    let daemon = || person.socket.then(|| ask(account, programs, timeout));
    let (homes, unit, daemon) = thread::scope(|scope| {
        let drain = |home| move || drain(account, home, &[], programs, timeout);
        let homes: Vec<_> = homes.iter().map(|home| scope.spawn(drain(home))).collect();
        let (unit, daemon) = (scope.spawn(unit), scope.spawn(daemon));
        let homes: Vec<_> = homes.into_iter().filter_map(|home| home.join().ok()).collect();
        (homes, unit.join(), daemon.join())
    });
    let mut outcome = Outcome::default();
    for said in homes.into_iter().chain(unit.unwrap_or_default()) {
        outcome.note(said);
    }
    if let Some(said) = daemon.unwrap_or_default() {
        outcome.note_daemon(said);
    }
    outcome
}

/// What a program said, and whether it says that sessions are left; else what went wrong.
type Said = Result<(DrainView, bool), String>;

impl Outcome {
    fn note(&mut self, said: Said) {
        let (view, is_left) = match said {
            Ok(said) => said,
            Err(error) => {
                self.error.get_or_insert(error);
                return;
            }
        };
        self.is_left |= is_left;
        self.error = self.error.take().or(view.error);
        self.undecided = self.undecided.saturating_add(view.undecided);
        // The same daemon may have been asked twice.
        self.unlisted = self.unlisted.max(view.done.unlisted);
        for item in view.done.sessions {
            if item.state == SessionState::Ended || !self.sessions.contains_key(&item.id) {
                self.sessions.insert(item.id.clone(), item);
            }
        }
    }

    /// What the daemon at his socket said: that of his home, or another.
    fn note_daemon(&mut self, said: Said) {
        match said {
            // There is none any more, and what has records in the usual places has told of them.
            Err(error) if !self.is_blank() && is_nobody(&error) => {}
            Ok((mut view, is_left)) => {
                // The same daemon may have been asked twice.
                view.undecided = view.undecided.saturating_sub(self.undecided);
                self.note(Ok((view, is_left)));
            }
            said => self.note(said),
        }
    }

    fn is_blank(&self) -> bool {
        self.sessions.is_empty() && self.undecided == 0 && self.error.is_none()
    }
}

fn ask(account: &Account, programs: &Programs, timeout: Duration) -> Said {
    let until = Instant::now() + timeout + MARGIN;
    let ask = |words: &[&str]| {
        let left = until.saturating_duration_since(Instant::now());
        run(as_user(account, &account.home, &[], &programs.ctl, words), left)
    };
    let logout = ask(&["logout", "--json", "--timeout", &format_duration(timeout)])?;
    let (mut view, is_left) = said(&logout)?;
    view.undecided = undecided(&ask(&["status", "--json"])?)?;
    Ok((view, is_left))
}

fn drain(
    account: &Account,
    home: &Path,
    variables: &[String],
    programs: &Programs,
    timeout: Duration,
) -> Said {
    let words = ["--log", "off", "--drain", "--json", "--timeout", &format_duration(timeout)];
    let command = as_user(account, home, variables, &programs.daemon, &words);
    let ended = run(command, timeout + MARGIN)?;
    said(&ended)
}

fn drain_unit(account: &Account, recorded: bool, programs: &Programs, timeout: Duration) -> Said {
    let uid = account.uid;
    if recorded {
        // The unit alone is given the key. Where it cannot be started, what can be done without is done.
        let mut start = Command::new("systemctl");
        start.env("PATH", PATH).args(["start", &format!("securid-sessiond@{uid}.service")]);
        let _ = program::run(start, START_WITHIN);
    }
    let variables = [
        format!("SECURID_STATE_DIR=/var/lib/securid/{uid}"),
        format!("SECURID_SOCKET=/run/securid/{uid}/sessiond.sock"),
    ];
    drain(account, &account.home, &variables, programs, timeout)
}

fn run(command: Command, within: Duration) -> Result<Ended, String> {
    program::run_bounded(command, within, MOST_SAID)
        .map_err(|failure| format!("the visit failed: {}", failure.message()))
}

/// The program as that user, in a session of its own from the beginning: whoever has root's terminal could type
/// into it. Of root's environment it has nothing.
fn as_user(
    account: &Account,
    home: &Path,
    variables: &[String],
    program: &Path,
    words: &[&str],
) -> Command {
    let Account { name, uid, .. } = account;
    let mut command = Command::new("setsid");
    command.args(["runuser", "-u", name, "--", "/usr/bin/env", "-i", "PATH=/usr/bin:/bin"]);
    command.arg(format!("HOME={}", home.display())).arg(format!("USER={name}"));
    command.arg(format!("XDG_RUNTIME_DIR=/run/user/{uid}"));
    command.arg(format!("DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/{uid}/bus"));
    command.args(variables).arg(program).args(words);
    command.env_clear().env("PATH", PATH).current_dir("/");
    command
}

/// What a program says of sessions on its way out.
fn said(ended: &Ended) -> Said {
    let is_left = ended.status.code() == Some(i32::from(super::PENDING));
    Ok((shown(ended)?, is_left))
}

/// Of how many sessions without a good record the daemon that was asked knows nothing.
fn undecided(status: &Ended) -> Result<u32, String> {
    match shown::<StatusView>(status) {
        Ok(status) => Ok(status.undecided),
        // It had nothing to do any more, or there was none.
        Err(error) if is_nobody(&error) => Ok(0),
        Err(error) => Err(error),
    }
}

/// Whether it says that there is no daemon.
fn is_nobody(error: &str) -> bool {
    error.starts_with(&ConnectError::NoDaemon { tried: Vec::new() }.to_string())
}

/// What a program shows with `--json`; else what went wrong, in its words.
fn shown<T: DeserializeOwned>(ended: &Ended) -> Result<T, String> {
    #[derive(Deserialize)]
    struct Refused {
        error: Why,
    }
    #[derive(Deserialize)]
    struct Why {
        message: String,
    }
    if let Ok(view) = serde_json::from_str(&ended.out) {
        return Ok(view);
    }
    let complaint = ended.complaint();
    let refused = serde_json::from_str::<Refused>(&complaint);
    Err(refused.map_or(complaint, |refused| refused.error.message))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::{os::unix::process::ExitStatusExt as _, process::ExitStatus};

    use super::*;

    fn ended(status: i32, out: &str, err: &str) -> Ended {
        let status = ExitStatus::from_raw(status << 8);
        Ended { status, out: out.to_owned(), err: err.to_owned() }
    }

    #[test]
    fn whatever_a_program_says_is_understood_or_an_error() {
        let (view, is_left) = said(&ended(75, r#"{"sessions":[],"new":1}"#, "")).unwrap();
        assert!(view.done.sessions.is_empty() && is_left);
        assert!(!said(&ended(0, r#"{"sessions":[]}"#, "")).unwrap().1);
        let refused = r#"{"error":{"code":"x","message":"not today","hint":null}}"#;
        assert_eq!(said(&ended(69, "", refused)).unwrap_err(), "not today");
        assert_eq!(said(&ended(74, "", "no disk\n")).unwrap_err(), "no disk");
        for out in [
            "",
            "{}",
            "[]",
            "nothing",
            r#"{"sessions":[{"id":1}]}"#,
            r#"{"sessions":[],"unlisted":-1}"#,
        ] {
            assert!(said(&ended(0, out, "")).is_err(), "{out}");
        }
    }

    #[test]
    fn a_session_that_is_told_of_twice_is_one_and_its_end_counts() {
        let mut outcome = Outcome::default();
        for state in ["revoking", "ended", "revoking"] {
            let out = format!(
                r#"{{"sessions":[{{"id":"1","instance":"a","state":"{state}","outcome":null,"last_error":null,"durable":true}}]}}"#
            );
            outcome.note(said(&ended(0, &out, "")));
        }
        assert_eq!(outcome.sessions.len(), 1);
        assert_eq!(outcome.sessions["1"].state, SessionState::Ended);
    }

    /// A daemon whose records are elsewhere is found by its socket alone, and may stand beside that of the home.
    #[test]
    fn a_daemon_elsewhere_that_does_not_answer_is_told_of() {
        let revoked = r#"{"sessions":[{"id":"1","instance":"a","state":"ended","outcome":null,"last_error":null,"durable":true}]}"#;
        let at_home = || {
            let mut outcome = Outcome::default();
            outcome.note(said(&ended(0, revoked, "")));
            outcome
        };
        let complaint = |what: &str| format!(r#"{{"error":{{"code":"x","message":"{what}"}}}}"#);
        let mut frozen = at_home();
        frozen.note_daemon(said(&ended(69, "", &complaint("the daemon at /x does not answer"))));
        assert_eq!(frozen.error.as_deref(), Some("the daemon at /x does not answer"));
        // Its socket was left behind.
        let gone = complaint("no daemon is running, and sessions are recorded in /x: 1");
        let mut gone_at_home = at_home();
        gone_at_home.note_daemon(said(&ended(69, "", &gone)));
        assert_eq!(gone_at_home.error, None);
        let mut gone_alone = Outcome::default();
        gone_alone.note_daemon(said(&ended(69, "", &gone)));
        assert!(gone_alone.error.is_some());
    }

    #[test]
    fn what_a_daemon_elsewhere_cannot_decide_is_told_of_once() {
        let status = |undecided: u32| {
            format!(
                r#"{{"version":"1","pid":1,"started_at":"2026-01-01T00:00:00Z","sessions":{{}},
                "undecided":{undecided},"oldest_pending_seconds":null,"keyring":{{"kind":"keyutils",
                "state":"ready","survives_reboot":false}},"instances":[],"problems":[]}}"#
            )
        };
        assert_eq!(undecided(&ended(1, &status(2), "")), Ok(2));
        let gone = r#"{"error":{"code":"daemon-unreachable","message":"no daemon is running"}}"#;
        assert_eq!(undecided(&ended(69, "", gone)), Ok(0));
        assert!(undecided(&ended(69, "", "it hangs")).is_err());
        let says = |undecided| Ok((DrainView { undecided, ..DrainView::default() }, false));
        let mut outcome = Outcome::default();
        outcome.note(says(1));
        outcome.note_daemon(says(1));
        assert_eq!(outcome.undecided, 1, "that of the home");
        outcome.note_daemon(says(3));
        assert_eq!(outcome.undecided, 3);
    }

    #[test]
    fn programs_that_others_could_replace_are_not_run() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("securid-sessiond");
        assert!(trusted(&program).is_err(), "there is none");
        std::fs::write(&program, "").unwrap();
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        std::fs::set_permissions(&program, open).unwrap();
        assert!(trusted(&program).is_err());
    }
}
