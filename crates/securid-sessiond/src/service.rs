//! What stands behind the socket: each call goes to whoever can answer it.

use std::cmp::Reverse;
use std::time::Duration;

use jiff::Timestamp;
use securid_ipc::messages::{
    Call, ErrorCode, History, HistoryItem, HistoryView, Logout, LogoutItem, LogoutView, Outcome,
    Reason, Reply, RpcError, SessionState, Targets,
};
use securid_ipc::server::{ConnectionId, Notice, Service};
use securid_store::HistoryLine;
use securid_text::mention;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tracing::warn;

use crate::config::LiveConfig;
use crate::errands::Errands;
use crate::keeper::{Inbox, Message};
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
}

impl Service for Desk {
    async fn call(&self, connection: ConnectionId, call: Call) -> Result<Reply, RpcError> {
        match call {
            Call::Reload => match &self.reloading {
                Some(reloading) => reloading.reload().await.map(Reply::Reloaded),
                None => Err(trouble::draining()),
            },
            Call::Add(_) | Call::Login(_) if self.reloading.is_none() => Err(trouble::draining()),
            Call::Add(params) => taking::add(self, params).await.map(Reply::Added),
            Call::Login(params) => taking::login(self, params).await.map(Reply::LoggedIn),
            Call::History(params) => self.history(params).await.map(Reply::History),
            Call::Logout(params) => self.logout(connection, params).await.map(Reply::Logout),
            Call::Status => {
                let look = self.errands.look_at_keyring(self.config.now().keyring);
                let _ = timeout(KEYRING_GLANCE, look).await;
                self.ask(connection, Call::Status).await
            }
            other => self.ask(connection, other).await,
        }
    }

    fn undelivered(&self, reply: Reply) {
        if let Reply::LoggedIn(taken) = reply {
            let _ = self.inbox().send(Message::Abandoned(taken.session.id));
        }
    }

    fn closed(&self, connection: ConnectionId) {
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

    async fn ask(&self, connection: ConnectionId, call: Call) -> Result<Reply, RpcError> {
        let (reply, answer) = oneshot::channel();
        let _ = self.inbox().send(Message::Call { connection, call, reply });
        answer.await.unwrap_or_else(|_| Err(trouble::stopping()))
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
        let Ok(ended) = self.ended().await else {
            // What is known of the others must not wait for a disk.
            return Ok(view);
        };
        view.refused.retain(|refused| {
            let ended = selector::exact_id(&refused.selector)
                .and_then(|id| ended.iter().find(|line| line.id == id.as_str()));
            view.sessions.extend(ended.map(|line| LogoutItem {
                id: line.id.clone(),
                instance: line.instance.clone(),
                state: SessionState::Ended,
                outcome: Some(Outcome::from(line.outcome.clone())),
                last_error: None,
                durable: true,
            }));
            ended.is_none()
        });
        Ok(view)
    }

    /// The ended sessions, newest first: those that are being cleared up, then those that the disk
    /// has. A session that left the list stands here at once, full disk or not.
    async fn ended(&self) -> Result<Vec<HistoryLine>, RpcError> {
        let (reply, fresh) = oneshot::channel();
        let _ = self.inbox().send(Message::Fresh(reply));
        // Asked before the disk, so that one that is written meanwhile is in either.
        let mut ended = fresh.await.unwrap_or_default();
        let past = self.errands.history().await?.lines;
        ended.retain(|new| !past.iter().any(|l| l.id == new.id && l.generation == new.generation));
        ended.sort_by_key(|line| Reverse(line.ended_at));
        ended.extend(past);
        Ok(ended)
    }

    async fn history(&self, params: History) -> Result<HistoryView, RpcError> {
        let since = params.since.as_deref().map(time).transpose()?;
        let until = params.until.as_deref().map(time).transpose()?;
        let start: usize = match params.cursor.as_deref().map(str::parse) {
            None => 0,
            Some(Ok(start)) => start,
            Some(Err(_)) => {
                return Err(RpcError::new(ErrorCode::Params, "this cursor is not one of ours"));
            }
        };
        let page = params.limit.map_or(PAGE, |n| (n as usize).clamp(1, PAGE));
        let ended = self.ended().await?;
        let mut matching = ended
            .iter()
            .filter(|line| since.is_none_or(|since| line.ended_at >= since))
            .filter(|line| until.is_none_or(|until| line.ended_at < until))
            .filter(|line| params.instance.as_ref().is_none_or(|name| line.instance == *name))
            .skip(start);
        let sessions: Vec<HistoryItem> = matching.by_ref().take(page).map(item).collect();
        let cursor = matching.next().map(|_| (start + sessions.len()).to_string());
        Ok(HistoryView { sessions, cursor })
    }
}

fn time(text: &str) -> Result<Timestamp, RpcError> {
    text.parse().map_err(|_| {
        RpcError::new(ErrorCode::Params, format!("{} is no time", mention(text)))
            .with_hint("Write it as 2026-11-22T12:00:00Z.")
    })
}

fn item(line: &HistoryLine) -> HistoryItem {
    let time = |at: Timestamp| crate::clock::rfc3339(at.as_millisecond());
    HistoryItem {
        id: line.id.clone(),
        instance: line.instance.clone(),
        url: line.url.clone(),
        username: line.username.clone(),
        created_at: time(line.created_at),
        requested_at: Some(time(line.requested_at)),
        ended_at: time(line.ended_at),
        reason: line.reason.clone().map(Reason::from),
        outcome: Outcome::from(line.outcome.clone()),
        attempts: line.attempts,
        evidence: Some(line.evidence.clone()),
    }
}
