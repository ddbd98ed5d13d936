//! `securid-ctl start` and `restart` where no systemd runs the daemon.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::process::{Command, Output};
use std::thread;

use rustix::process::{Pid, getpgid, kill_process, test_kill_process};
use securid_tests::patience::{is_installed, is_root};
use securid_tests::programs::{programs, put_within_reach};
use securid_tests::{House, PATIENCE, Plan, Signal, eventually, process::run, skipped};
use serde_json::{Value, json};

/// A daemon that is nobody's child here: ended with the test, whatever becomes of it.
struct Orphan(Pid);

impl Orphan {
    /// The one that a command says it has brought up.
    fn of(output: &Output) -> Self {
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let said: Value = serde_json::from_slice(&output.stdout).unwrap();
        Self(Pid::from_raw(said["pid"].as_i64().unwrap().try_into().unwrap()).unwrap())
    }
}

impl Drop for Orphan {
    fn drop(&mut self) {
        let _ = kill_process(self.0, Signal::KILL);
        eventually("its end", || test_kill_process(self.0).is_err().then_some(()));
    }
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or_else(|| panic!("{output:?}"))
}

#[test]
fn a_log_that_has_grown_long_is_put_aside() {
    let house = House::build(Plan::default());
    let (log, aside) =
        (house.state_dir().join("sessiond.log"), house.state_dir().join("sessiond.log.1"));
    for (length, put_aside) in [(1024 * 1024, false), (1024 * 1024 + 1, true)] {
        drop(Orphan::of(&house.ctl(&["start", "--json"])));
        fs::write(&log, vec![b'x'; length]).unwrap();
        let _daemon = Orphan::of(&house.ctl(&["start", "--json"]));
        assert!(fs::read(&log).unwrap().ends_with(b"\n"), "it goes on");
        assert_eq!(fs::read(&log).unwrap().starts_with(b"x"), !put_aside);
        assert_eq!(
            fs::metadata(&aside).map(|log| log.len()).ok(),
            put_aside.then_some(length as u64)
        );
    }
}

#[test]
fn a_person_who_waits_is_told_for_what() {
    const WAITING: &str = "securid-ctl: waiting for";
    let house = House::build(Plan::default());
    let Some(terminal) = house.terminal() else { return };
    put_within_reach(&programs().ctl, &house.path(""));
    // Beside it is a daemon that takes its time.
    let slow = format!("sleep 2.3; exec {} \"$@\"", programs().daemon.display());
    fs::write(house.path("slow"), slow).unwrap();
    let folder = house.path("");
    let _ = terminal
        .run(&format!("cd {}; (echo '#!/bin/sh'; cat slow) >securid-sessiond", folder.display()));
    let _ = terminal.run("chmod +x securid-sessiond");

    let all = terminal
        .run("./securid-ctl start --json & ./securid-ctl start 2>said & ./securid-ctl start; wait");
    let _daemon = Orphan::of(&house.ctl(&["start", "--json"]));
    assert_eq!(all.text.matches(WAITING).count(), 1, "{}", all.text);
    assert!(all.text.contains(&format!("{WAITING} the daemon to start")), "{}", all.text);
    assert_eq!(fs::read_to_string(house.path("said")).unwrap(), "");

    let restart = terminal.run("./securid-ctl restart");
    let _daemon = Orphan::of(&house.ctl(&["start", "--json"]));
    assert_eq!(restart.status, 0, "{}", restart.text);
    for what in ["securid-sessiond to check its config", "the daemon to start"] {
        assert!(restart.text.contains(&format!("{WAITING} {what}")), "{}", restart.text);
    }
}

