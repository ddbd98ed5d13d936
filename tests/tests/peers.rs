//! Who is at the other end, and who could have put something into the place of a file of ours.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, chown, lchown, symlink};
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use securid_tests::patience::is_root;
use securid_tests::process::{run, told};
use securid_tests::programs::programs;
use securid_tests::stranger::as_user;
use securid_tests::{Client, House, PATIENCE, Plan, eventually, is_installed, skipped, timed};
use serde_json::json;

/// A user who is neither root nor whoever runs this.
fn stranger() -> u32 {
    900_000_000 + std::process::id()
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// A private folder below one that is not looked at twice, usually.
fn nested(house: &House) -> (PathBuf, PathBuf) {
    let above = house.path("above");
    let below = above.join("below");
    fs::create_dir_all(&below).unwrap();
    chmod(&below, 0o700);
    (above, below)
}

/// Whatever a daemon may be told to use, kept below that folder: how it refuses each.
fn refusals(house: &House, below: &Path) -> Vec<(&'static str, i32, Output)> {
    let at = |name: &str| below.join(name).to_string_lossy().into_owned();
    let run = |words: &[&str]| house.run_daemon(words);
    let key = below.join("key");
    if !key.exists() {
        assert!(run(&["--make-key", &at("key")]).status.success());
    }
    let (plain, config) = (house.path("plain.toml"), at("config.toml"));
    let text = fs::read_to_string(house.config()).unwrap();
    fs::write(&config, &text).unwrap();
    let check_with = |line: String| {
        fs::write(&plain, format!("{line}\n{text}")).unwrap();
        run(&["--check-config", "--config", &plain.to_string_lossy()])
    };
    vec![
        ("state folder", 74, run(&["--state-dir", &at("state")])),
        ("socket", 1, run(&["--socket", &at("s.sock")])),
        ("config", 78, run(&["--config", &config])),
        ("key", 78, check_with(format!("key_file = {:?}", at("key")))),
        ("audit", 78, check_with(format!("audit = {:?}", at("audit.jsonl")))),
    ]
}

fn all_refuse(house: &House, below: &Path, words: &[&str]) {
    for (what, code, output) in refusals(house, below) {
        let told = told(&output);
        assert_eq!(output.status.code(), Some(code), "{what}: {told}");
        for word in words {
            assert!(told.contains(word), "{what}: {word:?}: {told}");
        }
    }
}

#[test]
fn a_folder_that_others_can_write_to_is_refused_anywhere_in_a_path() {
    let house = House::build(Plan::default());
    let (above, below) = nested(&house);
    chmod(&above, 0o777);
    all_refuse(&house, &below, &[&format!("chmod go-w {}", above.display()), "mode 0777"]);
}

#[test]
fn a_strangers_folder_or_link_is_refused_anywhere_in_a_path() {
    if !is_root() {
        return skipped("only root can give something away");
    }
    let house = House::build(Plan::default());
    let (above, below) = nested(&house);
    let uid = format!("uid {}", stranger());
    chown(&above, Some(stranger()), None).unwrap();
    all_refuse(&house, &below, &[&above.to_string_lossy(), &uid]);
    chown(&above, Some(0), None).unwrap();
    let link = house.path("link");
    symlink(&above, &link).unwrap();
    lchown(&link, Some(stranger()), None).unwrap();
    all_refuse(&house, &link.join("below"), &["is a symbolic link of", &uid]);
}

/// A home on another disk, a config kept elsewhere: his own will.
#[test]
fn a_users_own_links_are_followed_but_to_a_socket() {
    let mut house = House::build(Plan::default());
    let (_, below) = nested(&house);
    let (state, config) = (below.join("state"), below.join("config.toml"));
    fs::create_dir(&state).unwrap();
    chmod(&state, 0o700);
    symlink(&state, house.state_dir()).unwrap();
    fs::rename(house.config(), &config).unwrap();
    symlink("above/below/config.toml", house.config()).unwrap();
    house.start();
    let (id, token) = house.add_one();
    assert_eq!(house.token(&id), token);
    assert_eq!(fs::read_dir(state.join("sessions")).unwrap().count(), 1);
    assert_eq!(house.logout(&id, "10s")["outcome"], "revoked");
    assert!(!house.fate(&token).alive);

    let link = house.path("link.sock");
    symlink(house.socket(), &link).unwrap();
    let refused = house.ctl(&["--socket", &link.to_string_lossy(), "list"]);
    assert_eq!(refused.status.code(), Some(76), "{refused:?}");
    assert!(told(&refused).contains("symbolic link"), "{refused:?}");
    assert!(house.terminate().success());

    // A daemon binds in no folder that is a link, and replaces no link by a socket.
    symlink(house.path("run"), house.path("link")).unwrap();
    symlink("nowhere", house.path("run/s.sock")).unwrap();
    for socket in ["link/other.sock", "run/s.sock"].map(|name| house.path(name)) {
        let refused = house.run_daemon(&["--socket", &socket.to_string_lossy()]);
        assert_eq!(refused.status.code(), Some(1), "{refused:?}");
        assert!(told(&refused).contains("move it away"), "{refused:?}");
    }
}

#[test]
fn a_config_that_others_can_write_to_does_not_count() {
    let mut house = House::open(Plan::default());
    let (id, token) = house.add_one();
    let text = fs::read_to_string(house.config()).unwrap();
    house.write_config(&text.replace("https://", "https://elsewhere."));
    chmod(&house.config(), 0o666);
    let refused = house.refused("daemon.reload", json!({}));
    assert_eq!(refused.code, -32014, "{refused:?}");
    assert!(format!("{refused:?}").contains("chmod go-w"), "{refused:?}");
    assert_eq!(house.logout(&id, "10s")["outcome"], "revoked", "the old one goes on");
    assert!(!house.fate(&token).alive);
    house.terminate();
    let refused = house.run_daemon(&[]);
    assert_eq!(refused.status.code(), Some(78), "{refused:?}");

    fs::remove_file(house.config()).unwrap();
    mknodat(CWD, house.config(), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let (refused, took) = timed(|| house.run_daemon(&[]));
    assert!(told(&refused).contains("it is no regular file"), "{refused:?}");
    assert!(took < Duration::from_secs(5), "{took:?}");
}

/// Another user's config would say where passwords go.
#[test]
fn nor_does_a_strangers_config() {
    if !is_root() {
        return skipped("only root can give something away");
    }
    let house = House::build(Plan::default());
    chown(house.config(), Some(stranger()), None).unwrap();
    let refused = house.run_daemon(&[]);
    assert_eq!(refused.status.code(), Some(78), "{refused:?}");
    assert!(told(&refused).contains(&format!("uid {}", stranger())), "{refused:?}");
}

/// The folder was opened after a daemon, or somebody else, had begun to listen there.
#[test]
fn nothing_is_sent_through_a_folder_that_others_can_write_to() {
    let house = House::build(Plan::default());
    let listener = UnixListener::bind(house.socket()).unwrap();
    listener.set_nonblocking(true).unwrap();
    chmod(&house.path("run"), 0o777);
    for words in [&["login", "--password-stdin"][..], &["add", "--token-stdin"], &["logout"]] {
        let refused = house.ctl_with(words, "a secret");
        assert_eq!(refused.status.code(), Some(76), "{words:?}: {refused:?}");
        assert!(told(&refused).contains("chmod go-w"), "{words:?}: {refused:?}");
        assert!(listener.accept().is_err(), "{words:?}: it connected");
    }
}

/// As in a container: there `/` is an unknown user's.
#[test]
fn where_root_is_unknown_his_folders_are_good_all_the_same() {
    if !is_root() || !is_installed("unshare") {
        return skipped("only root can run a daemon as another user");
    }
    let user = stranger();
    let mut house = House::build(Plan { user: Some(user), ..Plan::default() });
    let plain = house.daemon_command();
    let mut contained = Command::new("unshare");
    contained.args(["--user", "--map-root-user", "--"]);
    contained.arg(plain.get_program()).args(plain.get_args());
    house.furnish(&mut contained);
    contained.uid(user).gid(user);
    house.start_unseen(contained, house.open_log());
    let socket = house.socket();
    let answer =
        || as_user(user, || Client::connect(&socket).ok()?.call("daemon.hello", json!({})).ok());
    assert_eq!(eventually("an answer", answer)["protocol"], 1);
}

/// In a runtime folder where everybody may make folders somebody else was first: client and daemon meet
/// elsewhere.
#[test]
fn a_stranger_who_was_first_gets_nothing() {
    if !is_root() {
        return skipped("only root can be another user");
    }
    let mut house = House::build(Plan::default());
    let runtime = house.path("runtime");
    fs::create_dir(&runtime).unwrap();
    for open in [house.path(""), runtime.clone()] {
        chmod(&open, 0o1777);
    }
    let listener = as_user(stranger(), || {
        fs::create_dir(runtime.join("securid")).unwrap();
        UnixListener::bind(runtime.join("securid/sessiond.sock")).unwrap()
    });
    listener.set_nonblocking(true).unwrap();
    chmod(&runtime.join("securid/sessiond.sock"), 0o777);
    let there = |command: &mut Command| {
        command.env_remove("SECURID_SOCKET").env("XDG_RUNTIME_DIR", &runtime);
    };
    let mut daemon = house.daemon_command();
    there(&mut daemon);
    house.start_unseen(daemon, house.open_log());
    let socket = house.state_dir().join("sessiond.sock");
    eventually("the last resort", || Client::connect(&socket).ok());
    let why = format!("belongs to uid {}", stranger());
    eventually("the reason in the log", || house.log().contains(&why).then_some(()));
    let mut ctl = Command::new(&programs().ctl);
    house.furnish(&mut ctl);
    there(ctl.args(["add", "--token-stdin"]));
    let added = run(ctl, &house.simulator.issue("alice"), PATIENCE);
    assert!(added.status.success(), "{added:?}");
    assert!(listener.accept().is_err(), "it connected");
}

#[test]
fn there_are_no_abstract_sockets() {
    let house = House::open(Plan::default());
    house.add_one();
    let ours = |pid: u32| -> BTreeSet<String> {
        let links = fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten();
        let links = links.filter_map(|fd| fs::read_link(fd.path()).ok());
        let texts = links.map(|link| link.to_string_lossy().into_owned());
        texts
            .filter_map(|it| Some(it.strip_prefix("socket:[")?.trim_end_matches(']').to_owned()))
            .collect()
    };
    let named = |inodes: &BTreeSet<String>| -> Vec<String> {
        let table = fs::read_to_string("/proc/net/unix").unwrap();
        let rows = table.lines().map(|row| row.split_whitespace().collect::<Vec<_>>());
        let rows = rows.filter(|row| row.len() > 7 && inodes.contains(row[6]));
        rows.map(|row| row[7].to_owned()).collect()
    };
    let names = named(&ours(house.pid()));
    assert!(names.contains(&house.socket().to_string_lossy().into_owned()), "{names:?}");
    assert!(names.iter().all(|name| !name.starts_with('@')), "{names:?}");

    // Such a name is a file's, here as anywhere.
    let mut command = house.daemon_command();
    command.args(["--socket", "@x", "--state-dir"]).arg(house.path("disk/other"));
    let mut other = House::build(Plan::default());
    command.current_dir(other.path("run"));
    other.start_unseen(command, other.open_log());
    let socket = other.path("run/@x");
    let mut client = eventually("a file of that name", || Client::connect(&socket).ok());
    assert!(client.call("daemon.hello", json!({})).is_ok());
}

/// Neither a word nor a place: they come as fast as they can, the modes being open to them.
#[test]
fn a_flood_of_strangers_holds_up_nobody() {
    if !is_root() {
        return skipped("only root can be another user");
    }
    let house = House::open(Plan::default());
    let (id, token) = house.add_one();
    let socket = house.socket();
    for path in [house.path(""), house.path("run"), socket.clone()] {
        chmod(&path, 0o777);
    }
    let (over, came) = (AtomicBool::new(false), AtomicUsize::new(0));
    let flood = || {
        let began = Instant::now();
        while !over.load(Ordering::Relaxed) && began.elapsed() < PATIENCE {
            let Ok(mut stream) = UnixStream::connect(&socket) else { continue };
            stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            let mut said = Vec::new();
            let _ = stream.read_to_end(&mut said);
            assert!(said.is_empty(), "a stranger was told {said:?}");
            came.fetch_add(1, Ordering::Relaxed);
        }
    };
    let slowest = thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| as_user(stranger(), flood));
        }
        eventually("the flood", || (came.load(Ordering::Relaxed) > 100).then_some(()));
        let slowest = (0..50).map(|_| timed(|| assert_eq!(house.token(&id), token)).1).max();
        over.store(true, Ordering::Relaxed);
        slowest.unwrap()
    });
    let came = came.into_inner();
    assert!(slowest < Duration::from_secs(2), "{slowest:?} with {came} strangers");
    let files = || fs::read_dir(format!("/proc/{}/fd", house.pid())).unwrap().count();
    eventually("their places to be free", || (files() < 30).then_some(()));
}
