//! The history as proof: it says what the server says, once for each token, and does not hide what nobody knows.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use jiff::Timestamp;
use securid_simulator::{EndedBy, Fault};
use securid_tests::patience::{is_installed, is_root};
use securid_tests::process::{run, told};
use securid_tests::programs::programs;
use securid_tests::stranger::as_user;
use securid_tests::{Client, House, PATIENCE, Plan, eventually, skipped, within};
use serde_json::{Value, json};

/// How long a list of a hundred thousand may take to be printed, by programs that are not optimised, beside other tests.
const LONG: Duration = Duration::from_secs(120);

/// `securid-ctl history` with these words, and its exit status.
fn history(house: &House, words: &[&str], exit: i32) -> Output {
    let words: Vec<_> = ["history"].iter().chain(words).copied().collect();
    let output = house.ctl(&words);
    assert_eq!(output.status.code(), Some(exit), "{words:?}: {}", told(&output));
    output
}

fn listed(house: &House, words: &[&str], exit: i32) -> Value {
    let words: Vec<_> = words.iter().copied().chain(["--json"]).collect();
    serde_json::from_slice(&history(house, &words, exit).stdout).unwrap()
}

/// The lines of a CSV, by the names of their columns.
fn rows(csv: &[u8]) -> Vec<BTreeMap<String, String>> {
    csv::Reader::from_reader(csv).deserialize().map(|row| row.unwrap()).collect()
}

/// The server's words, its status and a `Date` of this minute.
fn assert_evidence(line: &Value, words: &str) {
    let evidence = line["evidence"].as_str().unwrap();
    let date = evidence.strip_prefix(words).and_then(|rest| rest.strip_prefix("; Date: "));
    let date = date.unwrap_or_else(|| panic!("{line}"));
    let date = jiff::fmt::rfc2822::parse(date).unwrap().timestamp();
    let ended: Timestamp = line["ended_at"].as_str().unwrap().parse().unwrap();
    assert!(date.duration_since(ended).abs().as_secs() < 60, "{line}");
    assert!(evidence.len() < 100 && !evidence.contains(char::is_control), "{line}");
}

/// Sessions that end in every way there is; for each its id and its token.
fn a_day(house: &House) -> BTreeMap<&'static str, (String, String)> {
    let mut day: BTreeMap<_, _> =
        ["logged out", "dead already", "reply lost", "given up", "pending"]
            .map(|name| (name, house.add_one()))
            .into();
    let logout_fails = |fault| house.simulator.set_fault_for("logoutUser", fault);
    let id = |name: &str| day[name].0.clone();
    house.logout(&id("logged out"), "10s");
    house.simulator.expire(&day["dead already"].1);
    house.logout(&id("dead already"), "10s");
    logout_fails(Some(Fault::ReplyLost));
    house.logout(&id("reply lost"), "200ms");
    house.eventually_true("its end at the server", |truth| {
        truth.token(&day["reply lost"].1).is_some_and(|token| !token.alive)
    });
    logout_fails(None);
    house.eventually_ended(&id("reply lost"));
    assert_eq!(listed(house, &["--unconfirmed"], 0)["sessions"], json!([]));
    logout_fails(Some(Fault::Status(503)));
    house.logout(&id("pending"), "200ms");
    let open = listed(house, &["--unconfirmed"], 75);
    assert_eq!((&open["sessions"], &open["open"][0]["id"]), (&json!([]), &json!(id("pending"))));
    house.logout(&id("given up"), "200ms");
    house.call("session.forget", json!({"session": id("given up")}));
    let logged_in = house.login();
    let truth = house.simulator.truth();
    let made = truth.tokens.last().unwrap().token.clone();
    day.insert("active", (logged_in, made));
    day
}

