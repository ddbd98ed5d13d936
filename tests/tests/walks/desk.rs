//! A person's desk: an empty home, a keyring, a terminal, and a server that can be reached.

use securid_tests::{Ended, House, Plan, SecretService, Terminal, skipped};

/// What points out of the usual places, in the environment of tests.
const ELSEWHERE: [&str; 4] =
    ["SECURID_SOCKET", "SECURID_CONFIG", "SECURID_STATE_DIR", "SECURID_TEST_STORE"];

pub(super) struct Desk {
    // The daemon that is started in it ends before its keyring goes.
    pub(super) terminal: Terminal,
    pub(super) keyring: SecretService,
    pub(super) house: House,
}

impl Desk {
    /// A desk with nothing on it yet; none, and said so, where there can be none.
    pub(super) fn new() -> Option<Self> {
        if std::path::Path::new("/run/systemd/system").exists() {
            // `setup` would do its work with this machine's own user, and not in this home.
            skipped("this walk is for a machine without systemd");
            return None;
        }
        let house = House::build(Plan::default());
        let mut keyring = SecretService::bus(&house.path("home"))?;
        keyring.start();
        let terminal = Terminal::open(|shell| {
            house.furnish(shell);
            for name in ELSEWHERE {
                shell.env_remove(name);
            }
            shell.current_dir(house.path("home"));
        })?;
        Some(Self { terminal, keyring, house })
    }

    /// As the README has it, for the house's server.
    pub(super) fn set_up(&self) {
        let (url, ca) = (self.house.simulator.url(), self.house.path("ca.pem"));
        self.set_up_with(&setup(url, &format!("--ca-file {}", ca.display())));
    }

    /// The same by another line; what it says is to be done next is done.
    pub(super) fn set_up_with(&self, line: &str) {
        let said = self.step(line, 0, &["wrote"]);
        let next = next_step(&said);
        assert_eq!(next, "securid-ctl start");
        self.step(&next, 0, &["started"]);
    }

    /// The same once more, with what was wrong the first time; and what that says is to be done then.
    pub(super) fn set_up_again(&self) {
        let (url, ca) = (self.house.simulator.url(), self.house.path("ca.pem"));
        let again = setup(url, &format!("--ca-file {}", ca.display()));
        let said = self.step(&again, 0, &["updated"]);
        self.step(&next_step(&said), 0, &[]);
    }

    /// A line, how it ends, and what is on the screen then.
    #[track_caller]
    pub(super) fn step(&self, line: &str, exit: i32, words: &[&str]) -> String {
        self.terminal.begin(line);
        self.outcome(line, exit, words)
    }

    /// A login, with a password at the prompt. It is not to be seen, and the terminal is to be left as it
    /// was found.
    #[track_caller]
    pub(super) fn login(&self, password: &str, exit: i32, words: &[&str]) -> String {
        let (line, url) = ("kept securid-ctl login", self.house.simulator.url());
        let origin = url.strip_suffix("/aveksa").expect("the simulator's path");
        self.terminal.begin(line);
        self.terminal.answer_unseen(&format!("Password for alice at prod ({origin}):"), password);
        let text = self.outcome(line, exit, words);
        assert!(!self.terminal.everything().contains(password));
        text
    }

    #[track_caller]
    fn outcome(&self, line: &str, exit: i32, words: &[&str]) -> String {
        let Ended { status, text } = self.terminal.end();
        println!("$ {line}\n{text}\n-> {status}");
        assert_eq!(status, exit, "{line}: {text}");
        for word in words {
            assert!(text.contains(word), "{line}: no {word:?} in: {text}");
        }
        text
    }

    /// The next step after what was `said` is `doctor`, which finds nothing wrong but this check, and names the cause.
    #[track_caller]
    pub(super) fn doctor_tells(&self, said: &str, check: &str, cause: &str) {
        assert_eq!(next_step(said), "securid-ctl doctor");
        let found = self.step("securid-ctl doctor", 1, &[cause]);
        let wrong: Vec<_> = found.lines().filter(|line| line.starts_with("WRONG")).collect();
        assert!(matches!(wrong[..], [it] if it.contains(&format!(" {check} prod: "))), "{found}");
    }

    /// The tokens that the server accepts.
    pub(super) fn alive(&self) -> usize {
        self.house.simulator.truth().alive().len()
    }
}

/// The README's line.
pub(super) fn setup(url: &str, more: &str) -> String {
    format!("securid-ctl setup --url {url} --instance prod --username alice {more}")
}

/// The command that a message names as the next step: its first.
#[track_caller]
pub(super) fn next_step(said: &str) -> String {
    let named = said.split_once("securid-ctl ");
    let (_, words) = named.unwrap_or_else(|| panic!("no next step in: {said}"));
    let end = words.find([',', ';', '(', ')', '\n', '`']).unwrap_or(words.len());
    format!("securid-ctl {}", words[..end].trim_end_matches(['.', ':', ' ']))
}
