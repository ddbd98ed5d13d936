//! What can happen to sessions, and what the machine wants done about it.
//!
//! Every errand that an [`Action`] asks for is answered by exactly one [`Event`] with the same
//! [`Key`]; the machine never asks for the same errand twice at once.

use std::sync::Arc;
use std::time::Duration;

use crate::{About, Key, Limits, Outcome, Policy, Reason, Record, SessionId};

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A token came in and lies in the daemon's memory. The name must be free.
    Add {
        /// The name drawn for it.
        id: SessionId,
        /// What it is.
        about: Arc<About>,
        /// Who made the token.
        source: Source,
    },
    /// A record was found on disk at the start.
    Restore {
        /// What it says.
        record: Record,
        /// Whether it was written within this boot, so that its deadlines still mean something.
        same_boot: bool,
    },
    /// A secret without a record was found in the keyring, and was taken into memory.
    Orphan {
        /// The name and generation that stand in the entry.
        key: Key,
        /// What can be known of it from the entry.
        about: Arc<About>,
    },

    /// Somebody wants the token itself, perhaps for a while; counts as use.
    Lend {
        /// Whose.
        id: SessionId,
        /// In use for that long from now, where the user said so.
        span: Option<Duration>,
    },
    /// Somebody says that the session is in use.
    Touch {
        /// Which.
        id: SessionId,
        /// In use for that long from now, where the user said so.
        span: Option<Duration>,
    },
    /// Somebody holds the session: it is in use until as many [`Event::Release`] have come.
    Hold {
        /// Which.
        id: SessionId,
    },
    /// Somebody needs to know what its secret is: it is asked for now if it is not at hand.
    Read {
        /// Which.
        id: SessionId,
    },
    /// A holder has gone. A tied session ends with its last one, unless the daemon is about to stop.
    Release {
        /// The token that was held.
        key: Key,
    },
    /// A command for which it was held is over. Whoever sent that is not the one that a tied session is tied to, who may
    /// still be on his way back to this daemon: he is waited for.
    CallEnded {
        /// The token that was held.
        key: Key,
    },
    /// The session is to end.
    Revoke {
        /// Which.
        id: SessionId,
        /// Why.
        reason: Reason,
    },
    /// The client of a `login` had gone before it learnt of its session.
    Abandon {
        /// The token nobody was told of.
        key: Key,
    },
    /// A pending revocation is to be tried now, and a lost secret looked for once more.
    Retry {
        /// Which.
        id: SessionId,
    },
    /// A person gives a pending or lost session up.
    Forget {
        /// Which.
        id: SessionId,
    },
    /// From now on the session ends by itself at other limits. One that has passed already counts at
    /// once.
    Limits {
        /// Which.
        id: SessionId,
        /// Its limits from now on.
        limits: Limits,
    },
    /// From now on revocations are tried this way; attempts that are out and waits that have begun stay.
    Policy(Policy),
    /// The daemon is about to stop.
    Stop {
        /// Leave active sessions for the next daemon of this boot instead of revoking them.
        keep: bool,
    },
    /// The records on disk are gone, though nobody asked for it.
    RecordsGone,
    /// The network is another than before: what could not be reached may be reachable now.
    NetworkChanged,
    /// Time has passed.
    Tick,

    /// Answer to [`Action::Write`].
    Written {
        /// Whose record.
        key: Key,
        /// Whether it is on disk and synced.
        done: bool,
    },
    /// Answer to [`Action::Archive`].
    Archived {
        /// Whose ending.
        key: Key,
        /// Whether it is in the history and synced.
        done: bool,
    },
    /// Answer to [`Action::Remove`].
    Removed {
        /// Whose record.
        key: Key,
        /// Whether it is gone.
        done: bool,
    },
    /// Answer to [`Action::Store`].
    Stored {
        /// Whose secret.
        key: Key,
        /// Whether it is in the keyring and was read back.
        done: bool,
    },
    /// Answer to [`Action::Fetch`]; where it was found, the secret lies in the daemon's memory now.
    Fetched {
        /// Whose secret.
        key: Key,
        /// What the keyring said.
        found: Found,
    },
    /// Answer to [`Action::Delete`].
    Deleted {
        /// Whose secret.
        key: Key,
        /// Whether the keyring has it no more.
        done: bool,
    },
    /// Answer to [`Action::Attempt`].
    Answered {
        /// Whose token.
        key: Key,
        /// What came of it.
        verdict: Verdict,
    },
}

/// Who made a token, which decides what becomes of it if it cannot be taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// Our own `loginUser`: nobody else knows it, so it is revoked.
    Login,
    /// Handed over with `add`: whoever gave it keeps it.
    Handover,
}

/// What a keyring says of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Found {
    /// It is there.
    Here,
    /// The store is reachable and unlocked, and has no such secret.
    Nowhere,
    /// Nobody can tell now: locked, slow, frozen, absent, damaged.
    Unreachable,
}

/// What came of one attempt to revoke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The server itself said that the token is dead.
    Dead {
        /// Whether by this attempt or before ([`Outcome::Forgotten`] is never the server's word).
        outcome: Outcome,
        /// Its words, for the history.
        evidence: String,
    },
    /// The server could not be reached: its name, the way there, or the one who answered in its place.
    Unreached {
        /// For a person: what happened.
        error: String,
    },
    /// Anything else.
    Unconfirmed {
        /// For a person: what happened.
        error: String,
        /// The server asked to be left alone that long.
        retry_after: Option<Duration>,
    },
}

/// Something that is to be done, in the order given.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Action {
    /// Put this on disk in place of what stood there, synced. Answer: [`Event::Written`].
    Write(Record),
    /// Append this ended session to the history, once and synced. Answer: [`Event::Archived`].
    Archive(Record),
    /// Remove the record. Answer: [`Event::Removed`].
    Remove(Key),
    /// Put the secret into the keyring and read it back. Answer: [`Event::Stored`].
    Store(Key),
    /// Get the secret from the keyring into memory. Answer: [`Event::Fetched`].
    Fetch(Key),
    /// Delete the secret from the keyring. Answer: [`Event::Deleted`].
    Delete(Key),
    /// Ask the server to revoke the token, once. Answer: [`Event::Answered`].
    Attempt(Key),

    /// Tell whoever brought the token that it is safe here.
    Acknowledge(Key),
    /// Tell whoever brought the token that it could not be taken in.
    Reject(Key, Rejection),
    /// Give the token to whoever asked for it.
    Lend(Key),
    /// Tell whoever asked why there is nothing for them.
    Deny(Denial),
    /// Wipe the token from memory: it is dead or not ours.
    Wipe(Key),
}

/// Why a token could not be taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rejection {
    /// The record could not be written.
    Disk,
    /// The keyring did not take the secret.
    Keyring,
    /// The daemon is stopping.
    Stopping,
}

/// Why a session cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Denial {
    /// There is none of this name, or none that was acknowledged.
    Unknown,
    /// Its end has begun.
    UnderRevocation,
    /// Its secret is gone from the keyring.
    Lost,
    /// Its secret cannot be read at the moment.
    Unreachable,
}
