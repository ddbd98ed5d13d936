//! From the start of a daemon to its first answer, or to the first connection that it takes where its protocol is
//! more than a line.

use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use securid_tests::House;
use securid_tests::process::Process;

use crate::arguments::Arguments;
use crate::findings::{Findings, OURS};
use crate::load::{self, Talk};
use crate::ours::{asked, plan};
use crate::peer::{Peer, installed};

const PART: &str = "start";
const FIGURE: &str = "without records";

/// How often it is tried: a hundredth of what is to be measured, and hardly any load beside it.
const STEP: Duration = Duration::from_micros(30);

/// How long a daemon may take.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn measure(arguments: &Arguments, found: &mut Findings) {
    let mut house = House::build(plan("keyutils"));
    let peers = installed();
    let mut ours = Vec::new();
    let mut theirs = vec![Vec::new(); peers.len()];
    // The first round reads the programs from disk, and makes the state folder.
    for round in 0..=arguments.effort.starts {
        let (took, _) = start_ours(&mut house);
        assert!(house.terminate().success(), "{}", house.log());
        let others: Vec<_> = peers.iter().map(start).collect();
        if round > 0 {
            ours.push(took);
            theirs.iter_mut().zip(others).for_each(|(all, took)| all.push(took));
        }
    }
    found.put_times(PART, FIGURE, OURS, &ours);
    for (peer, took) in peers.iter().zip(&theirs) {
        found.put_times(PART, FIGURE, peer.name, took);
    }
}

/// Starts our daemon in its house: how long it took, and the first answer, which is its `daemon.status`.
pub(crate) fn start_ours(house: &mut House) -> (Duration, serde_json::Value) {
    let command = house.daemon_command();
    let log = house.open_log();
    let began = Instant::now();
    house.start_unseen(command, log);
    let answer = answered(&house.socket(), Some(&asked("daemon.status", "{}")), began);
    let took = began.elapsed();
    let answer: serde_json::Value = serde_json::from_slice(&answer).expect("an answer is JSON");
    (took, answer["result"].clone())
}

fn start(peer: &Peer) -> Duration {
    let home = peer.home();
    let mut command: Command = (peer.daemon)(home.path());
    command.stdin(Stdio::null());
    let talk = peer.talk.map(|talk| talk());
    let socket = (peer.socket)(home.path());
    let began = Instant::now();
    let process = Process::start(command);
    answered(&socket, talk.as_ref(), began);
    let took = began.elapsed();
    drop(peer.running(home, process));
    took
}

fn answered(socket: &Path, talk: Option<&Talk>, began: Instant) -> Vec<u8> {
    loop {
        let answer = match talk {
            Some(talk) => load::once(socket, talk),
            None => UnixStream::connect(socket).map(|_| Vec::new()),
        };
        match answer {
            Ok(answer) => return answer,
            Err(error) => assert!(began.elapsed() < PATIENCE, "{}: {error}", socket.display()),
        }
        sleep(STEP);
    }
}
