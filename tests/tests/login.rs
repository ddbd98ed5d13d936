//! A login as people expect it: told where it goes, asked for what is missing, and a terminal that is as it was
//! before, whatever ends the question. What arrived, the server knows.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use rustix::process::{Pid, kill_process};
use securid_simulator::Fault;
use securid_tests::terminal::{COLUMNS, ROWS};
use securid_tests::{House, PASSWORD, Plan, Signal, Terminal, eventually};
use serde_json::json;

/// A house with a terminal in it.
fn at_a_terminal() -> Option<(House, Terminal)> {
    let house = House::open(Plan::default());
    let terminal = house.terminal()?;
    Some((house, terminal))
}

/// Looks through what was on the screen as well.
fn assert_no_leak(house: &House, terminal: &Terminal, more: &[&str]) {
    house.note_heard(&terminal.everything());
    house.assert_not_told(more);
}

#[test]
fn at_the_prompt() {
    let Some((house, terminal)) = at_a_terminal() else { return };
    terminal.begin("kept securid-ctl login");
    let origin = house.simulator.url().strip_suffix("/aveksa").unwrap();
    let screen = terminal.wait_for(&format!("Password for alice at prod ({origin}):"));
    let told = format!(
        "prod ({origin}) says:\n  Log in with the user name and the password of your directory account.\nPassword"
    );
    assert!(screen.contains(&told), "{screen}");
    assert!(!terminal.echoes());
    terminal.type_line(PASSWORD);
    let ended = terminal.end();
    assert_eq!(ended.status, 0, "{}", ended.text);
    let id = house.sessions()[0]["id"].as_str().unwrap().to_owned();
    let said = format!("logged in as alice at prod: session {id}\nrevoked once it is not used for");
    assert!(ended.text.contains(&said), "{}", ended.text);
    assert!(ended.text.ends_with("at the latest"), "{}", ended.text);

    let again = |words: &str| {
        terminal.begin(&format!("kept securid-ctl {words}"));
        terminal.wait_until("the prompt", |screen| screen.ends_with("):"));
        terminal.type_line(PASSWORD);
        let ended = terminal.end();
        assert_eq!(ended.status, 0);
        ended.text
    };
    let said = again("login --replace");
    assert!(said.ends_with("at the latest\n1 other session is being revoked"), "{said}");
    house.eventually_true("the first one's end", |truth| truth.alive().len() == 1);
    assert!(!house.simulator.truth().tokens[0].alive, "the first one was replaced");
    again("exec --login -- true");
    let truth = house.simulator.truth();
    assert_eq!((truth.logins_ok, truth.alive().len(), truth.requests_refused), (3, 1, 0));
    assert_no_leak(&house, &terminal, &[]);
}

#[test]
fn what_is_missing_is_asked_for_once_and_in_order() {
    let Some((house, terminal)) = at_a_terminal() else { return };
    house.change_config("username = \"alice\"\n", "");
    house.call("daemon.reload", json!({}));
    terminal.begin("kept securid-ctl login prod");
    terminal.wait_until("the first question", |screen| screen.ends_with("\nUsername:"));
    assert!(terminal.echoes());
    terminal.type_line("alice");
    terminal.wait_for("\nPassword for alice at prod (");
    terminal.type_line(PASSWORD);
    assert_eq!(terminal.end().status, 0);

    let _ = terminal.run("clear");
    terminal.begin("USER=alice kept securid-ctl login");
    terminal.wait_until("the first question", |screen| screen.ends_with("\nUsername [alice]:"));
    terminal.key("Enter");
    terminal.wait_for("\nPassword for alice at prod (");
    terminal.key("Enter");
    let empty = terminal.end();
    assert_eq!(empty.status, 2, "{}", empty.text);
    assert!(empty.text.contains("the password is empty"), "{}", empty.text);
    assert_eq!(house.simulator.truth().logins_refused, 0, "nothing was sent");

    let _ = terminal.run("clear");
    terminal.begin("kept securid-ctl login --username bob");
    terminal.wait_for("\nPassword for bob at prod (");
    terminal.type_line("wr0ng-wr0ng");
    let refused = terminal.end();
    assert_eq!(refused.status, 77, "{}", refused.text);
    assert!(refused.text.contains("the login of bob at prod was refused"), "{}", refused.text);
    assert!(refused.text.contains("securid-ctl login"), "{}", refused.text);
    let _ = terminal.run("clear");
    terminal.begin("kept securid-ctl login --username bob");
    terminal.wait_for("\nPassword for bob at prod (");
    terminal.key("C-d");
    let nothing = terminal.end();
    assert_eq!(nothing.status, 2, "{}", nothing.text);
    assert!(nothing.text.contains("no password was given"), "{}", nothing.text);
    let truth = house.simulator.truth();
    assert_eq!((truth.logins_ok, truth.logins_refused), (1, 1), "it is not tried again");
    assert_no_leak(&house, &terminal, &["wr0ng-wr0ng"]);
}

