//! Many daemons and one server, event by event in simulated time.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use securid_session::{About, Event, Key, Policy, Record, Verdict};

use crate::clock::{Instant, SECOND};
use crate::daemon::{Daemon, about, token};
use crate::server::{Server, unconfirmed};
use crate::tally::Tally;

/// How long a request and its answer are on their way, each, in milliseconds: offices and VPNs.
const ONE_WAY: Range<Instant> = 10..40;

/// The config's default `attempt_timeout`.
const ATTEMPT_TIMEOUT: Instant = 10 * SECOND;

/// The config's default `shutdown_grace`.
pub(crate) const SHUTDOWN_GRACE: Instant = 20 * SECOND;

/// What a person, or the machine, does.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Deed {
    /// `securid-ctl logout --all`; the machine stays on.
    LogOut,
    /// The machine is shut down: the daemon has its grace, then the power is off.
    ShutDown,
    /// The machine is booted, and the daemon started.
    Boot,
    /// Its network is another: the VPN is there again.
    ChangeNetwork,
}

/// What happens to one daemon.
#[derive(Debug)]
enum Happening {
    Deed(Deed),
    PowerOff,
    Alarm,
    /// (In a box: the agenda moves its entries about.)
    Answered(Box<(Key, Verdict)>),
}

#[derive(Debug)]
struct Due {
    seat: usize,
    /// Which of the seat's daemons it is meant for: what was meant for an earlier one comes for nobody.
    life: u32,
    what: Happening,
}

/// A person's machine.
#[derive(Debug, Default)]
struct Seat {
    tokens: Range<u64>,
    daemon: Option<Daemon>,
    /// What the last daemon left on disk.
    records: Vec<Record>,
    life: u32,
    /// What its daemon's alarm is set to.
    alarm: Option<Instant>,
}

pub(crate) struct Fleet {
    policy: Policy,
    server: Server,
    about: Arc<About>,
    dice: fastrand::Rng,
    seats: Vec<Seat>,
    /// What is to come: when, and the how manieth that was planned.
    agenda: BTreeMap<(Instant, u64), Due>,
    planned: u64,
    tally: Tally,
}

impl Fleet {
    /// A fleet without machines.
    pub(crate) fn new(policy: Policy, server: Server, seed: u64) -> Self {
        Self {
            policy,
            server,
            about: about(),
            dice: fastrand::Rng::with_seed(seed),
            seats: Vec::new(),
            agenda: BTreeMap::new(),
            planned: 0,
            tally: Tally::default(),
        }
    }

    /// One machine more, with so many sessions, and what is done on it.
    pub(crate) fn join(&mut self, sessions: u64, deeds: &[(Instant, Deed)]) {
        let first = self.seats.last().map_or(0, |seat| seat.tokens.end);
        let seat = self.seats.len();
        self.seats.push(Seat { tokens: first..first + sessions, ..Seat::default() });
        for (at, deed) in deeds {
            self.plan(*at, Due { seat, life: 0, what: Happening::Deed(*deed) });
        }
    }

    /// All that is to happen by `horizon` happens.
    ///
    /// # Panics
    /// If a token is forgotten: if nothing more is to happen, and it lives, or its daemon was not told of
    /// its death.
    pub(crate) fn play(mut self, horizon: Instant) -> Tally {
        let tokens = self.seats.last().map_or(0, |seat| seat.tokens.end);
        self.server.issue(usize::try_from(tokens).unwrap_or(0));
        self.tally.tokens = tokens;
        while let Some(((now, _), due)) = self.agenda.pop_first() {
            if now >= horizon {
                return self.tally;
            }
            self.happens(now, due);
        }
        assert!(self.server.all_dead(), "a token lives on");
        let clean = |seat: &Seat| seat.daemon.is_none() && seat.records.is_empty();
        assert!(self.seats.iter().all(clean), "somebody still waits for an answer");
        self.tally
    }

    fn happens(&mut self, now: Instant, due: Due) {
        let Due { seat, life, what } = due;
        if let Happening::Deed(deed) = what {
            return self.done(now, seat, deed);
        }
        let place = &mut self.seats[seat];
        let Some(daemon) = place.daemon.as_mut().filter(|_| place.life == life) else { return };
        let event = match what {
            Happening::PowerOff => {
                place.records = daemon.records();
                place.daemon = None;
                place.life += 1;
                return;
            }
            // It was set to another time since.
            Happening::Alarm if place.alarm != Some(now) => return,
            Happening::Alarm => {
                place.alarm = None;
                Event::Tick
            }
            Happening::Answered(answer) => {
                let (key, verdict) = *answer;
                if matches!(verdict, Verdict::Dead { .. }) {
                    self.tally.confirm(now);
                }
                Event::Answered { key, verdict }
            }
            Happening::Deed(_) => return,
        };
        let attempts = daemon.event(now, event);
        self.follow(now, seat, attempts);
    }

    fn done(&mut self, now: Instant, seat: usize, deed: Deed) {
        let place = &mut self.seats[seat];
        let (mut daemon, mut attempts) = match (deed, place.daemon.take()) {
            (Deed::ChangeNetwork, None) => return,
            (Deed::ChangeNetwork, Some(running)) => (running, Vec::new()),
            _ => {
                let records = std::mem::take(&mut place.records);
                Daemon::start(now, self.policy, self.dice.u64(..), records)
            }
        };
        match deed {
            Deed::Boot => {}
            Deed::ChangeNetwork => attempts = daemon.event(now, Event::NetworkChanged),
            // They have been logged in for hours; nothing of that matters before.
            Deed::LogOut => {
                daemon.log_in(now, place.tokens.clone(), &self.about);
                attempts = daemon.log_out(now);
            }
            Deed::ShutDown => {
                daemon.log_in(now, place.tokens.clone(), &self.about);
                attempts = daemon.event(now, Event::Stop { keep: false });
                let life = place.life;
                self.plan(now + SHUTDOWN_GRACE, Due { seat, life, what: Happening::PowerOff });
            }
        }
        self.seats[seat].daemon = Some(daemon);
        self.seats[seat].alarm = None;
        self.follow(now, seat, attempts);
    }

    /// Sends the daemon's attempts, and sets its alarm.
    fn follow(&mut self, now: Instant, seat: usize, attempts: Vec<Key>) {
        let life = self.seats[seat].life;
        for key in attempts {
            let (there, back) = (self.dice.u64(ONE_WAY), self.dice.u64(ONE_WAY));
            self.tally.ask(now + there);
            let (after, verdict) = self.server.log_out(now + there, token(&key));
            let takes = there + after + back;
            let (takes, verdict) = match verdict {
                Verdict::Dead { .. } if takes > ATTEMPT_TIMEOUT => {
                    (ATTEMPT_TIMEOUT, unconfirmed(None))
                }
                verdict => (takes.min(ATTEMPT_TIMEOUT), verdict),
            };
            let what = Happening::Answered(Box::new((key, verdict)));
            self.plan(now + takes, Due { seat, life, what });
        }
        let place = &mut self.seats[seat];
        let Some(daemon) = &place.daemon else { return };
        if !daemon.has_sessions() {
            place.daemon = None;
        } else if let Some(at) = daemon.wakes_at()
            && place.alarm != Some(at)
        {
            place.alarm = Some(at);
            self.plan(at, Due { seat, life, what: Happening::Alarm });
        }
    }

    fn plan(&mut self, at: Instant, due: Due) {
        self.agenda.insert((at, self.planned), due);
        self.planned += 1;
    }
}
