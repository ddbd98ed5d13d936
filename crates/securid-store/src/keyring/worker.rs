//! The threads that talk to the stores.

use std::collections::hash_map::Entry as Slot;
use std::io;
use std::sync::Arc;
use std::thread;

use tokio::sync::oneshot;
use zeroize::zeroize_stack;

use super::backend::Backend;
use super::calls::{Calls, Connections};
use super::error::KeyringError;
use super::kind::StoreKind;

/// How much of the thread's stack is wiped after each call, in bytes: ciphers and hashes leave parts of
/// what went through them there. A multiple of what they use, and no more, because it stays in memory.
const STACK_USED: usize = 32 * 1024;

/// Starts a thread that serves the queue as long as it is the one that may, and there are calls.
pub(super) fn spawn(calls: Arc<Calls>, number: u64) -> io::Result<()> {
    let serve = move || {
        let mut connections = calls.connections();
        while let Some(job) = calls.next(number, &mut connections) {
            let kind = job.kind;
            let told = (job.work)(connected(&calls, &mut connections, kind));
            zeroize_stack::<STACK_USED>();
            if broken(&told) {
                connections.remove(&kind);
            }
            calls.finished(number);
        }
    };
    thread::Builder::new().name("keyring".to_owned()).spawn(serve).map(drop)
}

/// Asks a person to unlock a store, in a thread of its own, because it takes as long as a person
/// takes and the queue must not wait for that.
pub(super) fn prompt(
    calls: Arc<Calls>,
    kind: StoreKind,
) -> Result<oneshot::Receiver<Result<(), KeyringError>>, KeyringError> {
    calls.begin_prompt(kind)?;
    let (reply, answer) = oneshot::channel();
    let prompting = Arc::clone(&calls);
    let ask = move || {
        let told = (prompting.connect)(kind).and_then(|mut backend| backend.check(true));
        prompting.end_prompt(kind, &told);
        // The caller may have gone; an unlocked keyring serves the next one.
        let _ = reply.send(told);
    };
    thread::Builder::new().name("keyring-prompt".to_owned()).spawn(ask).map_err(|e| {
        let error = KeyringError::unavailable(kind, format!("no thread to be had: {e}"));
        calls.end_prompt(kind, &Err(error.clone()));
        error
    })?;
    Ok(answer)
}

fn connected<'a>(
    calls: &Calls,
    connections: &'a mut Connections,
    kind: StoreKind,
) -> Result<&'a mut dyn Backend, KeyringError> {
    match connections.entry(kind) {
        Slot::Occupied(backend) => Ok(backend.into_mut().as_mut()),
        Slot::Vacant(free) => Ok(free.insert((calls.connect)(kind)?).as_mut()),
    }
}

/// Whether the connection is not to be used again: a service that was restarted does not know it.
fn broken(told: &Result<(), KeyringError>) -> bool {
    matches!(told, Err(KeyringError::Unavailable { .. } | KeyringError::Unresponsive { .. }))
}
