//! rbw-agent, locked: there is no vault without its server. It is asked whether it is.

use std::fs;
use std::process::Command;

use super::{Peer, command, nothing};

pub(super) const PEER: Peer = Peer {
    name: "rbw-agent",
    programs: &["rbw", "rbw-agent"],
    version: || {
        let mut rbw = Command::new("rbw");
        rbw.arg("--version");
        rbw
    },
    prepare: |home| {
        let folder = home.join(".config/rbw");
        fs::create_dir_all(&folder).expect("the folder is ours");
        fs::write(folder.join("config.json"), "{\"email\": \"anna@example.com\"}")
            .expect("the folder is ours");
    },
    daemon: |home| {
        let mut agent = command("rbw-agent", home);
        agent.arg("--no-daemonize");
        agent
    },
    socket: |home| home.join("rbw/socket"),
    detached: None,
    furnish: nothing,
    question: ("rbw unlocked", |home| {
        let mut question = command("rbw", home);
        question.arg("unlocked");
        question
    }),
    talk: None,
};
