//! The life of sessions, as a pure machine.
//!
//! It knows neither clock nor network nor disk nor secrets: [`Machine::handle`] takes a [`Moment`]
//! and an [`Event`] and gives back [`Action`]s, which the daemon carries out and reports on with
//! further events. So the promise that the program lives by can be checked by reading this crate
//! alone:
//!
//! > A token that the daemon has acknowledged is never forgotten until the server itself has said
//! > that it is dead.
//!
//! **The invariant.** From [`Action::Acknowledge`] on, the session of a token stays in the machine,
//! with its record on disk and its secret in the keyring, until [`Event::Answered`] brings
//! [`Verdict::Dead`] or a person sends [`Event::Forget`]. Four rules keep it:
//!
//! 1. *Acknowledged last.* `adding` on disk → secret in the keyring → `active` on disk →
//!    acknowledged. A crash in between leaves a record from which the next start goes on
//!    ([`Event::Restore`]). Kept in `life/taking_in.rs`.
//! 2. *Intent first.* No attempt before the intent to revoke was written, or reported unwritable;
//!    from that intent on, nothing is lent. Kept in `life/revoking.rs` and `life/using.rs`.
//! 3. *Cleared up last.* `ended` on disk → history → secret deleted → record removed, each after
//!    the one before was reported done. Kept in `life/ending.rs`.
//! 4. *One answer, one token.* Errands and answers carry a [`Key`], and an answer that is not for
//!    the token at hand is dropped. Kept in `machine.rs`, at `current`.
//!
//! | module | is |
//! |---|---|
//! | `machine` | all sessions: takes events in, wakes what is due, hands out attempts |
//! | `session` | one session: what it knows |
//! | `wants` | one session: what it wants of disk and keyring, which follows from its state |
//! | `life` | one session: how each event changes it |
//! | `lane` | one errand at a time, and when to try again |
//! | `slots` | how many attempts at once, and whose turn it is |
//! | `census` | how many there are in each phase, and how many there may be |
//! | `backoff` | how long to wait |
//! | `looks` | which sessions look another way than before, for those who watch |
//! | `changes` | how often a change of the network counts |
//! | `event` | what goes in and what comes out |
//! | `record`, `ident`, `moment` | the words that all of it is said in |

mod backoff;
mod census;
mod changes;
mod event;
mod ident;
mod lane;
mod life;
mod looks;
mod machine;
mod moment;
mod record;
mod session;
mod slots;
mod wants;

pub use backoff::{Policy, RETRY_AFTER_MAX};
pub use census::MOST_SESSIONS;
pub use event::{Action, Denial, Event, Found, Rejection, Source, Verdict};
pub use ident::{Generation, Key, SessionId};
pub use machine::Machine;
pub use moment::Moment;
pub use record::{
    About, ClientFiles, Ending, Limits, Network, Origin, Outcome, Reason, Record, Revocation, Stage,
};
pub use session::{Pending, Phase, Session};