#[test]
fn started_twice_is_started_once() {
    let house = House::build(Plan::default());
    let daemon = Orphan::of(&house.ctl(&["start", "--json"]));
    let (id, token) = house.add_one();
    let again = house.ctl(&["start", "--json"]);
    let said: Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!((code(&again), &said["already"]), (0, &json!(true)));
    assert_eq!(house.token(&id), token);

    // Ctrl-C in the terminal in which it was started is not for it.
    assert_eq!(getpgid(Some(daemon.0)).unwrap(), daemon.0);
    let log = house.state_dir().join("sessiond.log");
    assert_eq!(fs::metadata(&log).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(fs::read_to_string(&log).unwrap().contains("ready"));

    let stopped = house.ctl(&["stop", "--json"]);
    assert_eq!(code(&stopped), 0, "{stopped:?}");
    let said: Value = serde_json::from_slice(&stopped.stdout).unwrap();
    assert_eq!(said, json!({"keep": false, "activated": false}));
    // It has ended; whoever takes orphans in may not have buried it yet.
    eventually("it to be gone", || test_kill_process(daemon.0).is_err().then_some(()));
    assert!(!house.fate(&token).alive);
}

#[test]
fn a_start_waits_for_the_daemon_that_another_start_has_just_begun() {
    if !is_installed("strace") {
        return;
    }
    let house = House::build(Plan::default());
    // The first takes its time between its lock and its socket, in which it is met by the second.
    let daemon = programs().daemon.display();
    let slow_first = format!(
        "#!/bin/sh\nmkdir '{0}' && exec strace -fqqo /dev/null -e trace=listen -e inject=listen:delay_enter=700ms \
         {daemon} \"$@\"\nexec {daemon} \"$@\"\n",
        house.path("met").display()
    );
    let ctl = put_within_reach(&programs().ctl, &house.path(""));
    fs::write(house.path("securid-sessiond"), slow_first).unwrap();
    fs::set_permissions(house.path("securid-sessiond"), fs::Permissions::from_mode(0o700)).unwrap();
    let start = || {
        let mut command = Command::new(&ctl);
        command.args(["start", "--json"]);
        house.furnish(&mut command);
        Orphan::of(&run(command, "", PATIENCE))
    };
    thread::scope(|scope| {
        let first = scope.spawn(start);
        let lock = house.state_dir().join("lock");
        eventually("its lock", || {
            fs::read_to_string(&lock).is_ok_and(|pid| pid.ends_with('\n')).then_some(())
        });
        assert_eq!(start().0, first.join().unwrap().0);
    });
}

#[test]
fn a_restart_keeps_the_sessions() {
    let house = House::build(Plan::default());
    let first = Orphan::of(&house.ctl(&["start", "--json"]));
    let (id, token) = house.add_one();
    let restarted = house.ctl(&["restart", "--json"]);
    let second = Orphan::of(&restarted);
    let said: Value = serde_json::from_slice(&restarted.stdout).unwrap();
    assert_eq!((&said["kept"], &said["had"]), (&json!(1), &json!(1)));
    assert_ne!(first.0, second.0);
    assert_eq!(house.token(&id), token);
    assert!(house.fate(&token).alive);
    assert_eq!(code(&house.ctl(&["logout"])), 0);
}

#[test]
fn a_restart_of_nothing_starts_one() {
    let house = House::build(Plan::default());
    let restarted = house.ctl(&["restart", "--json"]);
    let _daemon = Orphan::of(&restarted);
    let said: Value = serde_json::from_slice(&restarted.stdout).unwrap();
    assert_eq!((&said["kept"], &said["had"]), (&json!(0), &json!(0)));
    assert_eq!(code(&house.ctl(&["status"])), 0);
}

#[test]
fn with_a_bad_config_a_restart_leaves_the_old_one_alone_and_a_start_says_why() {
    let house = House::build(Plan::default());
    let daemon = Orphan::of(&house.ctl(&["start", "--json"]));
    let (id, token) = house.add_one();
    house.change_config("username = \"alice\"", "usrname = \"alice\"");
    let refused = house.ctl(&["restart"]);
    let words = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!((code(&refused), words.contains("usrname")), (78, true), "{words}");
    assert!(words.contains("the daemon was not touched"), "{words}");
    assert_eq!(house.token(&id), token, "the old one goes on");

    assert_eq!(code(&house.ctl(&["stop"])), 0);
    drop(daemon);
    let refused = house.ctl(&["start"]);
    let words = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!((code(&refused), words.contains("usrname")), (78, true), "{words}");
}

/// As a package's script calls it: root's environment comes along, and root's home is closed.
#[test]
fn with_roots_environment_everything_is_found_in_ones_own_home() {
    if !is_root() {
        return skipped("only root has an environment of root's");
    }
    let text = paths_in_closed_folders(0, 0o700);
    assert!(!text.contains("closed-home"), "{text}");
}

/// Its records are there all the same: that they cannot be read is not that there are none.
#[test]
fn ones_own_closed_folder_stays_where_everything_is() {
    if !is_root() {
        return skipped("only root becomes another user");
    }
    let text = paths_in_closed_folders(NOBODY, 0o000);
    assert!(text.contains("/closed-home/below/securid\","), "{text}");
}

const NOBODY: u32 = 65_534;

/// What `paths` says to a user for whom all folders are below a home of this owner and mode.
fn paths_in_closed_folders(owner: u32, mode: u32) -> String {
    let house = House::build(Plan { user: Some(NOBODY), ..Plan::default() });
    let closed = house.path("closed-home");
    fs::create_dir(&closed).unwrap();
    chown(&closed, Some(owner), None).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(mode)).unwrap();
    let ctl = put_within_reach(&programs().ctl, &house.path(""));
    let mut command = std::process::Command::new("setpriv");
    command.args(["--reuid", &NOBODY.to_string(), "--clear-groups"]);
    command.arg(ctl).args(["paths", "--json"]);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", &closed);
    for name in ["XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"] {
        command.env(name, closed.join("below"));
    }
    let output = run(command, "", securid_tests::PATIENCE);
    assert_eq!(code(&output), 0, "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
