//! What goes wrong, one of each sort: what it was, with the value; then what to do.

use std::{
    fs::{self, Permissions},
    io::{Read as _, Write as _},
    os::unix::{fs::PermissionsExt as _, net::UnixListener},
    path::PathBuf,
    thread,
};

use securid_ipc::messages::{ErrorCode, RpcError};

use super::{compare, told, told_of};
use crate::{fake::Home, starting::ctl_beside};

#[test]
fn command_lines_that_make_no_sense() {
    let home = Home::new();
    let lines: [&[&str]; 16] = [
        &["lits"],
        &["lits", "--json"],
        &["list", "--jsn"],
        &["login", "--passwrd-stdin"],
        &["login", "prod", "9fK2xQ7bLw0ZtR4vYh8sNc1JmE5uGp3aDiOq6XeT"],
        &["add"],
        &["add", "--json"],
        &["exec", "prod"],
        &["forget", "0123456789abcdef"],
        &["stop", "--keep", "--revoke"],
        &["logout", "--timeout"],
        &["logout", "--timeout", "5x"],
        &["logout", "--timeout", "40000d"],
        &["history", "--since", "yesterday"],
        &["history", "--since", "2026-11-02", "--until", "2026-11-01"],
        &["history", "--csv", "--json"],
    ];
    compare("usage", &lines.map(|args| told(&home, args)));
}

#[test]
fn passwords_that_cannot_be_read() {
    let home = Home::new();
    let file = |name: &str, text: &str, mode| {
        let path = home.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (open, empty) = (file("open", "secret", 0o644), file("empty", "\n", 0o600));
    let (binary, none) = (file("binary", "", 0o600), home.path().join("none"));
    fs::write(&binary, b"\xff\xfe\n").unwrap();
    let none = none.to_str().unwrap();
    let folder = home.path().to_str().unwrap();
    let from = [&*open, &empty, &binary, none, folder];
    let mut all = vec![told(&home, &["login"]), told(&home, &["login", "--password-stdin"])];
    all.extend(from.map(|file| told(&home, &["login", "--password-file", file])));
    compare("passwords", &all);
}

#[test]
fn every_code_of_the_daemon() {
    let codes = ErrorCode::ALL.iter().copied().chain([ErrorCode::Unknown(-32_099)]);
    let each = codes.map(|code| {
        let home = Home::answering(move |_| {
            let message = format!("what a daemon says of {}", i32::from(code));
            Some(Err(RpcError::new(code, message)))
        });
        told(&home, &["token"])
    });
    let mut all: Vec<_> = each.collect();
    let home = Home::answering(|_| {
        let mut error = RpcError::new(ErrorCode::Ambiguous, "\"prod\" means several users");
        error.data.candidates = vec!["0123".into(), "4567".into()];
        Some(Err(error))
    });
    all.push(told(&home, &["token", "prod"]));
    all.push(told(&home, &["token", "prod", "--json"]));
    compare("daemon", &all);
}

#[test]
fn daemons_that_cannot_be_asked() {
    let home = Home::new();
    let long = format!("/{}", "long/".repeat(30));
    let mut all = vec![
        told(&home, &["list"]),
        told(&home, &["list", "--json"]),
        told(&home, &["list", "--socket", &long]),
    ];
    for (name, answer) in [("silent", None), ("ends", Some("")), ("other", Some("220 hello\r\n"))] {
        let socket = listening(&home, name, answer);
        all.push(told(&home, &["list", "--socket", socket.to_str().unwrap()]));
    }
    let shared = home.path().join("shared");
    fs::create_dir(&shared).unwrap();
    let _listener = UnixListener::bind(shared.join("s.sock")).unwrap();
    fs::set_permissions(&shared, Permissions::from_mode(0o777)).unwrap();
    all.push(told(&home, &["list", "--socket", shared.join("s.sock").to_str().unwrap()]));
    compare("unreachable", &all);
}

/// A socket at which somebody says this to each who has asked, and hangs up; or nothing ever.
fn listening(home: &Home, name: &str, answer: Option<&'static str>) -> PathBuf {
    let path = home.path().join(format!("{name}.sock"));
    let listener = UnixListener::bind(&path).unwrap();
    // It ends with the process that tests.
    thread::spawn(move || {
        let mut let_in = Vec::new();
        for client in listener.incoming() {
            let mut client = client.unwrap();
            match answer {
                Some(answer) => {
                    // It may have gone, which is its own affair.
                    let _ = client.read(&mut [0; 4096]);
                    let _ = client.write_all(answer.as_bytes());
                }
                None => let_in.push(client),
            }
        }
    });
    path
}

#[test]
fn configs_that_are_bad() {
    let home = Home::new();
    let mut all = Vec::new();
    let faults = "echo '/c.toml:3: idle_timeout: \"15x\" is not a duration' >&2; exit 78";
    for args in [&["config", "show"][..], &["config", "show", "--json"], &["start"], &["restart"]] {
        all.push(told_of(&home, args, ctl_beside(&home, faults, args)));
    }
    compare("bad_config", &all);
}