#[test]
fn no_signal_leaves_the_terminal_mute() {
    let Some((house, terminal)) = at_a_terminal() else { return };
    let pid = house.path("pid");
    for (n, signal) in [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT].iter().enumerate() {
        let _ = terminal.run("clear");
        terminal
            .begin(&format!("kept sh -c 'echo $$ > {}; exec securid-ctl login'", pid.display()));
        terminal.wait_for("\nPassword for alice");
        assert!(!terminal.echoes());
        terminal.type_text("half-a-w0rd");
        match *signal {
            Signal::INT => terminal.key("C-c"),
            Signal::QUIT => terminal.key("C-\\"),
            signal => {
                let pid = fs::read_to_string(&pid).unwrap().trim().parse().unwrap();
                kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
            }
        }
        let ended = terminal.end();
        let status = if n == 0 { 130 } else { 128 + signal.as_raw() };
        assert_eq!(ended.status, status, "{signal:?}: {}", ended.text);
    }
    assert_eq!(house.simulator.truth().logins_refused, 0);
    assert_no_leak(&house, &terminal, &["half-a-w0rd"]);
}

/// dash leaves the terminal's modes alone: what it gets it was left with.
#[test]
fn who_is_stopped_asks_again() {
    let Some((house, terminal)) = at_a_terminal() else { return };
    terminal.begin("PS1='dash> ' ENV= dash -i");
    terminal.wait_for("\ndash>");
    terminal.type_line("securid-ctl login");
    terminal.wait_for("\nPassword for alice");
    terminal.type_text("half-a-w0rd");
    terminal.key("C-z");
    terminal.wait_until("dash again", |screen| screen.ends_with("\ndash>"));
    assert!(terminal.echoes());
    terminal.type_line("fg");
    let asked_again = |screen: &str| {
        screen.matches("\nPassword for alice").count() == 2 && screen.ends_with("):")
    };
    terminal.wait_until("the second question", asked_again);
    eventually("silence", || (!terminal.echoes()).then_some(()));
    terminal.type_line(PASSWORD);
    terminal.wait_for("\nlogged in as alice");
    assert!(terminal.echoes());
    terminal.type_line("exit");
    assert_eq!(terminal.end().status, 0);
    let truth = house.simulator.truth();
    assert_eq!((truth.logins_ok, truth.logins_refused), (1, 0));
    assert_no_leak(&house, &terminal, &["half-a-w0rd"]);
}

#[test]
fn nobody_types_a_password_in_vain() {
    let Some((mut house, terminal)) = at_a_terminal() else { return };
    let simulator = &house.simulator;
    for fault in [Fault::Hang, Fault::Status(404), Fault::Endless, Fault::Reset] {
        simulator.set_fault_for("getLoginInstructions", Some(fault));
        let _ = terminal.run("clear");
        terminal.begin("kept securid-ctl login");
        let screen = terminal.wait_for("Password for alice");
        assert!(!screen.contains("says:"), "{screen}");
        terminal.type_line(PASSWORD);
        let ended = terminal.end();
        assert_eq!(ended.status, 0, "{fault:?}: {}", ended.text);
    }
    simulator.set_fault_for("getLoginInstructions", Some(Fault::CaptivePortal));
    let _ = terminal.run("clear");
    let ended = terminal.run("kept securid-ctl login");
    assert_eq!(ended.status, 1, "{}", ended.text);
    assert!(ended.text.contains("a web page instead of"), "{}", ended.text);
    assert!(!ended.text.contains("Password"), "{}", ended.text);
    simulator.set_fault_for("getLoginInstructions", None);
    simulator.set_fault(Some(Fault::Down));
    let ended = terminal.run("kept securid-ctl login");
    assert_eq!(ended.status, 68, "{}", ended.text);
    assert!(!ended.text.contains("Password"), "{}", ended.text);
    let status = house.call("daemon.status", json!({}));
    assert_eq!(status["instances"][0]["last_contact"]["ok"], false, "{status}");
    simulator.set_fault(None);
    house.call("session.instructions", json!({}));
    let status = house.call("daemon.status", json!({}));
    assert_eq!(status["instances"][0]["last_contact"]["ok"], true, "{status}");

    let ended = terminal.run("kept securid-ctl login no-such");
    assert_eq!(ended.status, 78, "{}", ended.text);
    assert!(!ended.text.contains("Password"), "{}", ended.text);
    house.terminate();
    let ended = terminal.run("kept securid-ctl login");
    assert_eq!(ended.status, 69, "{}", ended.text);
    assert!(!ended.text.contains("Password"), "{}", ended.text);
}

