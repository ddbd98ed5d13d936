//! The calls of one connection that are under way.

use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
};

use crate::{
    envelope::Id,
    messages::{Reply, RpcError},
};

/// What became of a call, and under which id it is to be said.
pub(super) type Done = (Option<Id>, Outcome);

type Outcome = Result<Reply, RpcError>;

/// Calls that run side by side, as parts of their connection's task: a task for each would cost more than most
/// calls do. There are few of them, so that whenever something happens all are asked.
#[derive(Default)]
pub(super) struct Calls(Vec<Call>);

struct Call {
    id: Option<Id>,
    work: Pin<Box<dyn Future<Output = Outcome> + Send>>,
}

impl Calls {
    /// Begins one; it goes on whenever [`Calls::next`] is polled.
    pub(super) fn begin(
        &mut self,
        id: Option<Id>,
        work: impl Future<Output = Outcome> + Send + 'static,
    ) {
        self.0.push(Call { id, work: Box::pin(work) });
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next one to end, or of several that have ended the one that began first. Safe to drop between two polls. Never
    /// ends while there is none.
    pub(super) async fn next(&mut self) -> Done {
        poll_fn(|context| self.poll_next(context)).await
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Done> {
        for index in 0..self.0.len() {
            if let Poll::Ready(outcome) = self.0[index].work.as_mut().poll(context) {
                return Poll::Ready((self.0.remove(index).id, outcome));
            }
        }
        Poll::Pending
    }
}
