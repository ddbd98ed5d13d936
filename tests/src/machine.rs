//! A machine of one's own with a real systemd, logind and user managers, and the server on its
//! loopback. It can be powered off, unplugged and booted again; disk, server and network stay.
//!
//! ```no_run
//! # use securid_tests::{Machine, Plan};
//! let plan = Plan { keyring: "secret-service", ..Plan::default() };
//! let Some(mut machine) = Machine::boot(plan) else { return };
//! machine.enable_units();
//! machine.login();
//! machine.power_off();
//! assert_eq!(machine.simulator.truth().alive(), [""; 0]);
//! machine.boot_again();
//! assert!(machine.user_ok("securid-ctl history").contains("shutdown"));
//! ```
//!
//! `furnish` puts in what the tests need, `desktop` has graphical sessions.

mod desktop;
mod furnish;

use std::fs::{self, File};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use securid_simulator::{Options, Simulator, Truth};
use serde_json::Value;
use tempfile::TempDir;

use crate::house::PASSWORD;
use crate::patience::{PATIENCE, eventually, is_installed, is_root, skipped, within};
use crate::plan::Plan;
use crate::process::{Process, run, told};

/// How long a command inside may take: some wait for units that stop.
const COMMAND: Duration = Duration::from_secs(60);

/// How long powering off may take: a user's manager has 120 s to stop.
const POWER_OFF: Duration = Duration::from_secs(150);

/// The user of a machine.
pub const USER: &str = "tu";

/// A machine. Dropped, it leaves nothing behind; in a failing test it shows its journal first.
pub struct Machine {
    /// The server, on the machine's loopback as long as the machine is there, on or off.
    pub simulator: Simulator,
    folder: TempDir,
    /// Disk and network, which outlive the boots.
    ground: Process,
    /// Init's number, as this machine's own kernel has it.
    init: u32,
    boots: u32,
    /// Another for each machine: the kernel's keyrings know users, but no machines.
    uid: u32,
}

impl Machine {
    /// A machine that has booted, after the plan: the programs, the units (not enabled), the user
    /// `tu`, who lingers, and his config. With a Secret Service if that is the plan's keyring, else
    /// without any. None, and said so, if it cannot be had here.
    ///
    /// # Panics
    /// If it does not come up.
    #[must_use]
    pub fn boot(plan: Plan) -> Option<Self> {
        if !is_possible(&plan) {
            return None;
        }
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let own = std::process::id();
        let folder = tempfile::Builder::new()
            .prefix("securid-box-")
            .tempdir_in("/tmp")
            .expect("there is room");
        let log = File::create(folder.path().join("log")).expect("the folder is ours");
        let mut command = Command::new("unshare");
        command.args(["-m", "-n", "--propagation", "private"]);
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/systemd-box"));
        command.arg(format!("securid-{own}-{number}")).arg(folder.path());
        command.stdin(Stdio::piped()).stdout(log.try_clone().expect("a file")).stderr(log);
        let mut ground = Process::start(command);
        let init = boot(&mut ground, folder.path(), 1);
        let network = File::open(format!("/proc/{}/ns/net", ground.pid())).expect("it has one");
        let latency = plan.latency;
        let simulator = thread::spawn(move || {
            move_into_link_name_space(network.as_fd(), Some(LinkNameSpaceType::Network))?;
            Simulator::start(Options { latency, ..Options::default() })
        });
        let simulator = simulator.join().expect("it does not panic").expect("loopback works");
        // Ids of ordinary people, and others for tests that run beside this one.
        let uid = 10_000 + (own * 16 + number) % 50_000;
        let machine = Self { simulator, folder, ground, init, boots: 1, uid };
        machine.furnish(&plan);
        machine.await_user();
        Some(machine)
    }

    /// The number of its user.
    #[must_use]
    pub fn uid(&self) -> u32 {
        self.uid
    }

    /// The process whose namespaces its network is in.
    pub(crate) fn ground(&self) -> u32 {
        self.ground.pid()
    }

    /// A file of the machine, as it is called from outside.
    #[must_use]
    pub fn path(&self, inside: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{inside}", self.init))
    }

