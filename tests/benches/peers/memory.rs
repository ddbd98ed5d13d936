//! Memory, threads and wakeups of daemons with one secret each: left alone, after 1,000 requests, after the first
//! request to a server, and with Secret Service and logind.
//!
//! No two daemons of ours run at once: what they share would count for each of them half.

use std::process::Command;
use std::thread::sleep;

use securid_tests::{Bus, FakeLogind, House, Plan, Screen, SecretService, eventually};

use crate::arguments::Arguments;
use crate::effort::Effort;
use crate::findings::{Findings, OURS, Unit};
use crate::load;
use crate::ours::{add, asked, plan};
use crate::peer::{Peer, Running, installed};
use crate::processes::{switches, used};

const PART: &str = "memory";

/// How much each is asked between two looks.
const REQUESTS: usize = 1_000;

pub(crate) fn measure(arguments: &Arguments, found: &mut Findings) {
    beside_peers(&arguments.effort, found);
    on_a_desktop(&arguments.effort, found);
}

fn beside_peers(effort: &Effort, found: &mut Findings) {
    let house = House::open(plan("keyutils"));
    add(&house, 1, 1);
    let peers: Vec<_> = installed().into_iter().map(|peer| (peer.open(), peer)).collect();
    let others = peers.iter().map(|(running, peer)| (peer.name, running.pid()));
    let all: Vec<_> = [(OURS, house.pid())].into_iter().chain(others).collect();

    sleep(effort.settle);
    look(&all, "idle", found);
    wakeups(&all, "idle", effort, found);

    load::kept(&house.socket(), &asked("session.list", "{}"), 1, REQUESTS);
    peers.iter().for_each(|(running, peer)| ask(running, peer));
    sleep(effort.settle);
    look(&all, "after 1,000 requests", found);

    house.login();
    sleep(effort.settle);
    look(&all[..1], "after the first TLS", found);
}

fn on_a_desktop(effort: &Effort, found: &mut Findings) {
    let top = "on_lock = \"revoke\"\non_suspend = \"revoke\"\nnotify = true".to_owned();
    let mut house = House::build(Plan { top, ..plan("secret-service") });
    let Some(mut secret_service) = SecretService::bus(&house.path("home")) else { return };
    secret_service.start();
    house.secret_service = Some(secret_service);
    let bus = Bus::start(&house.path("system"));
    let logind = FakeLogind::start(&bus, &[Screen::ours("c1")]);
    house.start();
    add(&house, 1, 1);
    eventually("an inhibitor", || (logind.inhibitors("sleep") == 1).then_some(()));
    let all = [(OURS, house.pid())];
    sleep(effort.settle);
    look(&all, "Secret Service, logind", found);
    wakeups(&all, "Secret Service, logind", effort, found);
    house.login();
    sleep(effort.settle);
    look(&all, "Secret Service, logind, TLS", found);
}

/// What each has now.
fn look(all: &[(&'static str, u32)], when: &str, found: &mut Findings) {
    for (who, pid) in all {
        let Some(used) = used(*pid) else {
            println!("{who}: only root is told of its memory");
            continue;
        };
        found.put(PART, &format!("PSS, {when}"), who, Unit::Kb, vec![used.pss]);
        found.put(PART, &format!("private dirty, {when}"), who, Unit::Kb, vec![used.dirty]);
        found.put(PART, &format!("threads, {when}"), who, Unit::Count, vec![used.threads]);
    }
}

/// How often each wakes while nobody asks anything.
fn wakeups(all: &[(&'static str, u32)], when: &str, effort: &Effort, found: &mut Findings) {
    let before: Vec<_> = all.iter().map(|(_, pid)| switches(*pid)).collect();
    sleep(effort.idle);
    for ((who, pid), before) in all.iter().zip(before) {
        let wakeups = switches(*pid).saturating_sub(before) as f64;
        found.put(PART, &format!("wakeups, {when}"), who, Unit::Count, vec![wakeups]);
    }
}

/// Over its socket where that is simple, else by its command line.
fn ask(running: &Running, peer: &Peer) {
    let (_, question) = peer.question;
    let home = running.home.path();
    match peer.talk.map(|talk| talk()) {
        Some(talk) if talk.is_kept => _ = load::kept(&(peer.socket)(home), &talk, 1, REQUESTS),
        Some(talk) => _ = load::fresh(&(peer.socket)(home), &talk, REQUESTS),
        None => (0..REQUESTS).for_each(|_| {
            let mut question: Command = question(home);
            question.status().expect("it can be run");
        }),
    }
}
