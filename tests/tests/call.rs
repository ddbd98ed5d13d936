//! `call`: commands of the web service through the daemon, whose token stays there.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs::{self, File, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use securid_simulator::{Echo, Fault};
use securid_tests::memory::private_kib;
use securid_tests::process::{Process, told};
use securid_tests::programs::programs;
use securid_tests::{Client, House, PATIENCE, Plan, Signal, eventually, timed};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// How much goes each way where memory is watched: four times what it may grow by, or more if somebody wants it.
fn much() -> u64 {
    let told = std::env::var("SECURID_TEST_CALL_BYTES").ok();
    told.map_or(8 * 1024 * 1024, |bytes| bytes.parse().expect("a number of bytes"))
}

/// By how much memory may grow, in KiB, however much goes through.
const GROWTH: usize = 2 * 1024;

/// What long answers consist of.
const LINE: &[u8] = b"userid=alice,name=Alice Example\n";

/// A house whose daemon gives up on no server only because the machine is busy: the usual second may be too short for
/// its first handshake, and a call is not tried again.
fn house() -> House {
    House::open(Plan { revocation: vec![("attempt_timeout", "10s")], ..Plan::default() })
}

/// `securid-ctl call` with more words.
fn call(house: &House, words: &[&str]) -> Command {
    let mut command = Command::new(&programs().ctl);
    house.furnish(&mut command);
    command.arg("call").args(words).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn exit(output: &Output) -> i32 {
    output.status.code().expect("it ended by itself")
}

/// Calls in vain: the exit status, and what was said.
fn refused(house: &House, words: &[&str]) -> (i32, String) {
    let words: Vec<&str> = ["call"].iter().chain(words).copied().collect();
    let output = house.ctl(&words);
    assert!(output.stdout.is_empty(), "{words:?}: {output:?}");
    (exit(&output), told(&output))
}

fn holds(house: &House, id: &str) -> u64 {
    house.session(id).map_or(0, |session| session["holds"].as_u64().unwrap())
}

fn sha256(from: &mut dyn Read) -> String {
    let mut hash = Sha256::new();
    std::io::copy(from, &mut HashWriter(&mut hash)).unwrap();
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

struct HashWriter<'a>(&'a mut Sha256);

impl Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// So many bytes of lines.
struct Lines(u64);

impl Read for Lines {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let n = into.len().min(usize::try_from(self.0).unwrap());
        // Each read begins with a line, because each but the last takes whole ones.
        let n = if (n as u64) < self.0 { n - n % LINE.len() } else { n };
        for lines in into[..n].chunks_mut(LINE.len()) {
            lines.copy_from_slice(&LINE[..lines.len()]);
        }
        self.0 -= n as u64;
        Ok(n)
    }
}