#[test]
fn a_servers_words_are_never_taken_for_ours() {
    let Some((house, terminal)) = at_a_terminal() else { return };
    let hostile = "<h1>Welcome</h1>\u{1b}]0;owned\u{7}\u{1b}[2J\u{1b}[8m\u{9b}31m&#27;[1A \u{202e}gpj\u{200b}<br>\
        Password for alice at prod (https://elsewhere): and then, far to the right, securid-ctl: all is well<br>\
        <p>securid-ctl: hello</p><script>no</script>";
    house.simulator.instruct(Some(hostile));
    let told = house.call("session.instructions", json!({}));
    assert_eq!(
        told["instructions"],
        "Welcome\n]0;owned[2J[8m31m[1A gpj\nPassword for alice at prod (https://elsewhere): and then, far \
         to the right, securid-ctl: all is well\n\nsecurid-ctl: hello"
    );
    assert_eq!((&told["instance"], &told["username"]), (&json!("prod"), &json!("alice")));
    assert_eq!(told["url"], format!("{}/command.submit", house.simulator.url()));
    terminal.resize(60, ROWS);
    terminal.begin("kept securid-ctl login");
    let ours = |line: &&str| line.starts_with("Password for alice");
    let screen = terminal.wait_until("our question", |screen| screen.lines().any(|l| ours(&l)));
    let mut theirs = screen.lines().skip_while(|line| !line.ends_with("says:")).skip(1);
    let said: Vec<&str> = theirs.by_ref().take_while(|line| !ours(line)).collect();
    assert!(said.len() > 5, "{screen}");
    assert!(said.iter().all(|line| line.is_empty() || line.starts_with("  ")), "{screen}");
    terminal.resize(COLUMNS, ROWS);
    terminal.key("C-c");
    assert_eq!(terminal.end().status, 130);
}

