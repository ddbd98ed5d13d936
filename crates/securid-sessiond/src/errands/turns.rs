//! Errands to one place, which wait for their turns.

use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc};

/// An errand that has not begun. What it is about takes some dozen bytes; under way it takes a thousand, and a
/// start with ten thousand sessions has one for each.
type Waiting = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

/// So many errands at once, in the order in which they came. Each begins, and with it its deadline, when it is
/// its turn.
#[derive(Clone)]
pub(super) struct Turns(mpsc::UnboundedSender<Waiting>);

impl Turns {
    /// Call it on the runtime on which errands are to be carried out.
    pub(super) fn new(at_once: usize) -> Self {
        let (line, mut waiting) = mpsc::unbounded_channel::<Waiting>();
        let places = Arc::new(Semaphore::new(at_once));
        tokio::spawn(async move {
            while let Some(begin) = waiting.recv().await {
                let place = Arc::clone(&places).acquire_owned().await;
                tokio::spawn(async move {
                    // It is never closed.
                    let _place = place;
                    begin().await;
                });
            }
        });
        Self(line)
    }

    /// Joins the line.
    pub(super) fn take<E: Future<Output = ()> + Send + 'static>(
        &self,
        errand: impl FnOnce() -> E + Send + 'static,
    ) {
        // The other end is gone only when the runtime is.
        let _ = self.0.send(Box::new(|| Box::pin(errand())));
    }
}
