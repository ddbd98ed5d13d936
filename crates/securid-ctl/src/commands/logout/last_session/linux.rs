//! What logind and the tree of processes say.
//!
//! A shell that exits says so to its `~/.bash_logout` whether it is the login itself, one of several,
//! a terminal's tab or a pane of tmux. Only logind knows the logins, and only the tree of processes
//! tells which shell a login ends with. Where either cannot be seen, nothing is ended.

mod logind;

use std::collections::HashMap;

/// A login, as logind has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Session {
    pub(super) id: String,
    pub(super) uid: u32,
    pub(super) class: String,
    pub(super) state: String,
    /// The process that opened it: sshd's, login's, or the shell itself.
    pub(super) leader: u32,
}

/// A process that lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) name: String,
    pub(super) parent: u32,
}

/// What is known when the shell ends.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    pub(super) uid: u32,
    /// The session that we belong to, if to any.
    pub(super) own: Option<String>,
    /// This user's sessions.
    pub(super) sessions: Vec<Session>,
    /// The process that runs us.
    pub(super) shell: u32,
    /// All processes by their number.
    pub(super) processes: HashMap<u32, Process>,
}

/// Whether the last login ends.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// It does.
    Last,
    /// It goes on, in these words.
    GoesOn(&'static str),
    /// Nobody can say.
    Unknown(String),
}

/// Why the last login does not end with the shell that runs us; none if it does.
///
/// # Errors
/// Why nobody can say.
pub(in super::super) fn look() -> Result<Option<&'static str>, String> {
    let facts = logind::facts().map_err(|failure| failure.message().to_owned())?;
    match judge(&facts) {
        Verdict::Last => Ok(None),
        Verdict::GoesOn(why) => Ok(Some(why)),
        Verdict::Unknown(why) => Err(why),
    }
}

/// Decides by what is known.
fn judge(facts: &Facts) -> Verdict {
    use Verdict::{GoesOn, Last, Unknown};
    let Some(own) = &facts.own else {
        return GoesOn("this shell belongs to no login session of its own");
    };
    let Some(session) = facts.sessions.iter().find(|session| session.id == *own) else {
        return GoesOn("this shell's login session is not this user's");
    };
    match ends_with_shell(session, facts) {
        Some(Ends::WithThis) => {}
        Some(Ends::WithOthersToo) => return GoesOn("this login session has another shell"),
        Some(Ends::WithoutIt) => return GoesOn("this login session does not end with this shell"),
        None => return Unknown("the processes of this login session cannot be seen".to_owned()),
    }
    let goes_on = |other: &&Session| {
        // Not those of greeters, of cron and of the user's manager.
        other.id != *own
            && other.uid == facts.uid
            && other.class.starts_with("user")
            && other.state != "closing"
    };
    match facts.sessions.iter().any(|other| goes_on(&other)) {
        true => GoesOn("another login session of this user goes on"),
        false => Last,
    }
}

/// How a session and a shell belong together.
enum Ends {
    WithThis,
    WithOthersToo,
    WithoutIt,
}

/// What systemd leaves beside a program for which it has opened the login (`PAMName=`), as `machinectl
/// shell` has it do.
const OPENED_BY_SYSTEMD: &str = "(sd-pam)";