/// A file that only its owner reads.
fn file(house: &House, name: &str, text: &str, mode: u32) -> PathBuf {
    let path = house.path(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    path
}

#[test]
fn on_another_partys_word() {
    let house = House::open(Plan::default());
    house.change_config("username = \"alice\"\n", "");
    house.call("daemon.reload", json!({}));
    let assertion = "<R ID=\"_8d1f\">\r\n <V>q7Vb2xNw+Zk/3mLs==</V>\n</R>\n";
    let stale = "<R ID=\"_0000\"><V>Jq81mPz0-Jq81mPz0</V></R>";
    let other = "pX3-s3c0nd-w0rd-0f-a1ice";
    house.simulator.trust("Company SSO", assertion, "bob");
    house.simulator.trust("Company SSO", other, "alice");
    let sso = ["login", "--auth-source", "Company SSO"];
    let good = file(&house, "assertion", assertion, 0o600);
    let stale_file = file(&house, "stale", stale, 0o600);
    let input = ["--input", good.to_str().unwrap()];

    let nowhere = house.ctl(&["login", input[0], input[1]]);
    assert_eq!(nowhere.status.code(), Some(2), "{nowhere:?}");
    assert!(house.simulator.truth().connections == 0, "nothing was sent");
    let first = house.ctl(&[&sso[..], &input].concat());
    assert_eq!(first.status.code(), Some(0), "{first:?}");
    assert!(String::from_utf8_lossy(&first.stdout).starts_with("logged in at prod: session "));
    let session = &house.sessions()[0];
    assert_eq!(session["username"], json!(null));
    let table = house.ctl(&["list"]);
    assert!(String::from_utf8_lossy(&table.stdout).contains("prod"), "{table:?}");

    let named = ["--username", "alice", "--input", "-", "--replace"];
    let second = house.ctl_with(&[&sso[..], &named].concat(), other);
    assert_eq!(second.status.code(), Some(0), "{second:?}");
    assert!(!String::from_utf8_lossy(&second.stdout).contains("being revoked"), "{second:?}");
    assert_eq!(house.sessions().len(), 2, "the other one is not known to be this user's");
    let third = house.ctl(&[&sso[..], &input, &["--replace"]].concat());
    assert_eq!(third.status.code(), Some(0), "{third:?}");
    house.eventually_true("the first one's end", |truth| truth.alive().len() == 2);

    let refused = house.ctl(&[&sso[..], &["--input", stale_file.to_str().unwrap()]].concat());
    assert_eq!(refused.status.code(), Some(77), "{refused:?}");
    let words = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(words.contains("the login at prod was refused (HTTP 401)"), "{words}");
    for other in [json!({"password": PASSWORD, "assertion": other}), json!({"assertion": ""})] {
        assert_eq!(house.refused("session.login", other).code, -32602);
    }

    let truth = house.simulator.truth();
    let arrived: Vec<_> =
        truth.tokens.iter().map(|t| (&*t.username, t.auth_source.as_deref())).collect();
    let sso = Some("Company SSO");
    assert_eq!(arrived, [("bob", sso), ("alice", sso), ("bob", sso)]);
    assert_eq!((truth.logins_refused, truth.requests_refused), (1, 0));
    house.assert_not_told(&[assertion, stale, other]);
}

#[test]
fn by_a_program_that_asks() {
    let Some((house, terminal)) = at_a_terminal() else { return };
    let [asked, asking] = ["asked", "asking"].map(|name| house.path(name));
    let answers = format!("#!/bin/sh\necho \"$1\" > {}\necho '{PASSWORD}'\n", asked.display());
    let good = file(&house, "good", &answers, 0o700);
    let good = good.display();
    let hangs = format!("#!/bin/sh\ntouch {}\nexec sleep 1000\n", asking.display());
    let hangs = file(&house, "hangs", &hangs, 0o700);
    let ended = terminal.run(&format!("securid-ctl login --askpass {good} < /dev/null"));
    assert_eq!(ended.status, 0, "{}", ended.text);
    // Not where there is a terminal.
    terminal.begin(&format!("SECURID_ASKPASS={good} kept securid-ctl login"));
    terminal.wait_for("\nPassword for alice");
    terminal.key("C-c");
    assert_eq!(terminal.end().status, 130);
    let run =
        "exec --login -- sh -c 'test -n \"$SECURID_TOKEN\" && echo it has a token' < /dev/null";
    let ended = terminal.run(&format!("SECURID_ASKPASS={good} securid-ctl {run}"));
    assert_eq!((ended.status, ended.text.trim_end().lines().last()), (0, Some("it has a token")));
    let asked = fs::read_to_string(asked).unwrap();
    assert!(asked.starts_with("Password for alice at prod (https://localhost:"), "{asked}");

    terminal.begin(&format!("kept securid-ctl login --askpass {}", hangs.display()));
    eventually("the question", || asking.exists().then_some(()));
    terminal.key("C-c");
    assert_eq!(terminal.end().status, 130);
    // What is typed for one that may not read the terminal would be the shell's in the end.
    let reads = "#!/bin/sh\nread -r it < /dev/tty\necho \"$it\"\n";
    let reads = file(&house, "reads", reads, 0o700);
    let ended = terminal.run(&format!("securid-ctl login --askpass {}", reads.display()));
    assert_eq!(ended.status, 2, "{}", ended.text);
    assert!(ended.text.contains("it asks on the terminal"), "{}", ended.text);
    let truth = house.simulator.truth();
    assert_eq!((truth.logins_ok, truth.logins_refused), (2, 0));
    assert_no_leak(&house, &terminal, &[]);
}
