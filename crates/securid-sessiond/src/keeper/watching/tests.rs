#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use securid_session::{
    About, Event as Happens, Limits, Moment, Network, Origin, Policy, Record, Stage,
};

use super::*;
use crate::keeper::troubles::Troubles;

/// Sessions that are used and end as they are told to, and those who watch them.
struct Room {
    machine: Machine,
    troubles: Troubles,
    watching: Watching,
    told: BTreeMap<u64, oneshot::Receiver<Event>>,
    now: Moment,
}

impl Room {
    fn new(sessions: u64) -> Self {
        let second = Duration::from_secs(1);
        let policy = Policy { retry_initial: second, retry_max: second, concurrency: 1 };
        let mut room = Self {
            machine: Machine::new(policy, 0),
            troubles: Troubles::default(),
            watching: Watching::default(),
            told: BTreeMap::new(),
            now: Moment { since_boot: 10_000, unix: 1_800_000_000_000 },
        };
        (1..=sessions).for_each(|n| room.takes_up(n));
        room.machine.watch(true);
        room
    }

    fn takes_up(&mut self, n: u64) {
        let about = About {
            instance: "prod".to_owned(),
            username: None,
            origin: Origin {
                url: "https://iga.example.com/aveksa/command.submit".to_owned(),
                ca_file: None,
                format: "json".to_owned(),
                network: Network::default(),
            },
            keyring: "test".to_owned(),
            limits: Limits { idle: None, lifetime: None },
            tied: false,
        };
        let record = Record {
            key: Key { id: id(n), generation: securid_session::Generation(n) },
            about: Arc::new(about),
            created: self.now,
            last_used: self.now,
            in_use_until: None,
            held: false,
            stage: Stage::Active,
        };
        self.happens(Happens::Restore { record, same_boot: true });
    }

    fn happens(&mut self, event: Happens) {
        let _ = self.machine.handle(self.now, event);
        for id in self.machine.take_changed() {
            self.watching.log.note(&self.machine, id);
        }
        self.tell();
    }

    fn is_used(&mut self, n: u64) {
        self.now = self.now.after(Duration::from_secs(1));
        self.happens(Happens::Touch { id: id(n), span: None });
    }

    /// A person's word alone is the shortest way.
    fn ends(&mut self, n: u64) {
        self.happens(Happens::Revoke { id: id(n), reason: securid_session::Reason::Request });
        self.happens(Happens::Forget { id: id(n) });
    }

    fn watches(&mut self, watcher: u64) {
        let Log { latest: change, ended: end, .. } = self.watching.log;
        let new = Watcher { events: 0, round: Round::Begins, change, end, waiting: None };
        self.watching.watchers.insert(ConnectionId(watcher), new);
    }

    /// What this one is told, if anything.
    fn reads(&mut self, watcher: u64) -> Option<Event> {
        // One wait goes on until it is answered, as a connection's does.
        let mut told = self.told.remove(&watcher).unwrap_or_else(|| {
            let (waiting, told) = oneshot::channel();
            self.watching.watchers.get_mut(&ConnectionId(watcher)).unwrap().waiting = Some(waiting);
            told
        });
        self.tell();
        let event = told.try_recv().ok();
        if event.is_none() {
            self.told.insert(watcher, told);
        }
        event
    }

    fn reads_all(&mut self, watcher: u64) -> Vec<News> {
        std::iter::from_fn(|| self.reads(watcher)).map(|event| event.news).collect()
    }

    fn tell(&mut self) {
        self.watching.tell(Known { machine: &self.machine, troubles: &self.troubles });
    }
}

fn id(n: u64) -> SessionId {
    SessionId::from_bits(n)
}

/// One letter for the kind, and the session.
fn brief(news: &[News]) -> Vec<String> {
    let short = |id: &str| id.trim_start_matches('0').to_owned();
    news.iter()
        .map(|news| match news {
            News::Session { session } => format!("s{}", short(&session.id)),
            News::Ended { session } => format!("e{}", short(&session.id)),
            News::Ready => "ready".to_owned(),
            News::Missed { ends } => format!("missed {ends}"),
            News::Other => "?".to_owned(),
        })
        .collect()
}

#[test]
fn all_there_is_then_ready_then_changes_in_their_order_each_once() {
    let mut room = Room::new(3);
    room.watches(1);
    assert_eq!(brief(&room.reads_all(1)), ["s1", "s2", "s3", "ready"]);
    for n in [2, 1, 2, 3, 2] {
        room.is_used(n);
    }
    // The first was told at once, for it was waited for.
    assert_eq!(brief(&room.reads_all(1)), ["s2", "s1", "s3", "s2"]);
}

