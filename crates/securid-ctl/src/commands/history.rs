//! `history`: how sessions ended, newest first.

use jiff::Timestamp;
use securid_ipc::{
    client::Client,
    messages::{Call, History, HistoryItem, HistoryView, Outcome},
};

use crate::{
    Context,
    daemon::ANSWER_WITHIN,
    failure::Failure,
    screen::{Screen, Tone},
    table::Table,
    times::{parse_time, relative},
};

/// Show how sessions ended, newest first
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only those that ended then or later: 2026-11-22T12:00:00Z, 2026-11-22, or 7d for "ago"
    #[arg(long, value_name = "T", value_parser = parse_time)]
    since: Option<String>,
    /// Only those that ended before
    #[arg(long, value_name = "T", value_parser = parse_time)]
    until: Option<String>,
    /// Only those of this instance
    #[arg(long, value_name = "I")]
    instance: Option<String>,
}

impl Args {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failure> {
        let mut client = Client::connect(&context.paths.sockets)?;
        let mut all = HistoryView::default();
        let mut wanted = History {
            limit: None,
            cursor: None,
            since: self.since,
            until: self.until,
            instance: self.instance,
        };
        loop {
            let page: HistoryView = client.call(&Call::History(wanted.clone()), ANSWER_WITHIN)?;
            let empty = page.sessions.is_empty();
            all.sessions.extend(page.sessions);
            match page.cursor {
                // An empty page that promises more would go on for ever.
                Some(next) if !empty => wanted.cursor = Some(next),
                _ => break,
            }
        }
        context.screen.show(&all, |all| table(&all.sessions, &context.screen))?;
        Ok(0)
    }
}

fn table(sessions: &[HistoryItem], screen: &Screen) -> String {
    if sessions.is_empty() {
        return "no ended sessions\n".to_owned();
    }
    let now = Timestamp::now();
    let mut table = Table::new([
        "ID", "INSTANCE", "USERNAME", "ENDED", "REASON", "OUTCOME", "TRIES", "EVIDENCE",
    ]);
    for session in sessions {
        let tone = match session.outcome {
            Outcome::Revoked | Outcome::AlreadyInvalid => Tone::Good,
            Outcome::Forgotten => Tone::Bad,
            Outcome::Other(_) => Tone::Plain,
        };
        table.row([
            (&session.id, Tone::Plain),
            (&session.instance, Tone::Plain),
            (session.username.as_deref().unwrap_or("-"), Tone::Plain),
            (&relative(&session.ended_at, now), Tone::Plain),
            (session.reason.as_ref().map_or("-", |reason| reason.as_str()), Tone::Plain),
            (session.outcome.as_str(), tone),
            (&session.attempts.to_string(), Tone::Plain),
            (session.evidence.as_deref().unwrap_or(""), Tone::Plain),
        ]);
    }
    table.render(screen)
}
