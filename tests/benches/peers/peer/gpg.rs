//! gpg-agent, without keys: what it is asked is answered out of its own head, as ours is.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use securid_tests::process::run;

use super::{PATIENCE, Peer, command, nothing};
use crate::load::{Talk, Whole};

pub(super) const PEER: Peer = Peer {
    name: "gpg-agent",
    programs: &["gpg-agent", "gpg-connect-agent"],
    version: || {
        let mut agent = Command::new("gpg-agent");
        agent.arg("--version");
        agent
    },
    // Else the first start makes it.
    prepare: |home| fs::create_dir(home.join("private-keys-v1.d")).expect("the folder is ours"),
    daemon: |home| {
        let mut agent = command("gpg-agent", home);
        agent.arg("--homedir").arg(home).arg("--daemon");
        agent
    },
    socket: |home| home.join("S.gpg-agent"),
    detached: Some(number),
    furnish: nothing,
    question: ("gpg-connect-agent", |home| {
        let mut question = connect(home);
        question.args(["getinfo version", "/bye"]);
        question
    }),
    talk: Some(|| Talk {
        request: b"NOP\n".to_vec(),
        greets: true,
        whole: Whole::Line,
        is_kept: true,
    }),
};

fn connect(home: &Path) -> Command {
    let mut connect = command("gpg-connect-agent", home);
    connect.args(["--no-autostart", "--homedir"]).arg(home);
    connect
}

/// It is a grandchild; the one that was started ends at once.
fn number(home: &Path) -> u32 {
    let mut question = connect(home);
    question.args(["getinfo pid", "/bye"]).stdout(Stdio::piped());
    let told = run(question, "", PATIENCE).stdout;
    let told = String::from_utf8_lossy(&told).into_owned();
    let number = told.lines().find_map(|line| line.strip_prefix("D ")?.parse().ok());
    number.unwrap_or_else(|| panic!("gpg-agent does not tell its number: {told:?}"))
}
