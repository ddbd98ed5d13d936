//! `start` and `restart`, with a program in the daemon's place.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::Command,
};

use securid_ipc::messages::*;

use crate::fake::{Home, Ran, well};

/// `securid-ctl` in a folder with a daemon of our own beside it: a shell script.
pub(crate) fn ctl_beside(home: &Home, daemon: &str, args: &[&str]) -> Ran {
    let programs = home.path().join("programs");
    fs::create_dir_all(&programs).unwrap();
    let ctl = programs.join("securid-ctl");
    if !ctl.exists() {
        // Not a copy: a program that another thread's fork holds open for writing cannot be run.
        fs::hard_link(env!("CARGO_BIN_EXE_securid-ctl"), &ctl)
            .or_else(|_| copied(env!("CARGO_BIN_EXE_securid-ctl"), &ctl))
            .unwrap();
        write_program(&programs.join("securid-sessiond"), daemon);
    }
    let mut command = Command::new(ctl);
    let like = home.ctl([]);
    command.args(args).env_clear();
    for (name, value) in like.get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    Ran::of(&mut command, "")
}

fn copied(from: &str, to: &Path) -> std::io::Result<()> {
    let done = Command::new("cp").arg(from).arg(to).status()?;
    if done.success() { Ok(()) } else { Err(std::io::Error::other("cp failed")) }
}

fn write_program(path: &Path, text: &str) {
    let script = format!("cat > {0} && chmod 755 {0}", path.display());
    let ran = Ran::of(Command::new("sh").args(["-c", &script]), &format!("#!/bin/sh\n{text}\n"));
    assert_eq!(ran.code, Some(0), "{ran:?}");
}

#[test]
fn one_that_runs_is_not_started_again() {
    let home = Home::replying(Reply::Status(well()));
    let ran = home.run(["start"]);
    assert_eq!((ran.code, &*ran.out), (Some(0), "it runs already (process 4194305)\n"));
    let ran = home.run(["start", "--json"]);
    let started: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(started, serde_json::json!({"pid": 4_194_305, "version": "0.1.0", "already": true}));
}

#[test]
fn one_that_only_drains_is_a_bad_config() {
    let problems = vec!["draining, because the config is bad".into(), "config.toml:3: no".into()];
    let home = Home::replying(Reply::Status(StatusView { problems, ..well() }));
    let ran = home.run(["start"]);
    assert_eq!((ran.code, &*ran.out), (Some(78), ""));
    assert!(ran.err.contains("config.toml:3: no"), "{}", ran.err);
}

#[test]
fn what_a_daemon_said_before_it_ended_is_shown_and_its_status_counts() {
    for (status, exit) in [(78, 78), (74, 74), (1, 69), (0, 69)] {
        let home = Home::new();
        let log = home.path().join("state/sessiond.log");
        fs::create_dir(home.path().join("state")).unwrap();
        fs::set_permissions(home.path().join("state"), Permissions::from_mode(0o700)).unwrap();
        fs::write(&log, "securid-sessiond: of yesterday\n").unwrap();
        let daemon =
            format!("echo 'a log' >&2; echo securid-sessiond: no $# $2 >&2; exit {status}");
        let ran = ctl_beside(&home, &daemon, &["start"]);
        assert_eq!((ran.code, &*ran.out), (Some(exit), ""), "{ran:?}");
        let said = format!("securid-ctl: no 4 {}\n", home.socket().display());
        assert!(ran.err.starts_with(&said), "{}", ran.err);
        assert!(fs::read_to_string(log).unwrap().contains("of yesterday"));
    }
}

#[test]
fn its_log_is_its_owners_alone() {
    let home = Home::new();
    ctl_beside(&home, "echo words >&2; exit 1", &["start"]);
    let log = home.path().join("state/sessiond.log");
    assert_eq!(fs::metadata(&log).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_to_string(log).unwrap(), "words\n");
}

#[test]
fn a_restart_with_a_bad_config_touches_nothing() {
    let home = Home::replying(Reply::Status(well()));
    let daemon = "test \"$*\" = \"${*%--check-config}\" || { echo securid-sessiond: c:1: bad >&2; exit 78; }";
    let ran = ctl_beside(&home, daemon, &["restart"]);
    assert_eq!(
        (ran.code, &*ran.err),
        (Some(78), "securid-ctl: c:1: bad\nMend it, and try again: the daemon was not touched.\n")
    );
    assert!(!home.was_called());
}

#[test]
fn a_config_is_shown_as_the_daemons_program_reads_it() {
    let home = Home::new();
    let view = r#"{"keys":[{"key":"notify","value":null,"from":"built-in","enforced":false,"instead_of":null}],"warnings":["odd"]}"#;
    let daemon = format!("test \"$*\" != \"${{*%--show-config}}\" && echo '{view}'");
    let ran = ctl_beside(&home, &daemon, &["config", "show"]);
    let table = "KEY     VALUE  FROM\nnotify  -      built-in\n";
    assert_eq!((ran.code, &*ran.out), (Some(0), table), "{ran:?}");
    assert_eq!(ran.err, "securid-ctl: warning: odd\n");
    let ran = ctl_beside(&home, &daemon, &["config", "show", "--json"]);
    assert_eq!((ran.code, ran.out.trim_end(), &*ran.err), (Some(0), view, ""));
}

#[test]
fn a_config_that_is_shown_in_no_way_that_we_know_is_an_error() {
    let home = Home::new();
    let ran = ctl_beside(&home, "echo '[\"keys\"]'", &["config", "show"]);
    assert_eq!((ran.code, &*ran.out), (Some(1), ""));
    assert!(ran.err.contains("shows its config in another way"), "{}", ran.err);
}
