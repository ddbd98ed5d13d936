//! A console with a program in it, and with a person at it.
//!
//! Who presses a key has to be at the same console, and a test has none. So `securid-child` is started in a new one, starts
//! the program there, and does what the test puts into a file.

use std::ffi::OsString;
use std::fs;
use std::os::windows::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use securid_windows::control::{interrupt, look, on_control, type_in};

use crate::house::House;
use crate::patience::{PATIENCE, eventually};
use crate::process::Process;

/// A console of its own (`CREATE_NEW_CONSOLE`).
const NEW_CONSOLE: u32 = 0x10;

/// What stands in the file for Ctrl-C; anything else is typed.
const INTERRUPT: &str = "<interrupt>";

/// How often the person looks at the file.
const LOOK: Duration = Duration::from_millis(20);

/// How long the person stays at most: longer than any test takes.
const LIMIT: Duration = Duration::from_secs(120);

/// A program at a console of its own.
#[derive(Debug)]
pub struct Console {
    person: Process,
    /// What is to be done.
    wish: PathBuf,
    /// What is on the screen.
    seen: PathBuf,
    /// What the program says on stderr.
    said: PathBuf,
}

impl Console {
    /// Runs a command of this house there, its stdin and stdout being the console's. `child` is `securid-child`.
    ///
    /// # Panics
    /// If it cannot be started.
    #[must_use]
    pub fn open(house: &House, child: &Path, command: &Command) -> Self {
        let [wish, seen, said] = ["wish", "seen", "said"].map(|name| house.path(name));
        // Of an earlier one.
        let _ = fs::remove_file(&seen);
        let mut person = Command::new(child);
        person
            .arg("console")
            .args([&wish, &seen])
            .arg(command.get_program())
            .args(command.get_args());
        house.furnish(&mut person);
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => person.env(name, value),
                None => person.env_remove(name),
            };
        }
        person.stderr(fs::File::create(&said).expect("the folder is ours"));
        person.creation_flags(NEW_CONSOLE);
        Self { person: Process::start(person), wish, seen, said }
    }

    /// Has the console tell its programs of Ctrl-C, as the system does it (Wine cannot do the same for Ctrl-Break).
    pub fn interrupt(&self) {
        self.have_done(INTERRUPT);
    }

    /// Types this, a carriage return being Enter.
    pub fn type_in(&self, text: &str) {
        self.have_done(text);
    }

    /// What is on the screen, once these words are.
    ///
    /// # Panics
    /// If they never are.
    pub fn eventually_shows(&self, words: &str) -> String {
        let seen = || fs::read_to_string(&self.seen).ok().filter(|seen| seen.contains(words));
        eventually("the console to show it", seen)
    }

    /// What the program has said on stderr until now.
    #[must_use]
    pub fn said(&self) -> String {
        fs::read_to_string(&self.said).unwrap_or_default()
    }

    /// The program's end.
    pub fn wait(&mut self) -> ExitStatus {
        self.person.wait(PATIENCE)
    }

    fn have_done(&self, what: &str) {
        let draft = self.wish.with_extension("draft");
        fs::write(&draft, what).expect("the folder is ours");
        fs::rename(&draft, &self.wish).expect("the folder is ours");
        eventually("the person at the console", || {
            assert!(!self.said().contains("panicked"), "{}", self.said());
            (!self.wish.exists()).then_some(())
        });
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        if thread::panicking() {
            let seen = fs::read_to_string(&self.seen).unwrap_or_default();
            eprintln!("--- the screen ---\n{seen}--- stderr ---\n{}", self.said());
        }
    }
}

/// The person: starts the program, writes down what is on the screen in the file `seen`, and does what stands in the file
/// `wish` as soon as it is there. With the program's status.
///
/// # Panics
/// If there is no console, or the program does not end.
#[must_use]
pub fn sit_at_it(wish: &Path, seen: &Path, program: &str, words: &[OsString]) -> i32 {
    on_control(|_| true).expect("it can be caught");
    let mut command = Command::new(program);
    command.args(words).stdin(at("CONIN$")).stdout(at("CONOUT$"));
    let mut running = Process::start(command);
    let (began, mut last) = (Instant::now(), String::new());
    while began.elapsed() < LIMIT {
        let ended = running.ended();
        let screen = look().expect("there is a console");
        if screen != last {
            fs::write(seen, &screen).expect("the folder is ours");
            last = screen;
        }
        if let Some(status) = ended {
            return status.code().expect("Windows has no signals");
        }
        if let Ok(wished) = fs::read_to_string(wish) {
            match &*wished {
                INTERRUPT => interrupt(),
                text => type_in(text),
            }
            .expect("there is a console");
            fs::remove_file(wish).expect("the folder is ours");
        }
        thread::sleep(LOOK);
    }
    panic!("{program} does not end");
}

/// A side of the console, whatever this process's own input and output are.
fn at(side: &str) -> fs::File {
    let both_ways = fs::OpenOptions::new().read(true).write(true).open(side);
    both_ways.expect("there is a console")
}
