//! ssh-agent, with one key.

use std::path::Path;
use std::process::Command;

use super::{Peer, command, has_to, nothing};
use crate::load::{Talk, Whole};

pub(super) const PEER: Peer = Peer {
    name: "ssh-agent",
    programs: &["ssh-agent", "ssh-add", "ssh-keygen"],
    version: || {
        let mut ssh = Command::new("ssh");
        ssh.arg("-V");
        ssh
    },
    prepare: nothing,
    daemon: |home| {
        let mut agent = command("ssh-agent", home);
        agent.arg("-D").arg("-a").arg(home.join("agent"));
        agent
    },
    socket: |home| home.join("agent"),
    detached: None,
    furnish: |home| {
        let mut keygen = command("ssh-keygen", home);
        keygen.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(home.join("key"));
        has_to(keygen);
        let mut ssh_add = ssh_add(home);
        ssh_add.arg("-q").arg(home.join("key"));
        has_to(ssh_add);
    },
    question: ("ssh-add -l", |home| {
        let mut question = ssh_add(home);
        question.arg("-l");
        question
    }),
    // SSH_AGENTC_REQUEST_IDENTITIES: a message of one byte, after its length.
    talk: Some(|| Talk {
        request: vec![0, 0, 0, 1, 11],
        greets: false,
        whole: Whole::Length,
        is_kept: true,
    }),
};

fn ssh_add(home: &Path) -> Command {
    let mut ssh_add = command("ssh-add", home);
    ssh_add.env("SSH_AUTH_SOCK", home.join("agent"));
    ssh_add
}