    /// Writes a file of root's, and makes the folders above it.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn write(&self, inside: &str, text: &str) {
        let path = self.path(inside);
        fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("we are root");
        fs::write(&path, text).unwrap_or_else(|e| panic!("{inside}: {e}"));
    }

    /// Runs a shell script as root.
    #[must_use]
    pub fn root(&self, script: &str) -> Output {
        let mut command = self.enter();
        command.args(["sh", "-c", script]);
        run(command, "", COMMAND)
    }

    /// The same, where it has to succeed; what it wrote.
    pub fn root_ok(&self, script: &str) -> String {
        succeeded(script, &self.root(script))
    }

    /// Runs a shell script as the user, with his runtime folder and bus.
    #[must_use]
    pub fn user(&self, script: &str) -> Output {
        self.user_with(script, "")
    }

    /// The same with something on its stdin.
    #[must_use]
    pub fn user_with(&self, script: &str, input: &str) -> Output {
        let uid = self.uid;
        let mut command = self.enter();
        command.args(["setpriv", "--reuid", USER, "--regid", USER, "--init-groups", "env", "-i"]);
        command.args([format!("HOME=/home/{USER}"), format!("USER={USER}")]);
        command.args(["PATH=/usr/bin:/bin", "LANG=C.UTF-8"]);
        command.arg(format!("SECURID_TEST_BOOT_ID={}", boot_id(self.boots)));
        command.arg(format!("XDG_RUNTIME_DIR=/run/user/{uid}"));
        command.arg(format!("DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/{uid}/bus"));
        command.args(["sh", "-c", script]).current_dir("/");
        run(command, input, COMMAND)
    }

    /// The same as [`Machine::user`], where it has to succeed; what it wrote.
    pub fn user_ok(&self, script: &str) -> String {
        succeeded(script, &self.user(script))
    }

    /// `securid-ctl … --json` as the user; what it wrote, whatever its status.
    ///
    /// # Panics
    /// If that is no JSON.
    pub fn ctl(&self, words: &str) -> Value {
        let output = self.user(&format!("securid-ctl {words} --json"));
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|e| panic!("securid-ctl {words}: {e}: {}", told(&output)))
    }

    /// Logs in to the one instance as the simulator's user; the session's id.
    ///
    /// # Panics
    /// If that fails.
    pub fn login(&self) -> String {
        let script = "securid-ctl login --password-stdin --json";
        let session = succeeded(script, &self.user_with(script, PASSWORD));
        let session: Value = serde_json::from_str(&session).expect("it is JSON");
        session["id"].as_str().expect("a session has an id").to_owned()
    }

    /// Has the server issue a token and the daemon take it over; the token.
    pub fn add(&self) -> String {
        let token = self.simulator.issue("alice");
        let script = "securid-ctl add --token-stdin";
        succeeded(script, &self.user_with(script, &token));
        token
    }

    /// Waits until the server has ended a token.
    ///
    /// # Panics
    /// If it never does.
    pub fn eventually_dead(&self, token: &str) {
        let dead = |truth: &Truth| truth.token(token).is_some_and(|token| !token.alive);
        assert!(self.simulator.wait_until(PATIENCE, dead), "a token lives on");
    }

    /// The daemon's process in the machine, as the machine counts, if the user's manager runs one.
    #[must_use]
    pub fn daemon(&self) -> Option<u32> {
        let shown = self.user_ok("systemctl --user show -P MainPID securid-sessiond.service");
        shown.trim().parse().ok().filter(|pid| *pid != 0)
    }

    /// What the user's own units logged, in this boot and those before.
    #[must_use]
    pub fn journal(&self) -> String {
        self.root_ok("journalctl --no-pager -q -o short-monotonic -t securid-sessiond -t securid-ctl -t systemd")
    }

    /// Powers it off as a person does: every stop job runs. How long it took.
    ///
    /// # Panics
    /// If it stays on.
    pub fn power_off(&mut self) -> Duration {
        let init = PathBuf::from(format!("/proc/{}", self.init));
        let began = std::time::Instant::now();
        // The connection to init may be gone before the answer.
        let _ = self.root("systemctl poweroff");
        within(POWER_OFF, "power-off", || (!init.exists()).then_some(()));
        began.elapsed()
    }

    /// Ends it as a power cut does, but for the disk, which keeps everything.
    ///
    /// # Panics
    /// If it stays on.
    pub fn pull_the_plug(&mut self) {
        let init = PathBuf::from(format!("/proc/{}", self.init));
        self.ground.tell("unplug");
        eventually("the end of the machine", || (!init.exists()).then_some(()));
    }

    /// Boots it once more, and waits for the user's manager.
    ///
    /// # Panics
    /// If it does not come up.
    pub fn boot_again(&mut self) {
        self.boots += 1;
        self.init = boot(&mut self.ground, self.folder.path(), self.boots);
        self.await_user();
    }

    /// Waits for the bus of the user, who lingers.
    pub fn await_user(&self) {
        let bus = self.path(&format!("/run/user/{}/bus", self.uid));
        eventually("the user's bus", || bus.exists().then_some(()));
    }

    fn enter(&self) -> Command {
        let mut command = Command::new("nsenter");
        command.arg("-t").arg(self.init.to_string());
        command.args(["-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w", "env", "-i"]);
        command.args(["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"]);
        command
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if thread::panicking() && self.path("").exists() {
            let journal = self.root("journalctl --no-pager -q -o short-monotonic | tail -n 150");
            let journal = String::from_utf8_lossy(&journal.stdout);
            eprintln!("--- the journal ---\n{journal}\n--- the truth ---");
            eprintln!("{:?}", self.simulator.truth());
        }
        // It ends with its stdin, and takes everything along.
        self.ground.close_stdin();
        self.ground.wait(PATIENCE);
        self.clear_kernel_keys();
    }
}

