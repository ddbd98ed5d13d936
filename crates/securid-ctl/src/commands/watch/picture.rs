//! What there is to see, as lines of a page.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use securid_ipc::messages::{HistoryItem, News, SessionState, SessionView};

use crate::{
    commands::list,
    page::Size,
    screen::{Screen, Tone, printable},
    table::Table,
    times::countdown,
};

/// How long an ended session stays: long enough to be read by somebody who looks up.
const ENDED_STAYS: Duration = Duration::from_secs(10);

/// How many ended ones are kept for that: more than a page has lines.
const MOST_ENDED: usize = 200;

/// All that was told.
#[derive(Debug, Default)]
pub(super) struct Picture {
    sessions: BTreeMap<String, SessionView>,
    /// The latest ends, each with when it was told.
    ended: Vec<(Instant, HistoryItem)>,
    /// Whether the daemon has told all that there is.
    ready: bool,
    /// Since when there is no daemon.
    alone_since: Option<Instant>,
}

impl Picture {
    pub(super) fn news(&mut self, news: News, now: Instant) {
        self.alone_since = None;
        match news {
            News::Session { session } => {
                self.sessions.insert(session.id.clone(), *session);
            }
            News::Ended { session } => {
                self.sessions.remove(&session.id);
                if self.ended.len() == MOST_ENDED {
                    self.ended.remove(0);
                }
                self.ended.push((now, *session));
            }
            News::Ready => self.ready = true,
            // All that there are come anew.
            News::Missed { .. } => self.sessions.clear(),
            News::Other => {}
        }
    }

    /// The daemon has gone, and what it told may not be so any more.
    pub(super) fn gone(&mut self, now: Instant) {
        self.sessions.clear();
        self.ready = false;
        self.alone_since = Some(now);
    }

    /// Whether time alone changes what is seen.
    pub(super) fn counts(&self) -> bool {
        let counts =
            |session: &SessionView| session.revocation.is_some() || nearer_limit(session).is_some();
        self.alone_since.is_some() || !self.ended.is_empty() || self.sessions.values().any(counts)
    }

    /// As many lines as there is room for, the most urgent first.
    pub(super) fn lines(&mut self, screen: &Screen, size: Size, now: Instant) -> Vec<String> {
        self.ended.retain(|(told, _)| now.duration_since(*told) < ENDED_STAYS);
        let cut = |text: &str| text.chars().take(size.columns).collect::<String>();
        let mut lines = vec![screen.paint(cut(&self.headline(now)), Tone::Heading)];
        let rows = self.rows();
        if !rows.is_empty() {
            // The headings take one as well.
            let room = size.rows.saturating_sub(lines.len() + 1);
            let (shown, more) = fitting(&rows, room);
            lines.extend(with_errors(shown, screen, size.columns));
            lines.extend(more.map(|more| cut(&format!("and {more} more: see securid-ctl list"))));
        }
        lines.truncate(size.rows);
        lines
    }

    fn headline(&self, now: Instant) -> String {
        if let Some(since) = self.alone_since {
            let seconds = now.duration_since(since).as_secs();
            return format!("The daemon has gone; waiting for the next one ({seconds}s). q ends.");
        }
        let count = |state| self.sessions.values().filter(|session| session.state == state).count();
        let states = [SessionState::Active, SessionState::Revoking, SessionState::Lost];
        let counts = states.map(|state| (count(state.clone()), state));
        let there = counts.iter().filter(|(count, _)| *count > 0);
        let there: Vec<_> = there.map(|(count, state)| format!("{count} {state}")).collect();
        match (self.ready, there.is_empty()) {
            (false, true) => "Asking the daemon. q ends.".to_owned(),
            (true, true) => "No sessions. q ends.".to_owned(),
            _ => format!("Sessions: {}. q ends.", there.join(", ")),
        }
    }

