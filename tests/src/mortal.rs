//! A house whose daemon may die at any moment, and the account of what its clients were told.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use securid_simulator::{EndedBy, Fault, TokenTruth, Truth};
use serde_json::{Value, json};

use crate::client::{Client, RpcFault};
use crate::house::House;
use crate::patience::PATIENCE;
use crate::plan::Plan;
use crate::trace::{self, Pass};

/// How often is looked whether something has come, or the daemon has died: some thousand daemons
/// live and die in a run.
const STEP: Duration = Duration::from_millis(2);

/// How long a daemon passes no point until it counts as idle: many times what a sync takes.
const QUIET: Duration = Duration::from_millis(60);

/// While a life is played, retries wait for longer than it takes, so that nothing but its own steps
/// makes the daemon do anything, and every playing passes the same points.
pub(crate) const PATIENT: &str =
    "retry_initial = \"1h\"\nretry_max = \"1h\"\nshutdown_grace = \"1s\"";

/// Afterwards the daemon is to come to its end, and soon.
pub(crate) const SWIFT: &str =
    "retry_initial = \"50ms\"\nretry_max = \"100ms\"\nshutdown_grace = \"20s\"";

/// The daemon is dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Died;

/// What comes of something during which the daemon may die.
pub type Mortal<T> = Result<T, Died>;

/// What becomes of a `logoutUser`, until [`MortalHouse::heal`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Server {
    /// It is carried out and confirmed.
    Confirms,
    /// The server has ended the tokens itself, and says so.
    HasEndedThem,
    /// It is carried out, and the connection is reset before the reply.
    LosesReplies,
    /// A 503 as long as the life is played, then nobody listens at all.
    IsDown,
}

/// A request during which the daemon is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AtServer {
    /// The token is made, its reply on the way.
    LoginAnswered,
    /// `logoutUser` has arrived, and is not carried out.
    LogoutArrived,
    /// The token is dead, the reply on the way.
    LogoutAnswered,
}

/// A session of which a client was told.
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// Its id.
    pub id: String,
    /// Its token.
    pub token: String,
    /// Whether anybody, or a stop, may have asked for its end.
    pub asked: bool,
    /// Whether somebody was told that its end is on its way.
    pub accepted: bool,
    /// Whether a person may have given it up.
    pub given_up: bool,
    /// Whether its record was taken away or spoilt, so that its secret has to be found first.
    pub unrecorded: bool,
}

/// A house, its daemon, and what its clients know.
pub struct MortalHouse {
    /// The house.
    pub house: House,
    /// The sessions that clients were told of.
    pub told: Vec<Told>,
    /// The tokens that were handed over, whether or not anybody was told of them.
    pub brought: Vec<String>,
    /// Whether a record, the index or the history is damaged on purpose.
    pub damaged: bool,
    /// The pass at which the next daemon dies.
    pub dies_at: Option<String>,
    /// The request at which it is killed.
    pub killed_at: Option<AtServer>,
    /// What the server had counted of that before.
    counted_before: usize,
    pub(crate) server: Server,
    /// How many daemons have died here.
    pub deaths: usize,
    /// Connections that stay open, for holds.
    pub(crate) holders: Vec<Client>,
}

impl MortalHouse {
    /// A house without a daemon.
    #[must_use]
    pub fn build(keyring: &'static str, server: Server) -> Self {
        let house = House::build(Plan { keyring, ..Plan::default() });
        house.change_config(
            "retry_initial = \"100ms\"\nretry_max = \"300ms\"\nshutdown_grace = \"5s\"",
            PATIENT,
        );
        Self {
            house,
            told: Vec::new(),
            brought: Vec::new(),
            damaged: false,
            dies_at: None,
            killed_at: None,
            counted_before: 0,
            server,
            deaths: 0,
            holders: Vec::new(),
        }
    }

    /// Where the daemon writes its trace.
    #[must_use]
    pub fn trace_file(&self) -> PathBuf {
        self.house.path("trace")
    }

    /// What the daemons passed since this was asked last.
    #[must_use]
    pub fn take_trace(&self) -> Vec<Pass> {
        let passes = trace::read(&self.trace_file());
        let _ = std::fs::remove_file(self.trace_file());
        passes
    }

    /// Notes in the trace what was done to a file by hand.
    ///
    /// # Panics
    /// If there is no trace.
    pub(crate) fn note(&self, op: &Value) {
        let mut line = json!({"point": "by-hand", "pass": 1, "about": ""});
        let op = op.as_object().expect("it has fields").clone();
        line.as_object_mut().expect("it has fields").extend(op);
        let trace = OpenOptions::new().append(true).open(self.trace_file());
        writeln!(trace.expect("a daemon has made it"), "{line}").expect("there is room");
    }

    /// Starts a daemon, which dies where it is to die.
    pub fn start(&mut self) -> Mortal<()> {
        let mut command = self.house.daemon_command();
        command.env("SECURID_CRASH_TRACE", self.trace_file());
        if let Some(at) = &self.dies_at {
            command.env("SECURID_CRASH_AT", at);
        }
        let log = OpenOptions::new().create(true).append(true).open(self.house.path("daemon.log"));
        let lives = self.house.start_mortal(command, log.expect("the folder is ours"));
        if lives { Ok(()) } else { Err(Died) }
    }

    /// Whether a daemon was started that nobody has seen end yet.
    #[must_use]
    pub fn runs(&self) -> bool {
        self.house.daemon.is_some()
    }