/// Whether there can be one here; if not, says why.
fn is_possible(plan: &Plan) -> bool {
    if !is_root() {
        skipped("only root can boot a machine");
        return false;
    }
    let mut needed = vec!["systemctl", "nsenter", "unshare", "setpriv", "ip", "pgrep", "busctl"];
    if plan.keyring == "secret-service" {
        needed.push("gnome-keyring-daemon");
    }
    if !needed.into_iter().all(is_installed) {
        return false;
    }
    let mut command = Command::new("unshare");
    command.args(["-m", "-n", "-p", "-f", "-i", "-u", "-C", "true"]);
    let namespaces = run(command, "", PATIENCE).status.success();
    if !namespaces {
        skipped("no namespaces to be had for a machine");
        return false;
    }
    for (file, package) in [
        ("/usr/share/pam-configs/systemd", "libpam-systemd"),
        ("/usr/lib/systemd/user/dbus.socket", "dbus-user-session"),
    ] {
        if !Path::new(file).exists() {
            skipped(&format!("{package} is not installed"));
            return false;
        }
    }
    true
}

/// Boots what stands on this ground, and waits until it is up; its init.
fn boot(ground: &mut Process, folder: &Path, number: u32) -> u32 {
    let leader = folder.join("leader");
    let _ = fs::remove_file(&leader);
    ground.tell(&format!("boot {}", boot_id(number)));
    let init: u32 = eventually("an init", || fs::read_to_string(&leader).ok()?.trim().parse().ok());
    // Its first bus is there before it answers anybody.
    let is_up = || {
        let mut command = Command::new("nsenter");
        command.arg("-t").arg(init.to_string()).args(["-m", "-p", "-C", "-r", "-w"]);
        command.args(["systemctl", "is-system-running"]);
        let state = run(command, "", PATIENCE).stdout;
        matches!(state.trim_ascii(), b"running" | b"degraded").then_some(())
    };
    eventually("a machine that is up", is_up);
    init
}

/// What a daemon there takes for the kernel's boot id; in truth all machines share it.
fn boot_id(number: u32) -> String {
    format!("boot-{number}")
}

fn succeeded(script: &str, output: &Output) -> String {
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{script}: {}\n{stdout}\n{}", output.status, told(output));
    stdout
}
