//! All results as one type.

use serde::Serialize;

use super::RelayView;
use super::views::{
    HistoryView, InstructionsView, ListView, LogoutView, ReloadView, RetryView, SessionRef,
    SessionView, StatusView, StopView, SubscribedView, TakenView, TokenView,
};

/// The result of a [`Call`](super::Call): what goes into `result` is the view alone. The variant
/// tells whoever gets a reply back undelivered what it was about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Reply {
    /// Of `daemon.status`.
    Status(StatusView),
    /// Of `daemon.reload`.
    Reloaded(ReloadView),
    /// Of `daemon.stop`.
    Stopping(StopView),
    /// Of `session.add`.
    Added(TakenView),
    /// Of `session.login`.
    LoggedIn(TakenView),
    /// Of `session.instructions`.
    Instructions(InstructionsView),
    /// Of `session.list`.
    List(ListView),
    /// Of `session.history`.
    History(HistoryView),
    /// Of `session.show`.
    Session(SessionView),
    /// Of `session.token`.
    Token(TokenView),
    /// Of `session.touch`.
    Touched(SessionRef),
    /// Of `session.hold`.
    Held(SessionRef),
    /// Of `session.call`.
    Relayed(RelayView),
    /// Of `session.logout`.
    Logout(LogoutView),
    /// Of `session.retry`.
    Retrying(RetryView),
    /// Of `session.forget`.
    Forgotten(SessionRef),
    /// Of `events.subscribe`.
    Subscribed(SubscribedView),
}

impl Reply {
    /// Whether its connection holds a session from now on. One that was made just now is held by nobody else.
    #[must_use]
    pub fn holds(&self) -> bool {
        match self {
            Self::Held(_) => true,
            Self::LoggedIn(taken) => taken.session.holds > 0,
            _ => false,
        }
    }

    /// Whether it is one of the long ones, which may be asked for again: nothing comes of one that got lost.
    #[must_use]
    pub fn is_page(&self) -> bool {
        matches!(self, Self::List(_) | Self::History(_))
    }
}
