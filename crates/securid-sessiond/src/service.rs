//! What stands behind the socket: each call goes to whoever can answer it.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::{RoundMode, Timestamp, TimestampRound, Unit};
use securid_ipc::messages::{
    Call, ErrorCode, Event, History, HistoryView, Logout, LogoutItem, LogoutView, Outcome, Reply,
    RpcError, SessionState, Targets,
};
use securid_ipc::server::{ConnectionId, Notice, Service};
use securid_store::{Gaps, HistoryLine, HistoryReader, Wanted};
use securid_text::mention;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tracing::warn;

use crate::config::LiveConfig;
use crate::cursor::{Cursor, Place};
use crate::errands::Errands;
use crate::keeper::{Inbox, Message, ended};
use crate::relay::Relays;
use crate::reload::Reloading;
use crate::{selector, taking, trouble};

/// How many ended sessions a page has at most: at some 500 bytes each, well within a reply line.
const PAGE: usize = 500;

/// How long a status may wait for the keyring to say how it is; then what was last known is told.
/// A keyring that works answers in some milliseconds.
const KEYRING_GLANCE: Duration = Duration::from_millis(500);

/// Everything that a call may need.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) config: LiveConfig,
    pub(crate) errands: Errands,
    /// None if it only drains, because the config is bad: then nothing new is taken in, another config
    /// neither.
    pub(crate) reloading: Option<Reloading>,
    pub(crate) relays: Relays,
}

impl Service for Desk {
    /// What is long or seldom is in a box: the others come many a second, and their future is as small as they are.
    async fn call(
        self: Arc<Self>,
        connection: ConnectionId,
        call: Call,
    ) -> Result<Reply, RpcError> {
        match call {
            Call::Reload => match &self.reloading {
                Some(reloading) => Box::pin(reloading.reload()).await.map(Reply::Reloaded),
                None => Err(trouble::draining()),
            },
            Call::Add(_) | Call::Login(_) | Call::Instructions(_) if self.reloading.is_none() => {
                Err(trouble::draining())
            }
            Call::Add(params) => Box::pin(taking::add(&self, params)).await.map(Reply::Added),
            Call::Login(params) => {
                Box::pin(taking::login(&self, connection, params)).await.map(Reply::LoggedIn)
            }
            Call::Instructions(params) => {
                Box::pin(taking::instructions(&self, params)).await.map(Reply::Instructions)
            }
            Call::Relay(params) => {
                Box::pin(self.relays.relay(&self, connection, params)).await.map(Reply::Relayed)
            }
            Call::History(params) => Box::pin(self.history(params)).await.map(Reply::History),
            Call::Logout(params) => {
                Box::pin(self.logout(connection, params)).await.map(Reply::Logout)
            }
            Call::Status => {
                let look = self.errands.look_at_keyring(self.config.now().keyring);
                let _ = Box::pin(timeout(KEYRING_GLANCE, look)).await;
                self.ask(connection, Call::Status).await
            }
            other => self.ask(connection, other).await,
        }
    }

    async fn next_event(&self, connection: ConnectionId) -> Option<Event> {
        let (waiting, event) = oneshot::channel();
        let _ = self.inbox().send(Message::NextEvent { connection, waiting });
        event.await.ok()
    }

    fn undelivered(&self, reply: Reply) {
        match reply {
            Reply::LoggedIn(taken) => {
                let _ = self.inbox().send(Message::Abandoned(taken.session.id));
            }
            Reply::Relayed(view) => self.relays.end(view.call),
            _ => {}
        }
    }

    fn has_work(&self, connection: ConnectionId) -> bool {
        self.relays.under_way(connection)
    }

    fn gone(&self, connection: ConnectionId) {
        self.relays.gone(connection);
    }

    fn closed(&self, connection: ConnectionId) {
        self.relays.closed(connection);
        let _ = self.inbox().send(Message::Closed(connection));
    }

    fn notice(&self, notice: Notice) {
        match notice {
            Notice::CannotAccept(error) => {
                warn!(%error, "no client can be let in: those who wait are let in later");
            }
            Notice::Crowded { most } => {
                warn!(
                    most,
                    "as many connections as there may be: the longest idle ones are closed for new ones"
                );
            }
        }
    }
}

impl Desk {
    pub(crate) fn inbox(&self) -> &Inbox {
        &self.errands.inbox
    }

    fn ask(
        &self,
        connection: ConnectionId,
        call: Call,
    ) -> impl Future<Output = Result<Reply, RpcError>> + use<> {
        let (reply, answer) = oneshot::channel();
        let _ = self.inbox().send(Message::Call { connection, call, reply });
        async { answer.await.unwrap_or_else(|_| Err(trouble::stopping())) }
    }

