//! The events of one connection, one at a time.

use std::{pin::Pin, sync::Arc};

use super::{ConnectionId, Service};
use crate::{endpoint::ServerStream, messages::Event};

/// How much the kernel may keep for a client that does not read, in bytes (it doubles this): a dozen events. So
/// whoever reads after a pause is told a dozen old states, and then how things stand.
const UNREAD: usize = 8 * 1024;

/// What a connection is told that has subscribed. An event is made when there is room to write it, and not
/// before: then it tells how things stand.
pub(super) struct Feed<S> {
    service: Arc<S>,
    connection: ConnectionId,
    next: Option<Next>,
}

type Next = Pin<Box<dyn Future<Output = Option<Event>> + Send>>;

impl<S: Service> Feed<S> {
    pub(super) fn begin(socket: &ServerStream, service: Arc<S>, connection: ConnectionId) -> Self {
        // Where the system refuses, the states that wait are more, and older.
        socket.keep_at_most(UNREAD);
        Self { service, connection, next: None }
    }

    /// Waits for the next one; none if there will be none. Safe to drop between two polls.
    pub(super) async fn next(&mut self) -> Option<Event> {
        let next = self.next.get_or_insert_with(|| {
            let (service, connection) = (Arc::clone(&self.service), self.connection);
            Box::pin(async move { service.next_event(connection).await })
        });
        let event = next.await;
        self.next = None;
        event
    }
}

/// The next event of a connection that may have subscribed; if it has not, this never ends.
pub(super) async fn next_of<S: Service>(feed: &mut Option<Feed<S>>) -> Option<Event> {
    match feed {
        Some(feed) => feed.next().await,
        None => std::future::pending().await,
    }
}
