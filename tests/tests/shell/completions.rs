//! Shells that complete command lines of `securid-ctl`: real ones, before a real terminal.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::time::{Duration, Instant};

use securid_tests::terminal::Terminal;
use securid_tests::{House, Plan, Signal, eventually, is_installed, timed};
use serde_json::json;

use super::at_home;

/// A user's name that each shell could take for something else.
const NAME: &str = "o'h $(touch hit) `touch hit` \"$HOME\"; touch hit & #\\ *~!1";

/// Longer than a completion may take.
const TOO_LONG: Duration = Duration::from_secs(1);

/// A house with a session of alice's and one of [`NAME`]; the id of the latter.
fn house() -> (House, String) {
    let house = House::open(Plan::default());
    house.login();
    let token = house.simulator.issue("alice");
    let taken = house.call("session.add", json!({"token": token, "username": NAME}));
    fs::write(house.path("se cret"), "").unwrap();
    (house, taken["id"].as_str().unwrap().to_owned())
}

/// What a shell's script is answered at the end of these words.
fn answer(house: &House, shell: &str, words: &[&str], current: &str) -> String {
    let current = format!("--current={current}");
    let asked = [&["__complete", shell, &current, "--", "securid-ctl"], words].concat();
    let (output, took) = timed(|| house.ctl(&asked));
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    assert!(took < TOO_LONG, "{took:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Types, and presses the tabulator until the line has gone on to this: a machine that is busy may have no answer
/// in time.
fn complete(terminal: &Terminal, typed: &str, whole: &str) {
    terminal.type_text(typed);
    terminal.wait_for(typed);
    let mut pressed = Instant::now() - TOO_LONG;
    eventually(whole, || {
        let done = terminal.screen().contains(whole);
        if !done && pressed.elapsed() >= TOO_LONG {
            terminal.key("Tab");
            pressed = Instant::now();
        }
        done.then_some(())
    });
}

/// Has a shell complete words, and sees from what the command then does that it has got them as they are.
fn completes(shell: &str, setting_up: &[&str]) {
    if !is_installed(shell) {
        return;
    }
    let (house, id) = house();
    let Some(terminal) = house.terminal() else { return };
    let _ = terminal.run(&at_home(&house));
    setting_up.iter().for_each(|line| terminal.type_line(line));
    terminal.type_line("echo re''ady");
    terminal.wait_for("\nready");
    let status = if shell == "fish" { "$status" } else { "$?" };

    let check = |typed: &str, whole: &str, mark: &str| {
        complete(&terminal, &format!("securid-ctl check {typed}"), whole);
        terminal.type_line(&format!("; echo {mark}={status}"));
        terminal.wait_for(&format!("\n{mark}=0"));
    };
    check(&id[..5], &id, "by-id");
    check("o", "@prod", "by-name");
    check("alice@p", "alice@prod", "by-user");
    check("\"alice@p", "\"alice@prod", "in-quotes");
    for (typed, whole) in [
        ("--json lo", "--json log"),
        ("login --password-file se", "se\\ cret"),
        ("history --instance=p", "--instance=prod"),
        ("exec prod -- securid-sess", "-- securid-sessiond"),
    ] {
        complete(&terminal, &format!("securid-ctl {typed}"), whole);
        terminal.key("C-u");
    }
    for folder in [house.path("hit"), house.path("home/hit")] {
        assert!(!folder.exists(), "a name was carried out");
    }
}

#[test]
fn bash_completes() {
    completes("bash", &["eval \"$(securid-ctl completions bash)\""]);
}

#[test]
fn zsh_completes() {
    let script = "eval \"$(securid-ctl completions zsh)\"";
    completes("zsh", &["exec zsh -f", "autoload -U compinit; compinit -D -u", script]);
}

#[test]
fn fish_completes() {
    completes("fish", &["exec fish --no-config", "securid-ctl completions fish | source"]);
}

#[test]
fn each_command_is_offered_what_it_can_be_about() {
    let (house, id) = house();
    let all = answer(&house, "zsh", &["logout"], "");
    let user = format!("{NAME}@prod");
    for line in
        ["prod\t2 sessions", &format!("{user}\t1 session"), &format!("{id}\t{user}, active")]
    {
        assert!(all.lines().any(|told| told == line), "{line}: {all}");
    }
    assert_eq!(answer(&house, "fish", &["token"], ""), all);
    assert_eq!(answer(&house, "fish", &["forget"], ""), "values\n");
    assert_eq!(answer(&house, "fish", &["retry"], ""), "values\n");
    house.lose(&id);
    let quoted = format!("'{}@prod'", NAME.replace('\'', "''"));
    let expected = format!("values\n{quoted}\t{user}\t1 session\n");
    assert_eq!(answer(&house, "powershell", &["logout"], "o"), expected);

    let used = |house: &House| house.session(&id).unwrap()["last_used_at"].clone();
    let before = used(&house);
    let _ = answer(&house, "zsh", &["token"], "");
    assert_eq!(used(&house), before);
}

#[test]
fn nobody_waits_for_a_daemon_and_nothing_is_said() {
    let (mut house, _) = house();
    house.signal(Signal::STOP);
    assert_eq!(answer(&house, "zsh", &["logout"], ""), "values\n");
    assert_eq!(answer(&house, "zsh", &["login"], ""), "values\n");
    house.signal(Signal::CONT);
    house.terminate();
    assert_eq!(answer(&house, "zsh", &["logout"], ""), "values\n");
    assert_eq!(answer(&house, "zsh", &["--socket", "/none", "login"], ""), "values\n");
}

#[test]
fn what_a_line_has_is_no_argument_of_ours() {
    if !is_installed("bash") {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let stand_in = home.path().join("securid-ctl");
    fs::write(&stand_in, "#!/bin/sh\nprintf '%s\\n' values \"$*\"; cat\n").unwrap();
    fs::set_permissions(&stand_in, fs::Permissions::from_mode(0o700)).unwrap();
    let script =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/securid-ctl/completions/securid-ctl.bash");
    let press = format!(
        "PATH={}:$PATH; source {script}; COMP_LINE='securid-ctl login --password-stdin <<< hunter2 --us more'; \
         COMP_POINT=51; _securid_ctl; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        home.path().display()
    );
    let output = Command::new("bash").args(["--norc", "-c", &press]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    // Among the breaks is a newline.
    let (arguments, line) = said.split_once("\nsecurid-ctl ").unwrap();
    assert!(arguments.starts_with("__complete bash --breaks="), "{said}");
    assert!(!said.contains("more") && !arguments.contains("hunter2"), "{said}");
    assert_eq!(line.trim_end(), "login --password-stdin <<< hunter2 --us");
}