    /// If there still is a daemon, dead or alive, there is none after this.
    ///
    /// # Panics
    /// If it ended in another way than it was to die.
    pub fn end(&mut self) {
        self.holders.clear();
        if self.runs() {
            self.house.signal(Signal::KILL);
            let status = self.house.wait_for_end(PATIENCE);
            assert!(status.signal().is_some(), "{status}:\n{}", self.house.log());
            self.deaths += 1;
        }
    }

    pub(crate) fn wait_for_end(&mut self) -> Mortal<()> {
        let began = Instant::now();
        while !self.house.has_ended() {
            assert!(
                began.elapsed() < 2 * PATIENCE,
                "the daemon does not end:\n{}",
                self.house.log()
            );
            if self.kill_if_reached() {
                return Err(Died);
            }
            thread::sleep(STEP);
        }
        let status = self.house.wait_for_end(PATIENCE);
        match status.signal() {
            None => assert!(status.success(), "it ended with {status}"),
            Some(_) => self.deaths += 1,
        }
        if status.success() { Ok(()) } else { Err(Died) }
    }

    /// Waits until each session that is left was attempted so often, or nothing is left.
    pub fn settled(&mut self, attempts: u64) -> Mortal<()> {
        self.until("an end, or attempts in vain", |this| {
            let sessions = this.list()?;
            let tried = |s: &Value| s["revocation"]["attempts"].as_u64() >= Some(attempts);
            let (left, of_disk) = (sessions.len(), this.house.records().len());
            let cleared = of_disk == left && this.house.secrets() == left;
            (sessions.iter().all(tried) && cleared).then_some(())
        })
    }

    /// All sessions, if the daemon answers.
    pub fn list(&mut self) -> Option<Vec<Value>> {
        let answer = self.ask("session.list", json!({})).ok()?;
        Some(answer.expect("a list is never refused")["sessions"].as_array()?.clone())
    }

    /// Waits until it does nothing any more: its trace stands still.
    pub fn until_idle(&mut self) -> Mortal<()> {
        let length =
            |this: &Self| std::fs::metadata(this.trace_file()).map_or(0, |file| file.len());
        let (mut last, mut since) = (length(self), Instant::now());
        self.until("the end of its work", |this| {
            let now = length(this);
            if now != last {
                (last, since) = (now, Instant::now());
            }
            (since.elapsed() >= QUIET).then_some(())
        })
    }

    /// Probes until there is something.
    ///
    /// # Panics
    /// If it never comes.
    pub fn until<T>(
        &mut self,
        what: &str,
        mut probe: impl FnMut(&mut Self) -> Option<T>,
    ) -> Mortal<T> {
        let began = Instant::now();
        loop {
            if let Some(found) = probe(self) {
                return Ok(found);
            }
            if self.house.has_ended() || self.kill_if_reached() {
                return Err(Died);
            }
            assert!(began.elapsed() < PATIENCE, "waited in vain for {what}");
            thread::sleep(STEP);
        }
    }

    /// Asks, where an error is not expected.
    pub(crate) fn expect(&mut self, method: &str, params: Value) -> Mortal<Value> {
        Ok(self.ask(method, params)?.unwrap_or_else(|e| panic!("{method}: {e:?}")))
    }

    /// Asks and waits for the answer, or for the daemon's death.
    pub fn ask(&mut self, method: &str, params: Value) -> Mortal<Result<Value, RpcFault>> {
        let Ok(mut client) = Client::connect(&self.house.socket()) else { return Err(Died) };
        if self.killed_at.is_none() {
            return client.call_until_gone(method, params).ok_or(Died);
        }
        let (sender, answer) = mpsc::channel();
        let method = method.to_owned();
        thread::spawn(move || {
            let _ = sender.send(client.call_until_gone(&method, params));
        });
        self.until("an answer", |_| answer.try_recv().ok())?.ok_or(Died)
    }

    /// If the daemon is to be killed during this request, has the server hold it.
    pub(crate) fn hold_back(&mut self, at: AtServer) {
        if self.killed_at != Some(at) {
            return;
        }
        self.counted_before = at.count(&self.house.simulator.truth());
        let (command, fault) = match at {
            AtServer::LoginAnswered => ("loginUser", Fault::Delay(2 * PATIENCE)),
            AtServer::LogoutArrived => ("logoutUser", Fault::Hang),
            AtServer::LogoutAnswered => ("logoutUser", Fault::Delay(2 * PATIENCE)),
        };
        self.house.simulator.set_fault_for(command, Some(fault));
    }

    fn kill_if_reached(&mut self) -> bool {
        let Some(at) = self.killed_at else { return false };
        let reached = at.count(&self.house.simulator.truth()) > self.counted_before;
        if reached {
            self.house.signal(Signal::KILL);
        }
        reached
    }
}

impl AtServer {
    /// How many such requests the server has seen.
    fn count(self, truth: &Truth) -> usize {
        let by_logout = |t: &&TokenTruth| t.ended_by == Some(EndedBy::LogoutUser);
        match self {
            Self::LoginAnswered => usize::try_from(truth.logins_ok).expect("there are few"),
            Self::LogoutArrived => usize::try_from(truth.logout_requests).expect("there are few"),
            Self::LogoutAnswered => truth.tokens.iter().filter(by_logout).count(),
        }
    }
}