    /// What is pending, what has just ended, what is lost, and the others.
    fn rows(&self) -> Vec<Row<'_>> {
        let (pending, others): (Vec<_>, Vec<_>) =
            self.sessions.values().partition(|session| session.state == SessionState::Revoking);
        let (lost, others): (Vec<_>, Vec<_>) =
            others.into_iter().partition(|session| session.state == SessionState::Lost);
        let pending = pending.into_iter().map(Row::Alive);
        let ended = self.ended.iter().rev().map(|(_, session)| Row::Ended(session));
        let others = lost.into_iter().chain(others).map(Row::Alive);
        pending.chain(ended).chain(others).collect()
    }
}

enum Row<'a> {
    Alive(&'a SessionView),
    Ended(&'a HistoryItem),
}

impl Row<'_> {
    /// What its last attempt met: a sentence or two, with a line of its own.
    fn error(&self) -> Option<&str> {
        match self {
            Self::Alive(session) => list::last_error(session),
            Self::Ended(_) => None,
        }
    }
}

/// As many rows as so many lines have room for; and how many more there are, which takes a line if there are any.
fn fitting<'a, 'b>(rows: &'b [Row<'a>], room: usize) -> (&'b [Row<'a>], Option<usize>) {
    let lines = |row: &Row<'_>| 1 + usize::from(row.error().is_some());
    if rows.iter().map(lines).sum::<usize>() <= room {
        return (rows, None);
    }
    let mut left = room.saturating_sub(1);
    let fits = |row: &&Row<'_>| {
        let fits = lines(row) <= left;
        left = left.saturating_sub(lines(row));
        fits
    };
    let shown = rows.iter().take_while(fits).count();
    (&rows[..shown], Some(rows.len() - shown))
}

fn with_errors(rows: &[Row<'_>], screen: &Screen, columns: usize) -> Vec<String> {
    let now = Timestamp::now();
    let mut table = Table::new(["ID", "INSTANCE", "USERNAME", "STATE", "ENDS IN", "HOLDS", "NOTE"]);
    for row in rows {
        match row {
            Row::Alive(session) => alive_row(&mut table, session, now),
            Row::Ended(session) => ended_row(&mut table, session),
        }
    }
    let mut lines = table.lines_within(screen, columns).into_iter();
    let mut all: Vec<String> = lines.next().into_iter().collect();
    for (line, row) in lines.zip(rows) {
        all.push(line);
        let error = row.error().map(|error| format!("  {}", printable(error)));
        all.extend(error.map(|error| error.chars().take(columns).collect()));
    }
    all
}

fn alive_row(table: &mut Table, session: &SessionView, now: Timestamp) {
    let limit = nearer_limit(session)
        .map_or_else(|| "-".to_owned(), |(at, which)| format!("{} {which}", countdown(at, now)));
    table.row([
        (&session.id, Tone::Plain),
        (&session.instance, Tone::Plain),
        (session.username.as_deref().unwrap_or("-"), Tone::Plain),
        (session.state.as_str(), (&session.state).into()),
        (&limit, Tone::Plain),
        (&session.holds.to_string(), Tone::Plain),
        (&list::progress(session, now), Tone::Plain),
    ]);
}

fn ended_row(table: &mut Table, session: &HistoryItem) {
    let reason = session.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
    table.row([
        (&session.id, Tone::Plain),
        (&session.instance, Tone::Plain),
        (session.username.as_deref().unwrap_or("-"), Tone::Plain),
        ("ended", Tone::Good),
        ("-", Tone::Plain),
        ("-", Tone::Plain),
        (&format!("{}{reason}", session.outcome), Tone::Plain),
    ]);
}

/// When an active session ends by itself, and by which limit.
fn nearer_limit(session: &SessionView) -> Option<(Timestamp, &'static str)> {
    if session.state != SessionState::Active {
        return None;
    }
    let idle = session.idle_deadline.as_deref().map(|at| (at, "idle"));
    let lifetime = session.expires_at.as_deref().map(|at| (at, "lifetime"));
    let limits = idle.into_iter().chain(lifetime);
    limits.filter_map(|(at, which)| Some((at.parse().ok()?, which))).min_by_key(|(at, _)| *at)
}

#[cfg(test)]
mod tests;