#[test]
fn a_command_is_carried_out_and_its_token_stays() {
    let house = house();
    let (id, token) = house.add_one();
    let before = house.session(&id).unwrap()["last_used_at"].clone();
    thread::sleep(Duration::from_millis(1100));
    let found = house.ctl(&["call", "findUsers", "name=ali"]);
    assert_eq!(exit(&found), 0, "{found:?}");
    let answer: Value = serde_json::from_slice(&found.stdout).unwrap();
    assert_eq!(answer, json!({"findUsers": [{"userid": "alice"}]}));
    assert_ne!(house.session(&id).unwrap()["last_used_at"], before, "it counts as use");

    let none =
        house.ctl(&["call", "-s", &id, "--format", "properties", "findUsers", "name=b&cmd=x"]);
    assert_eq!((exit(&none), &*none.stdout), (0, &b"userid=\n"[..]));
    assert_eq!(house.fate(&token).other_requests, 2);
    eventually("the hold to end", || (holds(&house, &id) == 0).then_some(()));
    assert!(house.fate(&token).alive);
    assert!(!house.heard().contains(&token) && !house.log().contains(&token));

    for (words, status, says) in [
        (&["findUsers", "name"][..], 2, "NAME=VALUE"),
        (&["findUsers", "a=1", "a=2"], 2, "\"a\" is there twice"),
        (&["findUsers", "token=x"], 2, "the argument \"token\" is not a command's own"),
        (&["loginUser"], 2, "securid-ctl login"),
        (&["LogoutUser"], 2, "securid-ctl logout"),
        (&["find users"], 2, "no command's name"),
        (&["findUsers", "--format", "a b"], 2, "no format"),
        (&["findUsers", "--input", "/nowhere"], 1, "cannot read /nowhere"),
        (&["findUsers", "--input", "/"], 1, "cannot read /: Is a directory"),
        (&["findUsers", "-o", "/nowhere/x"], 1, "cannot write /nowhere/x"),
        (&["findUsers", "-s", "prod2"], 66, "no session"),
        (
            &["whoKnows"],
            1,
            "the server knows no such command, or is none (HTTP 404); it says: Error",
        ),
    ] {
        let (exit, told) = refused(&house, words);
        assert_eq!(exit, status, "{words:?}: {told}");
        assert!(told.contains(says), "{words:?}: {told}");
    }
    let errors = house.ctl(&["--json", "call", "whoKnows"]);
    let error: Value = serde_json::from_slice(&errors.stderr).unwrap();
    assert_eq!(
        (&error["error"]["code"], &error["error"]["status"]),
        (&json!("server-error"), &json!(404))
    );

    // Under revocation it is lent to nobody.
    house.simulator.set_fault_for("logoutUser", Some(Fault::Status(503)));
    house.logout(&id, "10ms");
    assert_eq!(
        house.refused("session.call", json!({"session": id, "command": "findUsers"})).code,
        -32012
    );
}

#[test]
fn however_much_goes_through_memory_does_not_grow() {
    let house = house();
    house.add_one();
    let (much, idle) = (much(), private_kib(house.pid()));
    let (input, output) = (house.path("input"), house.path("output"));
    // Not whole lines, so that the end counts.
    let length = much - 7;
    std::io::copy(&mut Lines(length), &mut File::create(&input).unwrap()).unwrap();
    let bytes = format!("bytes={length}");
    let mut up_and_down = call(&house, &["findUsers", &bytes, "--input", "input", "-o", "output"]);
    up_and_down.stderr(Stdio::inherit());

    let (over, mut peaks) = (AtomicBool::new(false), (0, 0));
    let ((), took) = timed(|| {
        let mut ctl = Process::start(up_and_down);
        let (pid, daemon) = (ctl.pid(), house.pid());
        thread::scope(|scope| {
            let watch = scope.spawn(|| {
                let mut peaks = (0, 0);
                while !over.load(Ordering::Relaxed) {
                    if Path::new(&format!("/proc/{pid}/smaps_rollup")).exists() {
                        peaks.0 = peaks.0.max(private_kib(daemon));
                        peaks.1 = peaks.1.max(kib_of_command(pid));
                    }
                    thread::sleep(Duration::from_millis(5));
                }
                peaks
            });
            let status = ctl.wait(PATIENCE * 30);
            over.store(true, Ordering::Relaxed);
            peaks = watch.join().unwrap();
            assert!(status.success(), "{status}");
        });
    });
    println!(
        "{length} bytes each way in {took:?}; daemon {idle} KiB, at most {} KiB; securid-ctl at most {} KiB",
        peaks.0, peaks.1
    );
    let whole = sha256(&mut Lines(length));
    let truth = house.simulator.truth();
    assert_eq!(truth.bodies.len(), 1);
    assert_eq!((truth.bodies[0].bytes, &truth.bodies[0].sha256), (length, &whole));
    assert_eq!(fs::metadata(&output).unwrap().len(), length);
    assert_eq!(sha256(&mut File::open(&output).unwrap()), whole);
    assert!(peaks.0 < idle + GROWTH, "the daemon grew from {idle} to {} KiB", peaks.0);
    assert!(peaks.1 < GROWTH, "securid-ctl grew to {} KiB", peaks.1);
}

