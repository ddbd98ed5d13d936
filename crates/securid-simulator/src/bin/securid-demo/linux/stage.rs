//! The folder, the server and the daemon, and how they go again.

use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use securid_simulator::{Fault, Options, Simulator};

use crate::linux::daemon::Daemon;
use crate::linux::keyring;
use crate::linux::screen::Screen;
use crate::linux::step::{Step, expect_alive};
use crate::linux::surroundings::{CA, CONFIG, LOG, Surroundings};
use crate::linux::trouble::Trouble;

/// Between two tries of a line that is typed until it says what is announced.
const AGAIN: Duration = Duration::from_millis(200);

/// Everything that the story needs. Dropped, it revokes what is left and leaves nothing behind.
pub(crate) struct Stage<'a> {
    screen: &'a Screen,
    interrupted: Arc<AtomicBool>,
    daemon: Option<Daemon>,
    simulator: Simulator,
    surroundings: Surroundings,
    steps: usize,
}

impl<'a> Stage<'a> {
    /// Starts the server, and finds out which keyring the daemon may use.
    pub(crate) fn set(
        screen: &'a Screen,
        programs: PathBuf,
        interrupted: Arc<AtomicBool>,
    ) -> Result<Self, Trouble> {
        let mut surroundings = Surroundings::new(programs)?;
        let simulator = Simulator::start(Options::default())?;
        surroundings.write(CA, simulator.ca_pem())?;
        let ca = surroundings.path(CA);
        surroundings.write(CONFIG, &config(simulator.url(), &ca, "keyutils"))?;
        if !keyring::kernel_serves(&surroundings)? {
            let (store, in_memory) = keyring::test_store()?;
            screen.tell(&format!(
                "The kernel's keyring is barred here. The demo goes on with a store that only it \
                 and the tests can choose: {}, {}.",
                if in_memory { "in memory" } else { "ON DISK, since no memory can be had" },
                store.path().display()
            ))?;
            surroundings.test_store = Some(store);
            surroundings.write(CONFIG, &config(simulator.url(), &ca, "test"))?;
        }
        Ok(Self { screen, interrupted, daemon: None, simulator, surroundings, steps: 0 })
    }

    pub(crate) fn screen(&self) -> &Screen {
        self.screen
    }

    pub(crate) fn simulator(&self) -> &Simulator {
        &self.simulator
    }

    pub(crate) fn surroundings(&self) -> &Surroundings {
        &self.surroundings
    }

    /// How many steps were begun.
    pub(crate) fn steps(&self) -> usize {
        self.steps
    }

    /// Begins a step, with what it announces.
    pub(crate) fn begin(&mut self, announced: &str) -> Result<(), Trouble> {
        self.steps += 1;
        Ok(self.screen.heading(self.steps, announced)?)
    }

    /// Types a line, shows what comes of it, and compares that with what is announced.
    pub(crate) fn run(&self, step: &Step<'_>) -> Result<(), Trouble> {
        self.screen.typed(step.typed)?;
        let deadline = Instant::now() + step.within;
        let (ran, compared) = loop {
            if self.interrupted.load(Ordering::Relaxed) {
                return Err(Trouble::Interrupted);
            }
            let ran = step.run(&self.surroundings, &self.interrupted)?;
            let compared = step.compare(&ran, &self.simulator.truth());
            if compared.is_ok() || Instant::now() > deadline {
                break (ran, compared);
            }
            thread::sleep(AGAIN);
        };
        self.screen.output(&ran.output)?;
        if ran.exit != 0 {
            self.screen.exit(ran.exit)?;
        }
        self.show_truth()?;
        compared
    }

    /// The server goes down, or comes back.
    pub(crate) fn server_is_down(&self, down: bool) -> Result<(), Trouble> {
        self.simulator.set_fault(down.then_some(Fault::Down));
        let what = if down { "goes down: it refuses connections" } else { "comes back" };
        Ok(self.screen.tell(&format!("(The server {what}.)"))?)
    }

    /// Starts the daemon.
    pub(crate) fn start_daemon(&mut self) -> Result<(), Trouble> {
        self.screen.typed(&format!("securid-sessiond 2>> {LOG} &"))?;
        let daemon = self.daemon.insert(Daemon::start(&self.surroundings)?);
        Ok(self.screen.output(&format!("pid {}", daemon.pid()))?)
    }

    /// Sends the daemon a signal by a typed line, and waits until it has ended.
    pub(crate) fn kill_daemon(&mut self, typed: &str) -> Result<ExitStatus, Trouble> {
        let mut daemon =
            self.daemon.take().ok_or_else(|| Trouble::Daemon("does not run".to_owned()))?;
        let typed = format!("{typed} {}", daemon.pid());
        self.screen.typed(&typed)?;
        Step::new(&typed, 0).run(&self.surroundings, &self.interrupted)?;
        let ended = daemon.wait()?;
        self.screen.output(&format!("the daemon has ended: {ended}"))?;
        Ok(ended)
    }

    /// Shows how many tokens the server accepts, and compares.
    pub(crate) fn expect_alive(&self, expected: usize) -> Result<(), Trouble> {
        self.show_truth()?;
        expect_alive(expected, &self.simulator.truth())
    }

    fn show_truth(&self) -> Result<(), Trouble> {
        let truth = self.simulator.truth();
        let alive = match truth.alive().len() {
            0 => "no token".to_owned(),
            1 => "1 token".to_owned(),
            number => format!("{number} tokens"),
        };
        let dead = match truth.tokens.len() - truth.alive().len() {
            0 => String::new(),
            number => format!(", {number} dead"),
        };
        Ok(self.screen.truth(&format!("{alive} alive{dead}"))?)
    }
}

impl Drop for Stage<'_> {
    /// Secrets in the kernel's keyring would outlive the folder: a daemon has to revoke and delete
    /// them. What cannot be done cannot be helped here: the rest still has to go.
    fn drop(&mut self) {
        self.simulator.set_fault(None);
        if self.daemon.is_none() && self.surroundings.has_records() {
            self.daemon = Daemon::start(&self.surroundings).ok();
        }
        if let Some(daemon) = self.daemon.take() {
            let _ = daemon.stop();
        }
    }
}

/// Two instances of the same server. Waits are short, since somebody is watching.
fn config(url: &str, ca: &Path, keyring: &str) -> String {
    let ca = ca.display();
    format!(
        r#"default_instance = "main"
keyring = "{keyring}"

[revocation]
retry_max = "2s"
shutdown_grace = "5s"

[instances.main]
url = "{url}"
ca_file = '{ca}'
username = "alice"

[instances.short]
url = "{url}"
ca_file = '{ca}'
username = "alice"
idle_timeout = "2s"
"#
    )
}
