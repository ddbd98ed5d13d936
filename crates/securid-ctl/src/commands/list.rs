//! `list`: every session that is not ended. Never counts as use.

use jiff::Timestamp;
use securid_ipc::{
    client::{Client, ClientError},
    messages::{Call, List, ListView, SessionState, SessionView, Time},
};

use crate::{
    Context,
    daemon::ANSWER_WITHIN,
    failure::Failure,
    screen::{Screen, Tone},
    table::Table,
    times::{relative, relative_or},
};

/// Show the sessions
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

impl Args {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failure> {
        let mut client = Client::connect(&context.paths.sockets)?;
        let all = ListView { sessions: all(&mut client)?, cursor: None };
        context.screen.show(&all, |all| table(&all.sessions, &context.screen))?;
        Ok(0)
    }
}

/// Every session, page by page.
pub(crate) fn all(client: &mut Client) -> Result<Vec<SessionView>, ClientError> {
    let mut sessions = Vec::new();
    let mut cursor = None;
    loop {
        let call = Call::List(List { limit: None, cursor: cursor.take() });
        let page: ListView = client.call(&call, ANSWER_WITHIN)?;
        let empty = page.sessions.is_empty();
        sessions.extend(page.sessions);
        match page.cursor {
            // An empty page that promises more would go on for ever.
            Some(next) if !empty => cursor = Some(next),
            _ => return Ok(sessions),
        }
    }
}

fn table(sessions: &[SessionView], screen: &Screen) -> String {
    if sessions.is_empty() {
        return "no sessions\n".to_owned();
    }
    let now = Timestamp::now();
    let mut table =
        Table::new(["ID", "INSTANCE", "USERNAME", "STATE", "USED", "IDLE END", "END", "NOTE"]);
    for session in sessions {
        let is_active = session.state == SessionState::Active;
        let limit = |at: &Option<Time>| match is_active {
            true => relative_or(at.as_deref(), "never", now),
            false => "-".to_owned(),
        };
        let idle_end = match session.holds {
            0 => limit(&session.idle_deadline),
            _ => "held".to_owned(),
        };
        table.row([
            (&session.id, Tone::Plain),
            (&session.instance, Tone::Plain),
            (session.username.as_deref().unwrap_or("-"), Tone::Plain),
            (session.state.as_str(), (&session.state).into()),
            (&relative(&session.last_used_at, now), Tone::Plain),
            (&idle_end, Tone::Plain),
            (&limit(&session.expires_at), Tone::Plain),
            (&note(session, now), Tone::Plain),
        ]);
    }
    table.render(screen)
}

fn note(session: &SessionView, now: Timestamp) -> String {
    let mut note = progress(session, now);
    // It is a sentence, or two, and comes last.
    if let Some(error) = last_error(session) {
        note.push_str(&format!(": {error}"));
    }
    note
}

/// How far a revocation came that is under way, or why there can be none.
pub(super) fn progress(session: &SessionView, now: Timestamp) -> String {
    if session.state == SessionState::Lost {
        return format!("its token is gone; securid-ctl forget {} --yes gives it up", session.id);
    }
    let Some(revocation) = &session.revocation else { return String::new() };
    let mut progress = format!("{} {}", revocation.reason, relative(&revocation.since, now));
    if !revocation.durable {
        progress.push_str(", NOT ON DISK");
    }
    if revocation.last_error.is_some() {
        progress.push_str(&format!(", tried {} times", revocation.attempts));
    }
    if let Some(next) = &revocation.next_attempt_at {
        progress.push_str(&format!(", next try {}", relative(next, now)));
    }
    progress
}

/// What the last attempt of a revocation met that is under way.
pub(super) fn last_error(session: &SessionView) -> Option<&str> {
    let revocation = session.revocation.as_ref().filter(|_| session.state != SessionState::Lost);
    revocation?.last_error.as_deref()
}
