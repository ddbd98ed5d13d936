//! Requests a second of daemons that hold one secret each. One client asks all of them (`load`).

use std::path::PathBuf;

use securid_tests::House;

use crate::arguments::Arguments;
use crate::findings::{Findings, OURS, Unit};
use crate::load::{Talk, fresh, kept};
use crate::ours::{AT_ONCE, add, asked, plan};
use crate::peer::installed;

const PART: &str = "requests";

/// How many connections are kept; none: each question has its own.
const WAYS: [(&str, Option<usize>); 3] = [
    ("one kept connection", Some(1)),
    ("32 kept connections", Some(AT_ONCE)),
    ("a connection each", None),
];

pub(crate) fn measure(arguments: &Arguments, found: &mut Findings) {
    let house = House::open(plan("keyutils"));
    let id = add(&house, 1, 1).remove(0);
    let token = asked("session.token", &format!("{{\"session\":\"{id}\"}}"));
    let peers: Vec<_> = installed().into_iter().map(|peer| (peer.open(), peer)).collect();
    let mut all: Vec<(&str, &str, PathBuf, Talk)> = vec![
        ("", OURS, house.socket(), asked("session.list", "{}")),
        (", a token", OURS, house.socket(), token),
    ];
    for (running, peer) in &peers {
        if let Some(talk) = peer.talk {
            all.push(("", peer.name, (peer.socket)(running.home.path()), talk()));
        }
    }
    for (way, connections) in WAYS {
        let mut rates = vec![Vec::new(); all.len()];
        for _ in 0..arguments.effort.rounds {
            for ((_, _, socket, talk), rates) in all.iter().zip(&mut rates) {
                let questions = arguments.effort.requests;
                match connections {
                    Some(connections) if talk.is_kept => {
                        rates.push(kept(socket, talk, connections, questions));
                    }
                    Some(_) => {}
                    // Each costs several times as much.
                    None => rates.push(fresh(socket, talk, questions / 5)),
                }
            }
        }
        for ((what, who, ..), rates) in all.iter().zip(rates) {
            found.put(PART, &format!("{way}{what}"), who, Unit::PerSecond, rates);
        }
    }
}
