//! Changes of the sealed file, which is written as a whole: those that wait are made together.

use securid_store::{Change, Keyring, KeyringError, StoreKind};
use tokio::sync::mpsc;

/// How many share a write: as many as records share a sync, for the same bursts. Each is read back, which takes some
/// ten microseconds.
const AT_ONCE: usize = 64;

/// Called with how a change went.
type Told = Box<dyn FnOnce(Result<(), KeyringError>) + Send>;

struct Waiting {
    change: Change,
    told: Told,
}

/// One write after the other; what comes meanwhile waits for the next.
#[derive(Clone)]
pub(super) struct Together(mpsc::UnboundedSender<Waiting>);

impl Together {
    /// Call it on the runtime on which the changes are to be made.
    pub(super) fn new(keyring: Keyring) -> Self {
        let (line, mut waiting) = mpsc::unbounded_channel::<Waiting>();
        tokio::spawn(async move {
            let mut batch = Vec::new();
            while waiting.recv_many(&mut batch, AT_ONCE).await > 0 {
                make(&keyring, batch.drain(..)).await;
            }
        });
        Self(line)
    }

    /// Joins the line. Its deadline begins with the write.
    pub(super) fn change(
        &self,
        change: Change,
        told: impl FnOnce(Result<(), KeyringError>) + Send + 'static,
    ) {
        // The other end is gone only when the runtime is.
        let _ = self.0.send(Waiting { change, told: Box::new(told) });
    }
}

async fn make(keyring: &Keyring, batch: impl Iterator<Item = Waiting>) {
    let (changes, told): (Vec<_>, Vec<_>) = batch.map(|one| (one.change, one.told)).unzip();
    match keyring.change(StoreKind::SealedFile, changes).await {
        Ok(done) => told.into_iter().zip(done).for_each(|(told, done)| told(done)),
        Err(error) => told.into_iter().for_each(|told| told(Err(error.clone()))),
    }
}
