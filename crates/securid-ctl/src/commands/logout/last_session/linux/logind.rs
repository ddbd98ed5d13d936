//! What logind and the kernel say about logins and processes.

use std::{
    collections::HashMap,
    fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use super::{Facts, Process, Session};
use crate::{
    failure::{FAILED, Failure},
    program,
};

/// logind answers from memory, in milliseconds, unless it hangs.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// How often sessions are looked at, if one has ended meanwhile.
const TRIES: usize = 3;

/// Gathers what there is to know.
///
/// # Errors
/// If there is no logind, or it does not answer.
pub(super) fn facts() -> Result<Facts, Failure> {
    // As sd-login has it.
    if !Path::new("/run/systemd/seats").is_dir() {
        return Err(Failure::new("logind", "no logind runs here", FAILED));
    }
    let uid = rustix::process::getuid().as_raw();
    let shell = std::os::unix::process::parent_id();
    let own = fs::read_to_string("/proc/self/cgroup").ok().as_deref().and_then(own_session);
    let sessions = match &own {
        Some(_) => settled_sessions(uid)?,
        None => Vec::new(),
    };
    Ok(Facts { uid, own, sessions, shell, processes: processes() })
}

/// One that ends between the two questions makes the second fail.
fn settled_sessions(uid: u32) -> Result<Vec<Session>, Failure> {
    let until = Instant::now() + ANSWER_WITHIN;
    let mut found = sessions(uid);
    for _ in 1..TRIES {
        if found.is_err() && Instant::now() < until {
            found = sessions(uid);
        }
    }
    found
}

fn sessions(uid: u32) -> Result<Vec<Session>, Failure> {
    let ids = loginctl(&["show-user", &uid.to_string(), "--property", "Sessions", "--value"])?;
    let mut words = vec!["show-session"];
    words.extend(ids.split_whitespace());
    if words.len() == 1 {
        return Ok(Vec::new());
    }
    for property in ["Id", "User", "Class", "State", "Leader"] {
        words.extend(["--property", property]);
    }
    Ok(parse_sessions(&loginctl(&words)?))
}

fn loginctl(words: &[&str]) -> Result<String, Failure> {
    let mut command = Command::new("loginctl");
    command.args(["--no-pager", "--no-ask-password"]).args(words);
    let ended = program::run(command, ANSWER_WITHIN)?;
    match ended.status.success() {
        true => Ok(ended.out),
        false => Err(Failure::new("logind", ended.complaint(), FAILED)),
    }
}

/// The session in whose scope a process runs; `None` in none, as in one of the user's manager.
fn own_session(cgroup: &str) -> Option<String> {
    let parts = cgroup.lines().flat_map(|line| line.split('/'));
    let mut scopes = parts.filter_map(|it| it.strip_prefix("session-")?.strip_suffix(".scope"));
    scopes.next().map(str::to_owned)
}

/// Sessions as `NAME=VALUE` lines, with an empty line between two.
fn parse_sessions(text: &str) -> Vec<Session> {
    text.split("\n\n").filter_map(parse_session).collect()
}

fn parse_session(lines: &str) -> Option<Session> {
    let value = |name: &str| {
        let mut pairs = lines.lines().filter_map(|line| line.split_once('='));
        pairs.find(|(found, _)| *found == name).map(|(_, value)| value.to_owned())
    };
    Some(Session {
        id: value("Id")?,
        uid: value("User")?.parse().ok()?,
        class: value("Class")?,
        state: value("State")?,
        // None, once it has gone.
        leader: value("Leader").and_then(|pid| pid.parse().ok()).unwrap_or(0),
    })
}

/// All processes that can be seen.
fn processes() -> HashMap<u32, Process> {
    let folders = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = folders.filter_map(|folder| folder.file_name().to_str()?.parse().ok());
    let of =
        |pid: u32| Some((pid, parse_stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)?));
    pids.filter_map(of).collect()
}

/// A line of `/proc/PID/stat`: `13 (bash) S 12 …`, where a name may have anything in it. None for one
/// that has ended and is still to be waited for.
fn parse_stat(line: &str) -> Option<Process> {
    let (before, after) = line.rsplit_once(')')?;
    let (_, name) = before.split_once('(')?;
    let mut fields = after.split_whitespace();
    let (state, parent) = (fields.next()?, fields.next()?.parse().ok()?);
    (!matches!(state, "Z" | "X")).then(|| Process { name: name.to_owned(), parent })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_told_by_its_scope() {
        for (cgroup, session) in [
            ("0::/user.slice/user-1000.slice/session-3.scope\n", Some("3")),
            ("0::/user.slice/user-1000.slice/session-c12.scope/sub\n", Some("c12")),
            (
                "12:pids:/user.slice\n1:name=systemd:/user.slice/user-0.slice/session-7.scope\n",
                Some("7"),
            ),
            ("0::/user.slice/user-1000.slice/user@1000.service/app.slice/a.scope\n", None),
            ("0::/\n", None),
            ("", None),
        ] {
            assert_eq!(own_session(cgroup).as_deref(), session, "{cgroup}");
        }
    }

    #[test]
    fn sessions_are_read_whatever_their_order_of_lines() {
        let text = "Id=3\nUser=1000\nLeader=77\nClass=user\nState=active\n\n\
                    State=closing\nId=c4\nUser=1000\nLeader=\nClass=background\n\nId=5\n";
        let session = |id: &str, class: &str, state: &str, leader| {
            let [id, class, state] = [id, class, state].map(str::to_owned);
            Session { id, uid: 1000, class, state, leader }
        };
        assert_eq!(
            parse_sessions(text),
            [session("3", "user", "active", 77), session("c4", "background", "closing", 0)]
        );
        assert_eq!(parse_sessions(""), []);
    }

    #[test]
    fn a_processs_name_may_have_anything_in_it() {
        for (line, found) in [
            ("13 (bash) S 12 13 13 0", Some(("bash", 12))),
            ("20 (tmux: server) S 1 20", Some(("tmux: server", 1))),
            ("21 (a) R 1 (b) S 7 1", Some(("a) R 1 (b", 7))),
            ("22 (bash) Z 12 13", None),
            ("22", None),
            ("22 (bash) S", None),
        ] {
            let found = found.map(|(name, parent)| Process { name: name.to_owned(), parent });
            assert_eq!(parse_stat(line), found, "{line}");
        }
    }
}
