//! oidc-agent. An account cannot be made without its provider, so it is asked for one that it has not: that is two
//! round trips over its socket, encrypted, as for one that it has.

use std::process::Command;

use super::{Peer, command, nothing};

pub(super) const PEER: Peer = Peer {
    name: "oidc-agent",
    programs: &["oidc-agent", "oidc-token"],
    version: || {
        let mut agent = Command::new("oidc-agent");
        agent.arg("--version");
        agent
    },
    prepare: nothing,
    daemon: |home| {
        let mut agent = command("oidc-agent", home);
        agent.arg("--console").arg("-a").arg(home.join("agent"));
        agent
    },
    socket: |home| home.join("agent"),
    detached: None,
    furnish: nothing,
    question: ("oidc-token", |home| {
        let mut question = command("oidc-token", home);
        question.env("OIDC_SOCK", home.join("agent")).arg("nobody");
        question
    }),
    talk: None,
};