#[test]
fn each_token_that_died_stands_there_once_with_the_servers_word() {
    for format in ["json", "properties"] {
        let mut house =
            House::audited(Plan { instance: format!("format = \"{format}\""), ..Plan::default() });
        let day = a_day(&house);
        let all = listed(&house, &[], 0);
        let lines = all["sessions"].as_array().unwrap().clone();
        assert_eq!((lines.len(), &all["damaged"]), (4, &json!(0)), "{all}");
        let truth = house.simulator.truth();
        for (name, (id, token)) in &day {
            let (token, its): (_, Vec<_>) = (
                truth.token(token).unwrap(),
                lines.iter().filter(|line| line["id"] == *id).collect(),
            );
            if ["pending", "active"].contains(name) {
                assert!(its.is_empty() && token.alive, "{name}: {its:?}");
                continue;
            }
            let [line] = its[..] else { panic!("{name}: {its:?}") };
            let (outcome, ended_by) = match *name {
                "logged out" => ("revoked", Some(EndedBy::LogoutUser)),
                "dead already" => ("already-invalid", Some(EndedBy::Expired)),
                "reply lost" => ("already-invalid", Some(EndedBy::LogoutUser)),
                _ => ("forgotten", None),
            };
            assert_eq!((&line["outcome"], token.ended_by), (&json!(outcome), ended_by), "{name}");
            assert_eq!(token.alive, outcome == "forgotten", "{name}");
            match outcome {
                "revoked" => assert_evidence(line, "200 type=logoutUser"),
                "already-invalid" => assert_evidence(line, "401 Token is invalid or expired"),
                _ => assert_eq!(line["evidence"], "a person's word alone"),
            }
            let attempts = line["attempts"].as_u64().unwrap();
            assert!(attempts <= u64::from(token.logout_requests), "{name}: {line} {token:?}");
            assert_eq!(line["url"], format!("{}/command.submit", house.simulator.url()));
            for (key, value) in [
                ("instance", "prod"),
                ("username", "alice"),
                ("keyring", "test"),
                ("reason", "request"),
            ] {
                assert_eq!(line[key], value, "{name}");
            }
            let time = |key: &str| line[key].as_str().unwrap().parse::<Timestamp>().unwrap();
            assert!(time("created_at") <= time("requested_at"), "{line}");
            assert!(time("requested_at") <= time("ended_at"), "{line}");
            // By both of them it is found in the audit.
            let audited = if outcome == "forgotten" { "forgotten" } else { "confirmed" };
            let audited = house.eventually_audited(id, audited);
            for key in ["generation", "outcome", "evidence", "attempts", "reason", "keyring"] {
                assert_eq!(audited[key], line[key], "{name}: {key}");
            }
        }

        let open = listed(&house, &["--unconfirmed"], 1);
        assert_eq!(open["sessions"].as_array().unwrap().len(), 1, "{open}");
        assert_eq!(open["sessions"][0]["id"], day["given up"].0);
        assert_eq!(open["open"].as_array().unwrap().len(), 1, "{open}");
        let output = history(&house, &["--unconfirmed"], 1);
        assert!(told(&output).contains("1 more under revocation"), "{}", told(&output));

        // What is confirmed at last is confirmed; what was given up is not, though the server is back.
        house.simulator.set_fault_for("logoutUser", None);
        house.kill_9();
        house.start();
        house.eventually_ended(&day["pending"].0);
        let open = listed(&house, &["--unconfirmed"], 1);
        assert_eq!((open["sessions"].as_array().unwrap().len(), &open["open"]), (1, &json!([])));
        let misspelt = history(&house, &["--unconfirmed", "--instance", "prdo"], 78);
        assert!(told(&misspelt).contains("no instance \"prdo\""), "{}", told(&misspelt));
    }
}