    /// A session that the keeper does not know may have ended: then its logout is done.
    async fn logout(&self, on: ConnectionId, params: Logout) -> Result<LogoutView, RpcError> {
        let named = matches!(params.targets, Targets::Selected(_));
        let Reply::Logout(mut view) = self.ask(on, Call::Logout(params)).await? else {
            return Err(RpcError::new(ErrorCode::ServerError, "the keeper answered another call"));
        };
        if !named || view.refused.is_empty() {
            return Ok(view);
        }
        let named = view.refused.iter().filter_map(|refused| selector::exact_id(&refused.selector));
        let (named, kept): (Vec<_>, _) = (named.collect(), self.kept_since());
        let found = self.errands.past(move |past| past.find(&named, kept)).await;
        // What is known of the others must not wait for a disk.
        for line in found.unwrap_or_default() {
            view.refused.retain(|refused| refused.selector != line.id);
            view.sessions.push(LogoutItem {
                id: line.id,
                instance: line.instance,
                state: SessionState::Ended,
                outcome: Some(Outcome::from(line.outcome)),
                last_error: None,
                durable: true,
                unreachable: false,
            });
        }
        Ok(view)
    }

    /// What ended before counts as forgotten, whether or not it was cleared away yet.
    fn kept_since(&self) -> Option<Timestamp> {
        Timestamp::now().checked_sub(self.config.now().history_keep?).ok()
    }

    /// Dead sessions that the history does not have yet: with a full disk that may take long, and all the same they
    /// stand in it at once. The latest first.
    async fn fresh(&self) -> Vec<HistoryLine> {
        let (reply, fresh) = oneshot::channel();
        let _ = self.inbox().send(Message::Fresh(reply));
        let mut fresh = fresh.await.unwrap_or_default();
        fresh.sort_by_key(Place::of);
        fresh
    }

    async fn history(&self, params: History) -> Result<HistoryView, RpcError> {
        let since = params.since.as_deref().map(time).transpose()?;
        let until = params.until.as_deref().map(time).transpose()?;
        let cursor = params.cursor.as_deref().map(str::parse).transpose()?;
        let page = params.limit.map_or(PAGE, |n| (n as usize).clamp(1, PAGE));
        let since = since.max(self.kept_since());
        let wanted =
            Wanted { since, until, instance: params.instance, unconfirmed: params.unconfirmed };

        // Asked before the disk, so that one that is written meanwhile is in either.
        let fresh = self.fresh().await;
        let (passed, mark) = match cursor {
            None => (None, None),
            Some(Cursor::Fresh(place)) => (Some(place), None),
            Some(Cursor::Past(mark)) => (None, Some(mark)),
        };
        let mut lines: Vec<HistoryLine> = Vec::new();
        if mark.is_none() {
            let to_come =
                |line: &&HistoryLine| passed.as_ref().is_none_or(|p| Place::of(line) > *p);
            let to_come = fresh.iter().filter(to_come).filter(|line| wanted.fits(line));
            lines.extend(to_come.take(page).cloned());
        }
        if lines.len() == page {
            let cursor = lines.last().map(|last| Cursor::Fresh(Place::of(last)).to_string());
            let sessions = lines.iter().map(ended).collect();
            return Ok(HistoryView { sessions, cursor, ..HistoryView::default() });
        }
        let most = page - lines.len();
        let look = move |history: &HistoryReader| {
            let page = history.page(&wanted, mark.as_ref(), most)?;
            let is_last = page.as_ref().is_some_and(|page| page.next.is_none());
            let gaps = if is_last { history.gaps()? } else { Gaps::default() };
            Ok(page.map(|page| (page, gaps, is_last)))
        };
        let Some((past, gaps, is_last)) = self.errands.past(look).await? else {
            let message = "the session that this cursor stands for is in the history no more";
            return Err(
                RpcError::new(ErrorCode::Params, message).with_hint("Begin with the first page.")
            );
        };
        let fresh: HashSet<_> = fresh.iter().map(|line| (&line.id, line.generation)).collect();
        let is_fresh = |line: &HistoryLine| fresh.contains(&(&line.id, line.generation));
        lines.extend(past.lines.into_iter().filter(|line| !is_fresh(line)));
        let whole_since = gaps.whole_since.map(next_second);
        let kept_since = if is_last { self.kept_since().max(whole_since) } else { None };
        Ok(HistoryView {
            sessions: lines.iter().map(ended).collect(),
            damaged: past.damaged as u64,
            set_aside: gaps.set_aside.map(|folder| folder.display().to_string()),
            kept_since: kept_since.map(shown),
            cursor: past.next.map(|mark| Cursor::Past(mark).to_string()),
        })
    }
}

fn time(text: &str) -> Result<Timestamp, RpcError> {
    text.parse().map_err(|_| {
        RpcError::new(ErrorCode::Params, format!("{} is no time", mention(text)))
            .with_hint("Write it as 2026-11-22T12:00:00Z.")
    })
}

fn shown(at: Timestamp) -> String {
    crate::clock::rfc3339(at.as_millisecond())
}

/// The first whole second that is not before, because [`shown`] leaves the rest of a second out, and in it one may have
/// ended that has gone.
fn next_second(at: Timestamp) -> Timestamp {
    let up = TimestampRound::new().smallest(Unit::Second).mode(RoundMode::Ceil);
    at.round(up).unwrap_or(at)
}
