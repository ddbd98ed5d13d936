//! Where sessions are kept: tokens in the keyring, everything else about them on disk.
//!
//! Two handles, cheap to clone, each with a thread of its own behind it while there is something to do, because
//! neither a keyring nor a disk can be asked without waiting:
//!
//! - [`Keyring`] (`keyring.rs`): [`Entry`]s, one a session, in a store of some [`StoreKind`]. Every
//!   call has a deadline, whatever the store does.
//!   - `keyring/kind.rs`, `name.rs`, `entry.rs`, `error.rs`: the words of the trade
//!   - `keyring/calls.rs`, `worker.rs`: the queue, the thread, and what happens when it hangs
//!   - `keyring/safekeeping.rs`: what "stored" means, over any store
//!   - `keyring/backend.rs`, `backend/`: the stores themselves; `backend/sealed_file.rs` is our own
//! - [`Disk`] (`disk.rs`): [`Record`](securid_session::Record)s, a file each, and the history of
//!   ended sessions. A reply means that it is on the platter.
//!   - `disk/identity.rs`: which machine and which boot a record is from
//!   - `disk/document.rs`, `folder.rs`: a record as a file, and the folder of them
//!   - `disk/filed.rs`: under which path the secrets of a folder that was moved are filed
//!   - `disk/index.rs`: which sessions may have a secret, should their record be gone
//!   - `disk/history.rs`, `history/`: the list of ended sessions
//!   - `disk/lock.rs`: one daemon per state folder
//!   - `disk/sight.rs`: a look at all of this that changes nothing
//!   - `disk/error.rs`: what can go wrong
//! - `files.rs`: durable writing, for all of the above
//! - [`crash`]: where a test can let the process die
//! - `fuzz`: what must hold for any bytes that are read, for the fuzzer and the tests alone
//!
//! No token is ever in a record, an error, a log line or a `Debug` output.

pub mod crash;
mod disk;
mod files;
#[cfg(any(fuzzing, test))]
#[doc(hidden)]
pub mod fuzz;
mod keyring;

pub use disk::{
    Damage, Disk, DiskError, DiskErrorKind, Gaps, History, HistoryLine, HistoryReader, Identity,
    Loaded, LockError, Mark, Page, RecordFolder, Sight, StateLock, Wanted, filed_under,
};
pub use keyring::{
    Backend, CALL_DEADLINE, Entry, EntryName, INTERACTIVE_DEADLINE, KeyPlace, Keyring,
    KeyringError, Namespace, Preference, Readiness, SealKey, SealedPlace, SealedTrouble, StoreKind,
};
