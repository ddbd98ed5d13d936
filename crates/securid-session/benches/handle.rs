//! What an event costs the machine, alone and among 10,000 sessions: `cargo bench -p securid-session`. Allocations are
//! counted as well, which do not depend on the machine that this runs on.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use divan::{AllocProfiler, Bencher};
use securid_session::{
    About, Action, Event, Found, Limits, Machine, Moment, Network, Origin, Outcome, Policy, Reason,
    SessionId, Source, Verdict,
};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

/// One, and as many as a daemon is meant to hold.
const SESSIONS: [u64; 2] = [1, 10_000];

const NOW: Moment = Moment { since_boot: 10_000, unix: 1_800_000_000_000 };
const LIFETIME: Duration = Duration::from_secs(8 * 60 * 60);

fn main() {
    divan::main();
}

/// A login, until it is acknowledged.
#[divan::bench(args = SESSIONS)]
fn login(bencher: Bencher<'_, '_>, others: u64) {
    let full = with(others);
    let id = SessionId::from_bits(others);
    bencher.with_inputs(|| full.clone()).bench_local_values(|mut machine| {
        let add = Event::Add { id: id.clone(), about: about(), source: Source::Login };
        assert!(played(&mut machine, NOW, add) > 0);
        machine
    });
}

/// A logout, until nothing of the session is left.
#[divan::bench(args = SESSIONS)]
fn logout(bencher: Bencher<'_, '_>, others: u64) {
    let full = with(others + 1);
    let id = SessionId::from_bits(others);
    bencher.with_inputs(|| full.clone()).bench_local_values(|mut machine| {
        played(&mut machine, NOW, Event::Revoke { id: id.clone(), reason: Reason::Request });
        assert!(machine.session(&id).is_none());
        machine
    });
}

/// A token lent: what a request for it costs.
#[divan::bench(args = SESSIONS)]
fn lend(bencher: Bencher<'_, '_>, sessions: u64) {
    let mut machine = with(sessions);
    let id = SessionId::from_bits(0);
    let lent = machine.handle(NOW, Event::Lend { id: id.clone(), span: None });
    assert!(matches!(lent[..], [Action::Lend(_)]), "{lent:?}");
    bencher.bench_local(|| machine.handle(NOW, Event::Lend { id: id.clone(), span: None }));
}

/// The lifetime of all of them is over in the same moment, until nothing is left.
#[divan::bench(args = SESSIONS, sample_count = 10)]
fn alarm(bencher: Bencher<'_, '_>, sessions: u64) {
    let full = with(sessions);
    bencher.with_inputs(|| full.clone()).bench_local_values(|mut machine| {
        played(&mut machine, NOW.after(LIFETIME), Event::Tick);
        assert!(machine.sessions().next().is_none());
        machine
    });
}

/// A machine that holds so many.
fn with(sessions: u64) -> Machine {
    let policy = Policy {
        retry_initial: Duration::from_secs(1),
        retry_max: Duration::from_secs(300),
        concurrency: 32,
    };
    let mut machine = Machine::new(policy, 7);
    let about = about();
    for nth in 0..sessions {
        let (id, about) = (SessionId::from_bits(nth), Arc::clone(&about));
        played(&mut machine, NOW, Event::Add { id, about, source: Source::Login });
    }
    machine
}

fn about() -> Arc<About> {
    Arc::new(About {
        instance: "prod".into(),
        username: Some("alice".into()),
        origin: Origin {
            url: "https://aveksa.example/aveksa/command.submit".into(),
            ca_file: None,
            format: "json".into(),
            network: Network::default(),
        },
        keyring: "secret-service".into(),
        limits: Limits { idle: None, lifetime: Some(LIFETIME) },
        tied: false,
    })
}

/// The event, and all that follows where disk, keyring and server do at once what they are asked; how many tokens
/// were acknowledged.
fn played(machine: &mut Machine, now: Moment, event: Event) -> usize {
    let mut acknowledged = 0;
    let mut events = vec![event];
    while let Some(event) = events.pop() {
        for action in machine.handle(now, event) {
            acknowledged += usize::from(matches!(action, Action::Acknowledge(_)));
            events.extend(done(action));
        }
    }
    acknowledged
}

fn done(action: Action) -> Option<Event> {
    let done = true;
    match action {
        Action::Write(record) => Some(Event::Written { key: record.key, done }),
        Action::Archive(record) => Some(Event::Archived { key: record.key, done }),
        Action::Remove(key) => Some(Event::Removed { key, done }),
        Action::Store(key) => Some(Event::Stored { key, done }),
        Action::Fetch(key) => Some(Event::Fetched { key, found: Found::Here }),
        Action::Delete(key) => Some(Event::Deleted { key, done }),
        Action::Attempt(key) => {
            let evidence = "200 type=logoutUser".to_owned();
            Some(Event::Answered {
                key,
                verdict: Verdict::Dead { outcome: Outcome::Revoked, evidence },
            })
        }
        _ => None,
    }
}