/// Users whose names a spreadsheet would run, and what else may stand in a name.
#[test]
fn csv_and_json_tell_the_same() {
    let house = House::open(Plan::default());
    let names = ["=HYPERLINK(1)", "+1", "-1", "@x", "a,\"b\";c", "Jürgen 'x' 日本", "a b"];
    for name in names {
        let token = house.simulator.issue("alice");
        house.call("session.add", json!({"token": token, "username": name}));
    }
    house.call("session.logout", json!({"all": true, "wait": "10s"}));
    let sessions = listed(&house, &[], 0)["sessions"].as_array().unwrap().clone();
    let rows = rows(&history(&house, &["--csv"], 0).stdout);
    assert_eq!((sessions.len(), rows.len()), (names.len(), names.len()));
    for (session, row) in sessions.iter().zip(&rows) {
        let session = session.as_object().unwrap();
        assert_eq!(session.len(), row.len(), "{row:?}");
        for (key, value) in session {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let guard = if text.starts_with(['=', '+', '-', '@']) { "'" } else { "" };
            assert_eq!(row[key], format!("{guard}{text}"), "{key}");
        }
    }
}

/// A line as the daemon writes them, of a session that ended then.
fn line(number: usize, ended: Timestamp) -> String {
    let line = json!({
        "id": format!("{number:016x}"), "generation": number, "instance": "prod",
        "url": "https://igl.example:8443/aveksa/command.submit", "username": "alice", "keyring": "sealed-file",
        "created_at": ended, "requested_at": ended, "ended_at": ended, "reason": "idle",
        "outcome": if number.is_multiple_of(1_000) { "forgotten" } else { "revoked" },
        "attempts": 1, "evidence": "200 type=logoutUser; Date: Sun, 06 Nov 1994 08:49:37 GMT",
    });
    format!("{line}\n")
}

/// A house whose daemon finds this history, and keeps it without an end.
fn with_history(plan: Plan, text: &str) -> House {
    let mut house = House::build(plan);
    house.change_config("keyring = ", "history_keep = \"never\"\nkeyring = ");
    house.start();
    assert!(house.terminate().success());
    fs::write(house.state_dir().join("history.jsonl"), text).unwrap();
    house.start();
    house
}

/// What a command prints that may not have more memory for data than this, in KiB.
fn printed_with(kib: usize, house: &House, words: &[&str]) -> Output {
    let mut command = Command::new("sh");
    let limited = format!("ulimit -d {kib} && exec \"$0\" \"$@\"");
    command.args(["-c", &limited]).arg(&programs().ctl).args(words);
    house.furnish(&mut command);
    run(command, "", LONG)
}

