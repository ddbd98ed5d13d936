//! One death, or two, and what follows.

use std::fmt;

use securid_tests::lives::Life;
use securid_tests::trace::Pass;
use securid_tests::{AtServer, MortalHouse, Server};

/// One field of the matrix.
#[derive(Clone)]
pub(crate) struct Cell {
    pub(crate) life: Life,
    pub(crate) keyring: &'static str,
    pub(crate) server: Server,
    pub(crate) first: First,
    /// The pass of the recovery at which the next daemon dies as well.
    pub(crate) second: Option<String>,
}

/// How the first daemon dies.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum First {
    /// When all is over.
    AtTheEnd,
    /// At this pass, `NAME#N`.
    At(String),
    /// During a request.
    Killed(AtServer),
}

/// What came of it.
pub(crate) struct Played {
    /// What the first daemon passed.
    pub(crate) life: Vec<Pass>,
    /// What the second one passed.
    pub(crate) recovery: Vec<Pass>,
    /// Whether each death came about.
    pub(crate) died_first: bool,
    pub(crate) died_second: bool,
    /// Tokens of logins that nobody knows of, and that are alive when all is over.
    pub(crate) unknown: usize,
    /// Whether the server had made a token that was not in the keyring yet at the first death.
    pub(crate) in_login_window: bool,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} | {:?} | ", self.life.name, self.server)?;
        match &self.first {
            First::AtTheEnd => write!(f, "at the end")?,
            First::At(pass) => write!(f, "{pass}")?,
            First::Killed(at) => write!(f, "{at:?}")?,
        }
        self.second.iter().try_for_each(|second| write!(f, " | {second}"))
    }
}

impl Cell {
    /// Plays it.
    ///
    /// # Panics
    /// If anything is forgotten.
    pub(crate) fn play(&self) -> Played {
        let mut house = MortalHouse::build(self.keyring, self.server);
        if let Some(before) = self.life.before {
            before(&mut house).expect("nothing kills it yet");
        }
        let _ = house.take_trace();
        match &self.first {
            First::AtTheEnd => {}
            First::At(pass) => house.dies_at = Some(pass.clone()),
            First::Killed(at) => house.killed_at = Some(*at),
        }
        let lived = house.start().and_then(|()| (self.life.play)(&mut house));
        // What it does beside its last answer belongs to its life.
        let died_first = lived.is_err() || (house.runs() && house.until_idle().is_err());
        assert!(!died_first || self.first != First::AtTheEnd, "it died of itself");
        house.end();
        let life = house.take_trace();

        house.after_the_death();
        house.dies_at.clone_from(&self.second);
        let died_second = house.recover().is_err();
        let recovery = house.take_trace();
        if died_second {
            assert!(self.second.is_some(), "it died of itself:\n{}", house.house.log());
            house.end();
            house.dies_at = None;
            house.recover().expect("nothing kills it any more");
        }
        let unknown = house.nothing_is_left().len();
        let in_login_window = self.in_login_window(&life);
        Played { life, recovery, died_first, died_second, unknown, in_login_window }
    }

    fn in_login_window(&self, life: &[Pass]) -> bool {
        let last = |point: &str| life.iter().rposition(|pass| pass.point == point);
        // The sealed file has the secret as soon as it got its name.
        let arrived = last("keyring.put").max(last("sealed-file.renamed"));
        self.first == First::Killed(AtServer::LoginAnswered)
            || last("login.answered").is_some_and(|at| arrived < Some(at))
    }
}
