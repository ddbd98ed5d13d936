//! `securid-ctl watch` on a terminal.

use securid_simulator::Fault;
use securid_tests::programs::programs;
use securid_tests::terminal::Terminal;
use securid_tests::{House, Plan, eventually};
use serde_json::json;

/// What stood on the terminal before.
const BEFORE: &str = "what stood here before";

/// The command.
fn watch() -> String {
    format!("{} watch", programs().ctl.display())
}

/// A terminal on which it runs, with this in front.
fn watching(house: &House, before: &str) -> Option<Terminal> {
    let terminal = house.terminal()?;
    let _ = terminal.run(&format!("echo {BEFORE}"));
    terminal.begin(&format!("{before} {}", watch()));
    terminal.wait_for("q ends");
    assert!(terminal.is_on_other_screen() && !terminal.shows_cursor() && !terminal.echoes());
    Some(terminal)
}

/// Nothing of it is left, and what was there is there.
fn is_as_before(terminal: &Terminal) {
    assert!(!terminal.is_on_other_screen() && terminal.shows_cursor());
    let everything = terminal.everything();
    assert!(everything.contains(BEFORE), "{everything}");
    assert!(!everything.contains("INSTANCE") && !everything.contains("q ends"), "{everything}");
}

#[test]
fn sessions_are_seen_to_come_to_count_down_and_to_end() {
    let house = House::open(Plan::default());
    let Some(terminal) = watching(&house, "kept") else { return };
    terminal.wait_for("No sessions. q ends.");
    let (id, _) = house.add_one();
    let screen = terminal.wait_for(&id);
    assert!(screen.contains("Sessions: 1 active. q ends.") && screen.contains("alice"), "{screen}");
    let row = |screen: &str| screen.lines().find(|line| line.contains(&id)).unwrap().to_owned();
    let first = row(&screen);
    assert!(first.contains("14m") && first.contains(" idle"), "{first}");
    terminal.wait_until("the countdown", |screen| row(screen) != first);

    let mut holder = house.client();
    holder.call("session.hold", json!({"session": id})).unwrap();
    let screen = terminal.wait_for("lifetime");
    assert!(row(&screen).contains("7h 59m lifetime"), "{screen}");

    house.simulator.set_fault(Some(Fault::Status(503)));
    house.call("session.logout", json!({"sessions": [id]}));
    // None is due while one is out.
    let screen = terminal.wait_until("the next try", |screen| screen.contains("next try"));
    assert!(screen.contains("Sessions: 1 revoking. q ends."), "{screen}");
    assert!(row(&screen).contains("request now, tried "), "{screen}");
    terminal.wait_for("(HTTP 503)");
    house.simulator.set_fault(None);
    let screen = terminal.wait_for("revoked (request)");
    assert!(screen.contains("No sessions"), "{screen}");
    terminal.key("q");
    assert_eq!(terminal.end().status, 0);
    is_as_before(&terminal);
}

#[test]
fn however_it_ends_the_terminal_is_as_it_was() {
    let house = House::open(Plan::default());
    house.login();
    let Some(terminal) = house.terminal() else { return };
    let _ = terminal.run(&format!("echo {BEFORE}"));
    for (signal, status) in [("C-c", 130), ("TERM", 143), ("HUP", 129), ("QUIT", 131)] {
        terminal.begin(&format!("kept sh -c 'echo $$ > $HOME/watch.pid; exec {}'", watch()));
        terminal.wait_until("the table", |screen| screen.contains("q ends"));
        match signal {
            "C-c" => terminal.key("C-c"),
            signal => {
                let pid = std::fs::read_to_string(house.path("home/watch.pid")).unwrap();
                let mut kill = std::process::Command::new("kill");
                assert!(kill.arg(format!("-{signal}")).arg(pid.trim()).status().unwrap().success());
            }
        }
        assert_eq!(terminal.end().status, status, "{signal}");
        is_as_before(&terminal);
    }
}

#[test]
fn it_stops_and_goes_on_as_other_programs_do() {
    let house = House::open(Plan::default());
    let (id, _) = house.add_one();
    let Some(terminal) = watching(&house, "") else { return };
    terminal.wait_for(&id);
    terminal.key("C-z");
    eventually("the shell", || (!terminal.is_on_other_screen()).then_some(()));
    terminal.wait_for("Stopped");
    assert!(terminal.shows_cursor());
    assert!(terminal.run("stty -a | grep -wq echo").status == 0);
    let other = house.login();
    terminal.begin("fg");
    let screen = terminal.wait_for(&other);
    assert!(
        screen.contains(&id) && terminal.is_on_other_screen() && !terminal.echoes(),
        "{screen}"
    );
    terminal.key("q");
    assert_eq!(terminal.end().status, 0);
    assert!(!terminal.is_on_other_screen() && terminal.shows_cursor());
}

#[test]
fn it_fits_whatever_the_terminal_s_size() {
    let house = House::open(Plan::default());
    house.add_many(12);
    let Some(terminal) = watching(&house, "") else { return };
    terminal.wait_until("all", |screen| screen.matches("alice").count() == 12);
    terminal.resize(40, 10);
    let screen = terminal.wait_for("and 5 more");
    assert!(screen.lines().count() <= 10, "{screen}");
    assert!(screen.lines().all(|line| line.chars().count() <= 40), "{screen}");
    terminal.resize(100, 30);
    terminal.wait_until("all", |screen| screen.matches("alice").count() == 12);
    terminal.key("q");
    assert_eq!(terminal.end().status, 0);
}

#[test]
fn a_daemon_that_goes_is_waited_for() {
    let mut house = House::open(Plan::default());
    let (id, _) = house.add_one();
    let Some(terminal) = watching(&house, "") else { return };
    terminal.wait_for(&id);
    house.kill_9();
    let screen = terminal.wait_for("The daemon has gone");
    assert!(!screen.contains(&id), "{screen}");
    house.start();
    terminal.wait_for(&id);
    terminal.key("q");
    assert_eq!(terminal.end().status, 0);
}

#[test]
fn on_a_terminal_that_cannot_be_drawn_on_it_prints_lines() {
    let house = House::open(Plan::default());
    let Some(terminal) = house.terminal() else { return };
    terminal.begin(&format!("TERM=dumb {}", watch()));
    terminal.wait_for(r#"{"seq":1,"event":"ready"}"#);
    terminal.key("C-c");
    assert_eq!(terminal.end().status, 130);
}
