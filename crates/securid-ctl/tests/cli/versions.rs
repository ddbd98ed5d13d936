//! Daemons of other versions than the program's.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    os::unix::net::UnixListener,
    thread,
};

use crate::fake::{Home, Ran};

/// What the program says to a daemon of that protocol and version, which answers any call so.
fn told(protocol: u32, version: &str, answer: &str, args: &[&str]) -> Ran {
    let home = Home::new();
    let listener = UnixListener::bind(home.socket()).unwrap();
    let greeting = format!(
        r#"{{"jsonrpc":"2.0","id":1,"result":{{"protocol":{protocol},"version":"{version}"}}}}"#
    );
    let lines = format!("{greeting}\n{{\"jsonrpc\":\"2.0\",\"id\":2,{answer}}}\n");
    let daemon = thread::spawn(move || {
        let mut peer = BufReader::new(listener.accept().unwrap().0);
        let mut request = String::new();
        peer.read_line(&mut request).unwrap();
        peer.read_line(&mut request).unwrap();
        peer.get_mut().write_all(lines.as_bytes()).unwrap();
    });
    let ran = home.run(args.iter().copied());
    daemon.join().unwrap();
    ran
}

#[test]
fn one_of_another_protocol_is_parted_from_with_a_clear_word() {
    for (protocol, version, says) in [
        (0, "0.0.1", ["it is older than this program", "stop --keep"]),
        (2, "9.0.0", ["it is newer than this program", "or update this one"]),
    ] {
        for args in [&["list"][..], &["logout", "prod"], &["stop"], &["token"]] {
            let ran = told(protocol, version, r#""result":{}"#, args);
            assert_eq!((ran.code, &*ran.out), (Some(76), ""), "{args:?}: {}", ran.err);
            assert_eq!(ran.err.lines().count(), 2, "{args:?}: {}", ran.err);
            assert!(ran.err.contains(version), "{}", ran.err);
            assert!(says.iter().all(|says| ran.err.contains(says)), "{}", ran.err);
        }
    }
    let ran = told(2, "9.0.0", r#""result":{}"#, &["--json", "list"]);
    assert_eq!(ran.json_error().0, "wrong-protocol");
}

#[test]
fn an_older_one_that_lacks_what_is_asked_for_is_to_be_restarted() {
    let unknown = r#""error":{"code":-32601,"message":"there is no method"}"#;
    let ran = told(1, "0.0.9", unknown, &["list"]);
    assert_eq!(ran.code, Some(76), "{}", ran.err);
    let ours = securid_ipc::VERSION;
    assert_eq!(
        ran.err,
        format!(
            "securid-ctl: the daemon (version 0.0.9) is older than this program ({ours}), and does not know \
             session.list\nRestart it, and its sessions are kept: securid-ctl restart.\n"
        )
    );
    // One that is not older has another reason.
    assert_eq!(told(1, ours, unknown, &["list"]).code, Some(1));
}