#[test]
fn what_ends_is_told_of_no_more_whether_or_not_it_was_told_of_before() {
    let mut room = Room::new(4);
    room.watches(1);
    assert_eq!(brief(&[room.reads(1).unwrap().news]), ["s1"]);
    room.is_used(2);
    room.ends(1);
    room.ends(2);
    room.takes_up(5);
    assert_eq!(brief(&room.reads_all(1)), ["e1", "e2", "s3", "s4", "s5", "ready", "s5"]);
}

#[test]
fn a_round_comes_to_its_end_however_often_a_session_changes() {
    let mut room = Room::new(2);
    room.watches(1);
    let mut told = Vec::new();
    for _ in 0..4 {
        room.is_used(1);
        told.push(room.reads(1).unwrap().news);
    }
    assert_eq!(brief(&told), ["s1", "s2", "ready", "s1"]);
}

#[test]
fn of_more_ends_than_are_kept_the_latest_come_and_then_all_there_is_anew() {
    let mut room = Room::new(MOST_ENDS + 105);
    room.watches(1);
    room.watches(2);
    room.reads_all(1);
    room.reads_all(2);
    (1..=MOST_ENDS + 100).for_each(|n| {
        room.ends(n);
        room.reads_all(2);
    });
    assert_eq!(room.watching.log.ends.len() as u64, MOST_ENDS);
    let told = brief(&room.reads_all(1));
    // It waited for an event, and was told of the first change at once.
    assert_eq!(told[1], "missed 100", "{:?}", &told[..3]);
    assert_eq!(told[2..].iter().filter(|told| told.starts_with('e')).count() as u64, MOST_ENDS);
    assert_eq!(told[told.len() - 6..], ["s44d", "s44e", "s44f", "s450", "s451", "ready"]);
    assert_eq!(room.watching.log.ends.len(), 0, "all have read them");
}

#[test]
fn one_who_comes_later_is_told_of_no_end_before() {
    let mut room = Room::new(2);
    room.watches(1);
    room.reads_all(1);
    room.ends(1);
    room.watches(2);
    assert_eq!(brief(&room.reads_all(2)), ["s2", "ready"]);
    room.ends(2);
    assert_eq!(brief(&room.reads_all(2)), ["s2", "e2"]);
}

proptest! {
    /// Whatever happens and however slowly each reads: in the end all know how things stand.
    #[test]
    fn whoever_has_read_all_knows_all(
        steps in prop::collection::vec((0_u8..5, 1_u64..6, 1_u64..4), 0..60),
    ) {
        let mut room = Room::new(3);
        let mut seen: BTreeMap<u64, Vec<Event>> = BTreeMap::new();
        let mut gone = BTreeSet::new();
        for watcher in 1..4 {
            room.watches(watcher);
            seen.insert(watcher, Vec::new());
        }
        for (what, n, watcher) in steps {
            match what {
                0 | 1 => room.is_used(n),
                2 if n > 3 && !gone.contains(&n) => room.takes_up(n),
                3 => {
                    room.ends(n);
                    if room.machine.session(&id(n)).is_some() {
                        gone.insert(n);
                    }
                }
                _ => seen.get_mut(&watcher).unwrap().extend(room.reads(watcher)),
            }
        }
        for (watcher, mut events) in seen {
            events.extend(std::iter::from_fn(|| room.reads(watcher)));
            let mut known: BTreeMap<String, String> = BTreeMap::new();
            let mut ended = BTreeSet::new();
            for (number, event) in events.into_iter().enumerate() {
                prop_assert_eq!(event.seq, number as u64 + 1);
                match event.news {
                    News::Session { session } => {
                        prop_assert!(!ended.contains(&session.id), "after its end");
                        let before = known.insert(session.id, session.last_used_at.clone());
                        prop_assert!(before.is_none_or(|before| before <= session.last_used_at));
                    }
                    News::Ended { session } => {
                        known.remove(&session.id);
                        prop_assert!(ended.insert(session.id), "twice");
                    }
                    News::Ready => {}
                    other => prop_assert!(false, "{:?}", other),
                }
            }
            let there = room.machine.sessions().filter(|s| selector::is_shown(s));
            let there: Vec<_> = there.map(|s| s.id().to_string()).collect();
            prop_assert_eq!(known.into_keys().collect::<Vec<_>>(), there);
        }
    }
}