/// A login ends with its leader, or with the shell that the leader has started, itself or through
/// more of its own program, as sshd does. One connection of sshd may have several shells.
fn ends_with_shell(session: &Session, facts: &Facts) -> Option<Ends> {
    if facts.shell == session.leader {
        return Some(Ends::WithThis);
    }
    let of = |pid: u32| facts.processes.get(&pid);
    let door = &of(session.leader)?.name;
    // A leader that is a shell itself has shells in it that are no logins.
    let is_shell = of(facts.shell)?.name == *door
        || facts
            .processes
            .values()
            .any(|process| process.parent == session.leader && process.name == OPENED_BY_SYSTEMD);
    if is_shell {
        return Some(Ends::WithoutIt);
    }
    let mut doors = Vec::new();
    let mut above = of(facts.shell)?.parent;
    // No tree is deeper than there are processes.
    for _ in 0..facts.processes.len() {
        let Some(process) = of(above).filter(|process| process.name == *door) else {
            return Some(Ends::WithoutIt);
        };
        doors.push(above);
        if above == session.leader {
            let is_other = |(pid, process): (&u32, &Process)| {
                *pid != facts.shell && doors.contains(&process.parent) && process.name != *door
            };
            return Some(match facts.processes.iter().any(is_other) {
                true => Ends::WithOthersToo,
                false => Ends::WithThis,
            });
        }
        above = process.parent;
    }
    Some(Ends::WithoutIt)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// sshd with a shell; a pane of tmux; a desktop with a terminal; a console.
    const PROCESSES: &[(u32, &str, u32)] = &[
        (1, "systemd", 0),
        (10, "sshd", 1),
        (11, "sshd", 10),
        (12, "sshd", 11),
        (13, "bash", 12),
        (14, "bash", 13),
        (20, "tmux: server", 1),
        (21, "bash", 20),
        (30, "gdm-session-wor", 1),
        (31, "gnome-session-b", 30),
        (32, "gnome-terminal-", 1),
        (33, "bash", 32),
        (34, "xterm", 31),
        (35, "bash", 34),
        (40, "login", 1),
        (41, "zsh", 40),
        (50, "bash", 1),
        (51, "bash", 50),
        (60, "bash", 1),
        (61, "(sd-pam)", 60),
        (62, "zsh", 60),
    ];

    fn session(id: &str, leader: u32) -> Session {
        let [class, state] = ["user", "active"].map(str::to_owned);
        Session { id: id.to_owned(), uid: 1000, class, state, leader }
    }

    fn facts(own: Option<&str>, shell: u32, sessions: &[Session]) -> Facts {
        let process = |(pid, name, parent): &(u32, &str, u32)| {
            (*pid, Process { name: (*name).to_owned(), parent: *parent })
        };
        Facts {
            uid: 1000,
            own: own.map(str::to_owned),
            sessions: sessions.to_vec(),
            shell,
            processes: PROCESSES.iter().map(process).collect(),
        }
    }

    fn is_last(facts: &Facts) -> bool {
        match judge(facts) {
            Verdict::Last => true,
            Verdict::GoesOn(_) => false,
            Verdict::Unknown(why) => panic!("{why}"),
        }
    }

    #[test]
    fn a_login_ends_with_its_own_shell_and_with_no_other() {
        for (own, shell, leader, last, what) in [
            (Some("1"), 13, 11, true, "sshd's shell"),
            (Some("1"), 13, 12, true, "sshd's shell, opened by its last process"),
            (Some("1"), 41, 40, true, "a console's"),
            (Some("1"), 50, 50, true, "a shell that is the leader itself"),
            (Some("1"), 60, 60, true, "the same, opened by systemd"),
            (Some("1"), 51, 50, false, "a shell in such a one"),
            (Some("1"), 62, 60, false, "another shell in such a one"),
            (Some("1"), 14, 11, false, "a shell in the shell"),
            (Some("1"), 21, 11, false, "a pane of tmux, started in the login"),
            (Some("1"), 21, 99, false, "the same after that login has ended"),
            (Some("1"), 35, 30, false, "a terminal in the login of a desktop"),
            (None, 33, 30, false, "a tab of a terminal that the user's manager runs"),
            (Some("2"), 13, 11, false, "another user's login"),
        ] {
            let facts = facts(own, shell, &[session("1", leader)]);
            match leader {
                // Gone, so nothing can be seen of it; nothing is ended either.
                99 => assert!(matches!(judge(&facts), Verdict::Unknown(_)), "{what}"),
                _ => assert_eq!(is_last(&facts), last, "{what}"),
            }
        }
    }

    #[test]
    fn another_login_of_the_same_user_goes_on_unless_it_closes() {
        let others: [(&str, u32, &str, &str, bool); 10] = [
            ("2", 1000, "user", "active", false),
            ("2", 1000, "user", "online", false),
            ("2", 1000, "user", "opening", false),
            ("2", 1000, "user-early", "active", false),
            ("2", 1000, "user", "closing", true),
            ("2", 1000, "background", "active", true),
            ("2", 1000, "manager", "active", true),
            ("2", 1000, "greeter", "active", true),
            ("2", 1000, "lock-screen", "active", true),
            ("2", 1001, "user", "active", true),
        ];
        for (id, uid, class, state, last) in others {
            let [class, state] = [class, state].map(str::to_owned);
            let other = Session { id: id.to_owned(), uid, class, state, leader: 40 };
            let sessions = [session("1", 11), other.clone()];
            assert_eq!(is_last(&facts(Some("1"), 13, &sessions)), last, "{other:?}");
        }
    }

    #[test]
    fn one_connection_may_have_several_shells() {
        let mut facts = facts(Some("1"), 13, &[session("1", 11)]);
        facts.processes.insert(15, Process { name: "bash".to_owned(), parent: 12 });
        assert!(!is_last(&facts));
        facts.processes.insert(15, Process { name: "sshd".to_owned(), parent: 12 });
        assert!(is_last(&facts), "one of sshd's own");
    }

    #[test]
    fn what_cannot_be_seen_ends_nothing() {
        let mut facts = facts(Some("1"), 13, &[session("1", 11)]);
        facts.processes.retain(|_, process| process.name != "sshd");
        assert!(matches!(judge(&facts), Verdict::Unknown(_)));
        facts.processes.clear();
        assert!(matches!(judge(&facts), Verdict::Unknown(_)));
    }

    #[test]
    fn a_tree_that_goes_round_ends() {
        let mut facts = facts(Some("1"), 13, &[session("1", 11)]);
        facts.processes.insert(12, Process { name: "sshd".to_owned(), parent: 12 });
        assert!(!is_last(&facts));
    }
}