/// What a command has to itself; it may end any moment.
fn kib_of_command(pid: u32) -> usize {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = rollup.lines().find_map(|line| line.strip_prefix("Anonymous:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

#[test]
fn a_body_of_unknown_length_goes_out_as_it_comes() {
    let house = house();
    house.add_one();
    for length in [1_u64, 24 * 1024, 300_000] {
        let mut command =
            call(&house, &["findUsers", "--input", "-", "--content-type", "text/xml"]);
        command.stdin(Stdio::piped());
        let mut ctl = command.spawn().unwrap();
        std::io::copy(&mut Lines(length), ctl.stdin.as_mut().unwrap()).unwrap();
        let output = ctl.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let body = house.simulator.truth().bodies.last().unwrap().clone();
        assert_eq!((body.bytes, body.sha256), (length, sha256(&mut Lines(length))));
    }
}

#[test]
fn what_the_server_does_wrong_is_told_and_no_part_passes_for_the_whole() {
    let house = house();
    let (id, token) = house.add_one();
    for (fault, status, says) in [
        (Fault::Status(404), 1, "(HTTP 404); it says: Error This is the answer"),
        (Fault::Status(412), 1, "(HTTP 412); it says: Error This is the answer"),
        (Fault::Status(500), 1, "(HTTP 500); it says: Error This is the answer"),
        (Fault::ProxyAuth401, 1, "a 401 that is not the server's own page"),
        (Fault::Redirect, 1, "not followed"),
        (Fault::Throttle { retry_after_secs: 9, as_date: false }, 1, "asks to wait 9s"),
        (Fault::Echo(500, Echo::Plain), 1, "(HTTP 500)"),
        (Fault::Reset, 68, "was lost before an answer came"),
        (Fault::Down, 68, "refuses connections"),
    ] {
        house.simulator.set_fault_for("findUsers", Some(fault));
        let (exit, told) = refused(&house, &["findUsers", "-o", "answer"]);
        assert_eq!(exit, status, "{fault}: {told}");
        assert!(told.contains(says), "{fault}: {told}");
        assert!(!house.path("answer").exists(), "{fault}");
    }
    house.simulator.set_fault_for("findUsers", Some(Fault::Hang));
    let (exit_status, told) = refused(&house, &["findUsers", "--timeout", "300ms"]);
    assert_eq!(exit_status, 68, "{told}");
    assert!(told.contains("the call was not over after 300ms"), "{told}");
    house.simulator.set_fault_for("findUsers", None);

    for (then, says) in [("silence", "not over after"), ("cut", "lost before the end")] {
        let words = ["findUsers", "bytes=100000", &format!("then={then}"), "--timeout", "700ms"];
        let printed = call(&house, &words).output().unwrap();
        let said = String::from_utf8_lossy(&printed.stderr).into_owned();
        assert_eq!(exit(&printed), 1, "{said}");
        assert!(said.contains("the answer is incomplete: ") && said.contains(says), "{said}");
        assert!(!printed.stdout.is_empty() && printed.stdout.len() <= 100_000);
        let (exit, told) = refused(&house, &[&words[..], &["-o", "answer"]].concat());
        assert_eq!(exit, 1, "{told}");
        assert!(nothing_is_left(&house));
    }
    assert_eq!(house.simulator.truth().redirects_followed, 0);
    assert_eq!(house.state(&id), "active", "none of this ends a session");
    assert!(house.fate(&token).alive);
    assert!(!house.heard().contains(&token));
}

fn nothing_is_left(house: &House) -> bool {
    let files = fs::read_dir(house.path("")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().to_string_lossy().into_owned());
    !names.into_iter().any(|name| name.contains("answer"))
}

#[test]
fn an_answer_that_repeats_the_token_is_not_passed_on() {
    let house = house();
    let (id, token) = house.add_one();
    // Byte by byte, so that no piece has more than a part of it.
    let output = call(&house, &["findUsers", "repeat=token"]).output().unwrap();
    assert_eq!(exit(&output), 1, "{output:?}");
    assert_eq!(&*output.stdout, b"you are ", "not even the beginning of it");
    assert!(told(&output).contains("repeats the session's token"), "{output:?}");
    // And in one piece.
    house.simulator.set_fault_for("findUsers", Some(Fault::Echo(200, Echo::Plain)));
    let (exit, told) = refused(&house, &["findUsers", "-o", "answer"]);
    assert_eq!(exit, 1, "{told}");
    assert!(nothing_is_left(&house) && !told.contains(&token), "{told}");
    assert_eq!(house.state(&id), "active");
}

#[test]
fn a_token_that_the_server_calls_dead_is_ended_properly() {
    let mut house = house();
    let (id, token) = house.add_one();
    house.simulator.expire(&token);
    let (exit, told) = refused(&house, &["findUsers"]);
    assert_eq!(exit, 1, "{told}");
    assert!(told.contains("the server says that the token is dead"), "{told}");
    assert!(told.contains("securid-ctl login prod"), "{told}");
    let ended = house.eventually_ended(&id);
    assert_eq!(
        (&ended["reason"], &ended["outcome"]),
        (&json!("server"), &json!("already-invalid"))
    );
    assert!(house.fate(&token).logout_requests > 0, "its end was confirmed by a logout");

    // The daemon dies before it is confirmed.
    let (id, token) = house.add_one();
    house.simulator.expire(&token);
    house.simulator.set_fault_for("logoutUser", Some(Fault::Status(503)));
    assert_eq!(refused(&house, &["findUsers"]).0, 1);
    eventually("the intent on disk", || {
        let durable = house.session(&id)?["revocation"]["durable"].as_bool()?;
        durable.then_some(())
    });
    house.kill_9();
    house.simulator.set_fault_for("logoutUser", None);
    house.start();
    assert_eq!(house.eventually_ended(&id)["reason"], "server");
}

#[test]
fn a_session_is_in_use_as_long_as_a_call_goes_on() {
    let house = House::open(Plan { top: "idle_timeout = \"1s\"".to_owned(), ..Plan::default() });
    let (id, token) = house.add_one();
    house.simulator.set_fault_for("findUsers", Some(Fault::Delay(Duration::from_millis(2200))));
    let ctl = call(&house, &["findUsers"]).spawn().unwrap();
    eventually("the hold", || (holds(&house, &id) == 1).then_some(()));
    let output = ctl.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(house.fate(&token).logout_requests == 0, "it was not idle");
    assert_eq!(house.eventually_ended(&id)["reason"], "idle");
}

#[test]
fn a_client_that_dies_takes_its_call_along() {
    let house = house();
    let (id, _) = house.add_one();
    // While the server is waited for.
    house.simulator.set_fault_for("findUsers", Some(Fault::Hang));
    let waiting = Process::start(call(&house, &["findUsers"]));
    house.eventually_true("the request", |truth| truth.tokens[0].other_requests == 1);
    assert_eq!(holds(&house, &id), 1);
    drop(waiting);
    eventually("its end", || (holds(&house, &id) == 0).then_some(()));
    house.simulator.set_fault_for("findUsers", None);

    // While the body goes out, of which a part must not pass for the whole.
    let mut command = call(&house, &["findUsers", "--input", "-"]);
    command.stdin(Stdio::piped());
    let mut sending = Process::start(command);
    for _ in 0..2000 {
        sending.tell("some of a body that nobody will ever see the end of");
    }
    house.eventually_true("the request", |truth| truth.tokens[0].other_requests == 2);
    drop(sending);
    house.eventually_true("a body that broke off", |truth| truth.bodies_broken_off == 1);
    assert!(house.simulator.truth().bodies.is_empty());
    eventually("its end", || (holds(&house, &id) == 0).then_some(()));

    // While the answer comes, by Ctrl-C: nothing is left over.
    let words = ["findUsers", "bytes=1000000", "then=silence", "-o", "answer"];
    let mut coming = Process::start(call(&house, &words));
    eventually("the hold", || (holds(&house, &id) == 1).then_some(()));
    eventually("the file", || (!nothing_is_left(&house)).then_some(()));
    coming.signal(Signal::INT);
    assert_eq!(coming.wait(PATIENCE).code(), Some(130));
    assert!(nothing_is_left(&house));
    eventually("its end", || (holds(&house, &id) == 0).then_some(()));
}

#[test]
fn a_call_right_after_a_start_waits_for_the_keyring() {
    let mut house = house();
    house.add_one();
    house.kill_9();
    house.set_keyring_fault(Some("slow:500"));
    house.start();
    let output = call(&house, &["findUsers"]).output().unwrap();
    assert_eq!(exit(&output), 0, "{output:?}");
}

#[test]
fn a_stop_waits_for_no_call() {
    let mut house = house();
    let (_, token) = house.add_one();
    let ctl = call(&house, &["findUsers", "bytes=9", "then=silence"]).spawn().unwrap();
    house.eventually_true("the request", |truth| truth.tokens[0].other_requests == 1);
    let (status, took) = timed(|| house.terminate());
    assert!(status.success() && took < Duration::from_secs(5), "{status} after {took:?}");
    let output = ctl.wait_with_output().unwrap();
    assert_eq!(exit(&output), 1, "{output:?}");
    assert!(told(&output).contains("the answer is incomplete"), "{output:?}");
    assert!(!house.fate(&token).alive);
}

#[test]
fn files_are_replaced_whole_and_what_is_no_file_is_written_to() {
    let house = house();
    house.add_one();
    fs::write(house.path("real"), "old").unwrap();
    fs::set_permissions(house.path("real"), Permissions::from_mode(0o640)).unwrap();
    symlink("real", house.path("link")).unwrap();
    let ok = |words: &[&str]| {
        let output = call(&house, words).output().unwrap();
        assert!(output.status.success() && output.stdout.is_empty(), "{output:?}");
    };
    ok(&["findUsers", "-o", "link"]);
    assert!(fs::read_to_string(house.path("real")).unwrap().contains("alice"));
    assert!(fs::symlink_metadata(house.path("link")).unwrap().is_symlink());
    assert_eq!(fs::metadata(house.path("real")).unwrap().permissions().mode() & 0o777, 0o640);
    ok(&["findUsers", "-o", "/dev/null"]);
    assert!(!fs::metadata("/dev/null").unwrap().is_file());

    fs::create_dir(house.path("folder")).unwrap();
    symlink("gone", house.path("dangling")).unwrap();
    for (place, says) in [
        ("folder", "cannot write folder: is a directory"),
        ("new/", "cannot write new/: is a directory"),
        ("dangling", "cannot write dangling: "),
        ("real/x", "cannot write real/x: "),
    ] {
        let (exit, told) = refused(&house, &["findUsers", "-o", place]);
        assert_eq!(exit, 1, "{place}: {told}");
        assert!(told.contains(says) && told.contains("Nothing was sent."), "{place}: {told}");
    }
    assert!(!house.path("gone").exists() && !house.path("new").exists());

    // Whoever reads no further has what he wanted.
    let mut command = call(&house, &["findUsers", "bytes=1000000"]);
    let mut ctl = command.spawn().unwrap();
    let mut first = [0; 6];
    ctl.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
    drop(ctl.stdout.take());
    let output = ctl.wait_with_output().unwrap();
    assert_eq!((&first, told(&output).as_str()), (b"userid", ""), "{output:?}");
}

#[test]
fn what_a_connection_may_ask_of_its_calls_is_bounded() {
    let house = house();
    let (id, _) = house.add_one();
    let begin = |client: &mut Client, more: Value| {
        let mut params = json!({"command": "findUsers", "more": true});
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        client.call("session.call", params)
    };
    let mut client = house.client();
    let numbers: Vec<u64> =
        (0..4).map(|_| begin(&mut client, json!({})).unwrap()["call"].as_u64().unwrap()).collect();
    assert_eq!(begin(&mut client, json!({})).unwrap_err().code, -32011);
    assert_eq!(holds(&house, &id), 4);
    let mut go_on = |params: Value| client.call("session.call", params);
    // One whose body is given in two chunks, the second of which ends it.
    let chunk = |text: &str| STANDARD.encode(text);
    assert!(go_on(json!({"call": numbers[0], "body": chunk("ab"), "more": true})).is_ok());
    let mut piece = go_on(json!({"call": numbers[0], "body": chunk("c")})).unwrap();
    assert_eq!(piece["status"], 200, "{piece}");
    let again = go_on(json!({"call": numbers[0], "body": chunk("d")}));
    if piece["more"] == true {
        assert_eq!(again.unwrap_err().message, "the call's body was whole already");
        piece = go_on(json!({"call": numbers[0]})).unwrap_or(json!({"more": false}));
    }
    assert_eq!(piece["more"], false);
    assert_eq!(house.simulator.truth().bodies[0].bytes, 3);
    // Over is over, and others' calls are nobody's.
    let over = go_on(json!({"call": numbers[0]})).unwrap_err();
    assert_eq!(
        (over.code, over.message),
        (-32602, format!("this connection has no call {} under way", numbers[0]))
    );
    assert_eq!(house.refused("session.call", json!({"call": numbers[1]})).code, -32602);

    for (body, more, says) in [
        ("abcdef", true, "longer than its length said"),
        ("ab", false, "ends 3 bytes before the length that was said"),
    ] {
        let number = begin(&mut client, json!({"length": 5})).unwrap()["call"].clone();
        let params = json!({"call": number, "body": chunk(body), "more": more});
        let error = client.call("session.call", params).unwrap_err();
        assert!(error.message.contains(says), "{error:?}");
    }
    assert_eq!(house.simulator.truth().bodies.len(), 1, "none of these was whole");
    // Those of all connections together are bounded as well.
    let mut others: Vec<Client> = (0..16).map(|_| house.client()).collect();
    let refused: Vec<_> = others
        .iter_mut()
        .flat_map(|other| (0..4).filter_map(|_| begin(other, json!({})).err()).collect::<Vec<_>>())
        .collect();
    assert_eq!(refused.len(), 3, "three of the first client's go on: {refused:?}");
    assert!(refused[0].message.contains("the daemon has 64 calls"), "{refused:?}");
    drop((client, others));
    eventually("their end", || (holds(&house, &id) == 0).then_some(()));
}

#[test]
fn a_call_that_waits_for_its_client_is_not_let_go_for_others() {
    let house = house();
    house.add_one();
    let mut client = house.client();
    let begun = client.call("session.call", json!({"command": "findUsers", "more": true})).unwrap();
    let crowd: Vec<_> = (0..400).map(|_| house.stream()).collect();
    let went_on = client.call("session.call", json!({"call": begun["call"]})).unwrap();
    assert_eq!(went_on["status"], 200, "{went_on}");
    drop(crowd);
}

#[test]
fn calls_that_have_ended_are_in_nobodys_way() {
    let house = house();
    house.add_one();
    house.simulator.set_fault(Some(Fault::Down));
    let begin = |client: &mut Client| {
        client.call("session.call", json!({"command": "findUsers", "more": true}))
    };
    // Each fails, and its client never asks how it went.
    let mut clients: Vec<Client> = (0..16).map(|_| house.client()).collect();
    clients.iter_mut().for_each(|client| (0..4).for_each(|_| drop(begin(client).unwrap())));
    let mut another = house.client();
    eventually("room for another", || begin(&mut another).ok());
    drop(clients);
}

#[test]
fn a_terminal_that_is_named_as_a_file_is_treated_as_one() {
    let house = house();
    house.add_one();
    let Some(terminal) = house.terminal() else { return };
    // The answer ends in the middle of a line; the next one begins where a person expects it.
    let shown = terminal.run("securid-ctl call findUsers bytes=5 -o /dev/tty; echo after");
    assert!(shown.text.lines().any(|line| line == "after"), "{}", shown.text);
}
