//! pizauth, with one account that has no token yet.

use std::fs;
use std::process::Command;

use super::{Peer, command, nothing};

const CONFIG: &str = "account \"a\" {\n  auth_uri = \"https://example.com/auth\";\n  \
    token_uri = \"https://example.com/token\";\n  client_id = \"c\";\n  client_secret = \"s\";\n  \
    scopes = [\"x\"];\n}\n";

pub(super) const PEER: Peer = Peer {
    name: "pizauth",
    programs: &["pizauth"],
    version: || {
        // Without a folder of its own it makes one.
        let mut info = Command::new("pizauth");
        info.args(["info", "-c/dev/null"]).env("XDG_RUNTIME_DIR", "/tmp");
        info
    },
    prepare: |home| fs::write(home.join("config"), CONFIG).expect("the folder is ours"),
    daemon: |home| {
        let mut server = command("pizauth", home);
        server.arg("server").arg(format!("-c{}", home.join("config").display())).arg("-d");
        server
    },
    socket: |home| home.join("pizauth/pizauth.sock"),
    detached: None,
    furnish: nothing,
    question: ("pizauth status", |home| {
        let mut question = command("pizauth", home);
        question.arg("status");
        question
    }),
    talk: None,
};
