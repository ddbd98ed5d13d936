//! git-credential-cache, with one password.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use super::{Peer, command};
use crate::load::{Talk, Whole};

/// What is asked for.
const WANTED: &str = "protocol=https\nhost=example.com\n\n";

pub(super) const PEER: Peer = Peer {
    name: "git-credential-cache",
    programs: &["git"],
    version: || {
        let mut git = Command::new("git");
        git.arg("--version");
        git
    },
    prepare: |home| {
        fs::write(home.join("wanted"), WANTED).expect("the folder is ours");
        let secret = format!("{}\nusername=anna\npassword=pw\n\n", WANTED.trim_end());
        fs::write(home.join("secret"), secret).expect("the folder is ours");
    },
    daemon: |home| {
        let mut daemon = command("git", home);
        daemon.args(["credential-cache--daemon", "--debug"]).arg(home.join("cache"));
        daemon
    },
    socket: |home| home.join("cache"),
    detached: None,
    furnish: |home| {
        let secret = File::open(home.join("secret")).expect("it was written");
        let status = client(home, "store").stdin(secret).status();
        assert!(status.is_ok_and(|status| status.success()), "git credential-cache store");
    },
    question: ("git credential-cache get", |home| {
        let mut question = client(home, "get");
        question.stdin(File::open(home.join("wanted")).expect("it was written"));
        question
    }),
    talk: Some(|| Talk {
        request: format!("action=get\ntimeout=900\n{WANTED}").into_bytes(),
        greets: false,
        whole: Whole::ToTheEnd,
        is_kept: false,
    }),
};

fn client(home: &Path, action: &str) -> Command {
    let mut client = command("git", home);
    // Longer than the benchmark takes.
    client.args(["credential-cache", "--timeout=86400", "--socket"]).arg(home.join("cache"));
    client.arg(action);
    client
}
