//! `list`: every session that is not ended. Never counts as use.

use jiff::Timestamp;
use securid_ipc::{
    client::{Client, ClientError},
    messages::{Call, List, ListView, SessionState, SessionView},
};

use crate::{
    Context,
    daemon::ANSWER_WITHIN,
    failure::Failure,
    screen::{Screen, Tone},
    table::Table,
    times::{Relative, relative},
};

/// Show the sessions
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

impl Args {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failure> {
        let mut client = Client::connect(&context.paths.sockets)?;
        if context.screen.json {
            let all = ListView { sessions: all(&mut client)?, cursor: None };
            context.screen.json(&all)?;
            return Ok(0);
        }
        let mut listing = Listing::new(Timestamp::now());
        // Of thousands only what is shown is kept.
        each_page(&mut client, |page| page.iter().for_each(|session| listing.row(session)))?;
        context.screen.text(&listing.render(&context.screen))?;
        Ok(0)
    }
}

/// Every session.
pub(crate) fn all(client: &mut Client) -> Result<Vec<SessionView>, ClientError> {
    let mut sessions = Vec::new();
    each_page(client, |page| sessions.extend(page))?;
    Ok(sessions)
}

fn each_page(
    client: &mut Client,
    mut take: impl FnMut(Vec<SessionView>),
) -> Result<(), ClientError> {
    let mut cursor = None;
    loop {
        let call = Call::List(List { limit: None, cursor: cursor.take() });
        let page: ListView = client.call(&call, ANSWER_WITHIN)?;
        let empty = page.sessions.is_empty();
        take(page.sessions);
        match page.cursor {
            // An empty page that promises more would go on for ever.
            Some(next) if !empty => cursor = Some(next),
            _ => return Ok(()),
        }
    }
}

/// The table of sessions.
struct Listing {
    table: Table,
    is_empty: bool,
    now: Timestamp,
    times: Relative,
}

impl Listing {
    fn new(now: Timestamp) -> Self {
        let headings = ["ID", "INSTANCE", "USERNAME", "STATE", "USED", "IDLE END", "END", "NOTE"];
        Self { table: Table::new(headings), is_empty: true, now, times: Relative::to(now) }
    }

    fn row(&mut self, session: &SessionView) {
        self.is_empty = false;
        let is_active = session.state == SessionState::Active;
        let mut limit = |at: Option<&str>| match at {
            _ if !is_active => "-".to_owned(),
            Some(at) => self.times.say(at),
            None => "never".to_owned(),
        };
        let idle_end = match session.holds {
            0 => limit(session.idle_deadline.as_deref()),
            _ => "held".to_owned(),
        };
        let end = limit(session.expires_at.as_deref());
        self.table.row([
            (&session.id, Tone::Plain),
            (&session.instance, Tone::Plain),
            (session.username.as_deref().unwrap_or("-"), Tone::Plain),
            (session.state.as_str(), (&session.state).into()),
            (&self.times.say(&session.last_used_at), Tone::Plain),
            (&idle_end, Tone::Plain),
            (&end, Tone::Plain),
            (&note(session, self.now), Tone::Plain),
        ]);
    }

    fn render(mut self, screen: &Screen) -> String {
        if self.is_empty { "no sessions\n".to_owned() } else { self.table.render(screen) }
    }
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
        match revocation.attempts {
            1 => progress.push_str(", tried once"),
            n => progress.push_str(&format!(", tried {n} times")),
        }
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