#[test]
fn a_hundred_thousand_lines() {
    let start: Timestamp = "2026-06-01T00:00:00Z".parse().unwrap();
    // One in two minutes: more than the quarter.
    let at = |number: usize| start + jiff::SignedDuration::from_mins(2 * number as i64);
    let text = (0..110_000).fold(String::new(), |mut text, number| {
        write!(text, "{}", line(number, at(number))).unwrap();
        text
    });
    let house = with_history(Plan::default(), &text);
    // A list in memory would not fit.
    let all = printed_with(10_000, &house, &["history", "--csv"]);
    assert!(all.status.success(), "{}", told(&all));
    assert!(all.stdout.len() > 20_000_000, "{}", all.stdout.len());
    let ids = |text: &[u8]| rows(text).iter().map(|row| row["id"].clone()).collect::<Vec<_>>();
    let newest_first = |range: std::ops::Range<usize>| {
        range.rev().map(|number| format!("{number:016x}")).collect::<Vec<_>>()
    };
    assert_eq!(ids(&all.stdout), newest_first(0..110_000));

    // A page is asked for, the history shortened, and the next page asked for.
    let first = house.call("session.history", json!({"limit": 5}));
    let (id, _) = house.add_one();
    assert_eq!(house.logout(&id, "10s")["outcome"], "revoked");
    let file = house.state_dir().join("history.jsonl");
    within(LONG, "a shorter file", || {
        (fs::metadata(&file).unwrap().len() < text.len() as u64 - 1_000_000).then_some(())
    });
    let second = house.call("session.history", json!({"limit": 5, "cursor": first["cursor"]}));
    let seen: Vec<_> = [&first, &second]
        .iter()
        .flat_map(|page| page["sessions"].as_array().unwrap())
        .map(|session| session["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(seen, newest_first(109_990..110_000));

    // In that year's report some may be missing: they had to make room.
    let (since, until) = ("2026-01-01", "2026-10-01");
    let report = ["--unconfirmed", "--csv", "--since", since, "--until", until];
    let year = history(&house, &report, 1);
    let forgotten = (11_000..110_000).step_by(1_000).filter(|&n| *at(n).to_string() < *until);
    let forgotten: Vec<_> = forgotten.map(|number| format!("{number:016x}")).collect();
    assert_eq!(ids(&year.stdout), forgotten.into_iter().rev().collect::<Vec<_>>());
    let gap =
        format!("the history goes back to {}", at(10_000) + jiff::SignedDuration::from_secs(1));
    assert!(told(&year).contains(&gap), "{}", told(&year));
}

/// As a shorter `history_keep`, or a wall clock that is far ahead for an hour, has them.
#[test]
fn lines_that_went_for_their_age_leave_a_gap_however_much_is_kept_later() {
    let day = |ago: i64| Timestamp::now() - jiff::SignedDuration::from_hours(24 * ago);
    let second = Timestamp::from_second(day(60).as_second()).unwrap();
    let newest_gone = second + jiff::SignedDuration::from_millis(500);
    let text = [line(1_000, newest_gone), line(1, day(70)), line(2, day(20))].concat();
    let mut house = with_history(Plan::default(), &text);
    let since = |time: Timestamp| time.to_string();
    assert_eq!(listed(&house, &["--since", &since(day(90))], 0)["kept_since"], json!(null));

    house.change_config("\"never\"", "\"30d\"");
    house.call("daemon.reload", json!({}));
    let (id, _) = house.add_one();
    house.logout(&id, "10s");
    let file = house.state_dir().join("history.jsonl");
    eventually("a shorter file", || {
        (!fs::read_to_string(&file).ok()?.contains(&format!("{:016x}", 1_000))).then_some(())
    });
    // It holds for the next daemon as well.
    house.change_config("\"30d\"", "\"400d\"");
    house.call("daemon.reload", json!({}));
    for _ in 0..2 {
        let whole = second + jiff::SignedDuration::from_secs(1);
        for (from, exit) in [(day(90), 1), (second, 1), (newest_gone, 1), (whole, 0)] {
            let words = ["--unconfirmed", "--since", &since(from)];
            assert_eq!(listed(&house, &words, exit)["kept_since"], whole.to_string());
            let warned = told(&history(&house, &words, exit)).contains("the history goes back to");
            assert_eq!(warned, exit == 1, "{from}");
        }
        assert!(house.terminate().success());
        house.start();
    }
}

/// After a power cut, a bad disk, or somebody's editor.
#[test]
fn damaged_lines_are_passed_over_counted_and_set_aside() {
    let ended = Timestamp::from_second(1_780_000_000).unwrap();
    let (noise, nothing) = ("x".repeat(1 << 20), "\0".repeat(4_096));
    let text = [
        &line(1, ended),
        "{\"id\":\"0000\n",
        &line(2, ended),
        &noise,
        "\n",
        &line(3, ended),
        &nothing,
        "\n",
        &line(4, ended),
        // What was being written when the power went.
        "{\"id\":\"00",
        &nothing,
    ]
    .concat();
    let mut house = with_history(Plan::default(), &text);
    let (id, _) = house.add_one();
    house.logout(&id, "10s");
    let all = listed(&house, &[], 0);
    let ids: Vec<_> = all["sessions"].as_array().unwrap().iter().map(|s| &s["id"]).collect();
    let old = [4, 3, 2, 1].map(|number| format!("{number:016x}"));
    assert_eq!(ids[0], &json!(id));
    assert_eq!(ids[1..], old.each_ref().map(|id| json!(id)).each_ref()[..]);
    assert_eq!(all["damaged"], 3, "what was being written is none: its record is still there");
    let output = history(&house, &["--unconfirmed"], 1);
    assert!(told(&output).contains("3 lines of the history cannot be read"), "{}", told(&output));

    // It is written anew, and what was damaged is kept where a person can look at it.
    assert!(house.terminate().success());
    let file = house.state_dir().join("history.jsonl");
    let old = line(9, "2000-01-01T00:00:00Z".parse().unwrap());
    fs::write(&file, [old.as_bytes(), &fs::read(&file).unwrap()].concat()).unwrap();
    // Longer than the others are old, and shorter than that one.
    house.change_config("history_keep = \"never\"", "history_keep = \"9000d\"");
    let aside = house.state_dir().join("damaged");
    house.start();
    let all = eventually("the history without them", || {
        let all = listed(&house, &[], 0);
        (all["damaged"] == 0).then_some(all)
    });
    assert_eq!(all["sessions"].as_array().unwrap().len(), 5, "{all}");
    let set_aside = fs::read(aside.join("history.jsonl")).unwrap();
    assert!(set_aside == ["{\"id\":\"0000\n", &noise, "\n", &nothing, "\n"].concat().as_bytes());
    assert_eq!(all["set_aside"], aside.to_string_lossy().as_ref());
    history(&house, &["--unconfirmed"], 1);
    // Somebody has looked.
    fs::remove_dir_all(&aside).unwrap();
    history(&house, &["--unconfirmed"], 0);
}

/// As when root has put a backup back.
#[test]
fn a_history_of_another_owner_is_told_and_nothing_is_lost() {
    if !is_root() {
        return skipped("only root makes files of others");
    }
    let user = 600_000_000 + std::process::id();
    let mut house = House::open(Plan { user: Some(user), ..Plan::default() });
    let socket = house.socket();
    // It lets nobody in but its own user.
    let call = |method: &str, params: Value| {
        as_user(user, || Client::connect(&socket).unwrap().call(method, params))
    };
    let end_one = || {
        let token = house.simulator.issue("alice");
        let taken = call("session.add", json!({"token": token})).unwrap();
        let one = json!({"sessions": [taken["id"]], "wait": "10s"});
        let view = call("session.logout", one).unwrap();
        assert_eq!(view["sessions"][0]["outcome"], "revoked", "{view}");
        assert!(!house.fate(&token).alive);
        taken["id"].clone()
    };
    let before = end_one();
    house.eventually_empty();
    let file = house.state_dir().join("history.jsonl");
    chown(&file, Some(0), Some(0)).unwrap();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let id = end_one();
    let fault = call("session.history", json!({})).unwrap_err();
    assert_eq!(fault.code, -32005, "{fault:?}");
    assert!(fault.message.contains("history.jsonl"), "{fault:?}");
    assert_eq!(house.records().len(), 1, "it is the only thing that tells of this end");
    house.kill_9();
    house.start();
    chown(&file, Some(user), Some(user)).unwrap();
    house.eventually_empty();
    let all = call("session.history", json!({})).unwrap();
    let ids: Vec<_> = all["sessions"].as_array().unwrap().iter().map(|line| &line["id"]).collect();
    assert_eq!(ids, [&id, &before]);
}

/// The commands of a section of `docs/operations.md`, each as it stands there.
fn commands_of(section: &str) -> Vec<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operations.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, text) = page.split_once(&format!("\n### {section}\n")).expect("the section is there");
    let text = text.split("\n##").next().unwrap();
    let blocks = text.split("```sh\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap().to_owned()).collect()
}

/// The documented commands, on sessions that really ended; only when they did is made up.
#[test]
fn the_quarters_report_agrees_with_the_server() {
    if !is_installed("jq") {
        return;
    }
    let mut house = House::build(Plan::default());
    house.change_config("keyring = ", "history_keep = \"never\"\nkeyring = ");
    house.start();
    let ended = [
        "2026-06-30T23:59:59.999Z",
        "2026-07-01T00:00:00Z",
        "2026-08-15T12:00:00Z",
        "2026-08-15T12:00:00Z",
        "2026-09-01T00:00:00Z",
        "2026-09-30T23:59:59.999Z",
        "2026-10-01T00:00:00Z",
    ];
    let held = house.add_many(ended.len());
    let file = house.state_dir().join("history.jsonl");
    let [dead_already, given_up] = [2, 4];
    house.simulator.expire(&held[dead_already].1);
    for (which, (id, _)) in held.iter().enumerate() {
        if which == given_up {
            house.simulator.set_fault(Some(Fault::Status(503)));
            house.logout(id, "200ms");
            house.call("session.forget", json!({"session": id}));
            house.simulator.set_fault(None);
        } else {
            house.logout(id, "10s");
        }
        // One after the other in the file as well.
        eventually("its line", || fs::read_to_string(&file).ok()?.contains(id).then_some(()));
    }
    house.eventually_empty();
    assert!(house.terminate().success());
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(text.lines().count(), ended.len());
    let moved = text.lines().zip(ended).map(|(line, ended)| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        line["ended_at"] = json!(ended);
        line["requested_at"] = json!("2026-06-30T12:00:00Z");
        format!("{line}\n")
    });
    fs::write(&file, moved.collect::<String>()).unwrap();
    house.start();

    let truth = house.simulator.truth();
    let quarter = &held[1..6];
    let fate = |(_, token): &(String, String)| truth.token(token).unwrap().clone();
    let dead = quarter.iter().filter(|one| !fate(one).alive).count();
    let by_us = quarter.iter().filter(|one| fate(one).ended_by == Some(EndedBy::LogoutUser));
    let path = std::env::var("PATH").unwrap();
    let ours = programs().ctl.parent().unwrap().display();
    let outputs: Vec<_> = commands_of("A report for the auditor")
        .iter()
        .map(|script| {
            let mut command = Command::new("bash");
            command.args(["-c", script]);
            house.furnish(&mut command);
            command.env("PATH", format!("{ours}:{path}")).current_dir(house.path("home"));
            run(command, "", PATIENCE)
        })
        .collect();
    let [csv, unconfirmed, numbers] = &outputs[..] else { panic!("{outputs:?}") };

    assert!(csv.status.success(), "{}", told(csv));
    let report = rows(&fs::read(house.path("home/2026-q3.csv")).unwrap());
    let ids: Vec<_> = report.iter().map(|row| &row["id"]).collect();
    assert_eq!(ids, quarter.iter().rev().map(|(id, _)| id).collect::<Vec<_>>());
    let revoked = report.iter().filter(|row| row["outcome"] == "revoked");
    assert_eq!(revoked.count(), by_us.count());

    assert_eq!(unconfirmed.status.code(), Some(1), "{}", told(unconfirmed));
    let table = String::from_utf8_lossy(&unconfirmed.stdout);
    assert_eq!(table.lines().count(), 2, "{table}");
    assert!(table.contains(&held[given_up].0) && table.contains("forgotten"), "{table}");

    assert!(numbers.status.success(), "{}", told(numbers));
    let numbers: Value = serde_json::from_slice(&numbers.stdout).unwrap();
    assert_eq!(
        numbers,
        json!({
            "ended": quarter.len(), "confirmed": dead, "unconfirmed": [held[given_up].0],
            "by_reason": {"request": quarter.len()}, "longest_wait_hours": 2219,
            "unreadable_lines": 0, "set_aside": null, "whole_since": null,
        })
    );
}
