//! What is said: calls with their parameters, results, errors.
//!
//! - `call`: [`Call`], all methods, from and to the wire;
//! - `params`: the parameters of each method;
//! - `relay`: those of `session.call`, and what it answers;
//! - `views`: the results, field by field as `securid-ctl … --json` prints them;
//! - `events`: [`Event`], what is told without being asked for again;
//! - `reply`: [`Reply`], all results as one type, for the server;
//! - `words`: the small vocabularies (states, reasons, outcomes), open to later additions;
//! - `error`: [`RpcError`], the codes and their exit statuses.

mod call;
mod error;
mod events;
mod params;
mod relay;
mod reply;
mod views;
mod words;

pub use call::Call;
pub use error::{ErrorCode, ErrorData, RpcError};
pub use events::{Event, News};
pub use params::{
    Add, Forget, History, Instructions, List, Login, Logout, OneSession, Proof, Retry, Stop,
    Targets, Use,
};
pub use relay::{Begin, CHUNK, Chunk, GoOn, Relay, RelayView};
pub use reply::Reply;
pub use views::{
    ContactView, DrainView, HelloView, HistoryItem, HistoryView, InstanceView, InstructionsView,
    KeyringView, ListView, LogoutItem, LogoutView, RefusedView, ReloadView, RetryView,
    RevocationView, SessionCounts, SessionRef, SessionView, StatusView, StopView, SubscribedView,
    TakenView, Time, TokenView,
};
pub use words::{KeyringState, Outcome, Reason, SessionState};
