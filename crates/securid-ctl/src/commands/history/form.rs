//! The forms in which the history is printed, each page by page: a table, JSON, CSV.

use std::io;

use jiff::Timestamp;
use securid_ipc::messages::{HistoryItem, Outcome};

use super::rest::Rest;
use crate::{
    screen::{Screen, Tone, printable},
    table::Table,
    times::relative,
};

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Table,
    Json,
    Csv,
}

/// Prints sessions in a form.
#[derive(Debug)]
pub(super) struct Printer<'a> {
    form: Form,
    unconfirmed: bool,
    screen: &'a Screen,
    table: Table,
    has_begun: bool,
    sessions: usize,
}

/// The columns of CSV, which are the fields of JSON. Others may come at the end.
const COLUMNS: [&str; 13] = [
    "id",
    "generation",
    "instance",
    "url",
    "username",
    "keyring",
    "created_at",
    "requested_at",
    "ended_at",
    "reason",
    "outcome",
    "attempts",
    "evidence",
];

/// A cell that begins like this is a formula to a spreadsheet, which could fetch and run things. The last four are
/// what East Asian keyboards write for them, and some spreadsheets take for the same.
const FORMULA: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

impl<'a> Printer<'a> {
    pub(super) fn new(form: Form, unconfirmed: bool, screen: &'a Screen) -> Self {
        let table = Table::new([
            "ID", "INSTANCE", "USERNAME", "ENDED", "REASON", "OUTCOME", "TRIES", "EVIDENCE",
        ]);
        Self { form, unconfirmed, screen, table, has_begun: false, sessions: 0 }
    }

    /// How many were printed.
    pub(super) fn sessions(&self) -> usize {
        self.sessions
    }

    pub(super) fn page(&mut self, sessions: &[HistoryItem]) -> io::Result<()> {
        let text = match self.form {
            Form::Table => self.rows(sessions),
            Form::Json => self.json(sessions)?,
            Form::Csv => self.csv(sessions),
        };
        self.has_begun = true;
        self.sessions += sessions.len();
        self.screen.text(&text)
    }

    pub(super) fn end(&self, rest: &Rest) -> io::Result<()> {
        match self.form {
            Form::Table if self.sessions == 0 && self.unconfirmed => {
                self.screen.text("nothing has ended without the server's word\n")
            }
            Form::Table if self.sessions == 0 => self.screen.text("no ended sessions\n"),
            Form::Table | Form::Csv => Ok(()),
            Form::Json => {
                let rest = serde_json::to_string(rest)?;
                self.screen.text(&format!("],{}\n", rest.trim_start_matches('{')))
            }
        }
    }

    /// Something went wrong in the middle: nobody is to take what was printed for the whole. JSON is without its end
    /// then, and CSV gets a cell that has none.
    pub(super) fn break_off(&self) {
        let words = match self.form {
            Form::Table => "THIS LIST IS NOT WHOLE\n",
            Form::Csv => "\"THIS LIST IS NOT WHOLE",
            Form::Json => "",
        };
        if self.has_begun {
            // Nobody may read it any more; the exit status tells as well.
            let _ = self.screen.text(words);
        }
    }

    fn rows(&mut self, sessions: &[HistoryItem]) -> String {
        if sessions.is_empty() {
            return String::new();
        }
        let now = Timestamp::now();
        for session in sessions {
            let tone = match session.outcome {
                Outcome::Revoked | Outcome::AlreadyInvalid => Tone::Good,
                Outcome::Forgotten => Tone::Bad,
                Outcome::Other(_) => Tone::Plain,
            };
            self.table.row([
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
        self.table.render(self.screen)
    }

    fn json(&self, sessions: &[HistoryItem]) -> io::Result<String> {
        let mut text = if self.has_begun { String::new() } else { "{\"sessions\":[".to_owned() };
        for (number, session) in sessions.iter().enumerate() {
            if self.sessions + number > 0 {
                text.push(',');
            }
            text.push_str(&serde_json::to_string(session)?);
        }
        Ok(text)
    }

    fn csv(&self, sessions: &[HistoryItem]) -> String {
        let mut text = if self.has_begun { String::new() } else { csv_line(COLUMNS) };
        for session in sessions {
            text.push_str(&csv_line([
                &session.id,
                &session.generation.map_or_else(String::new, |generation| generation.to_string()),
                &session.instance,
                &session.url,
                session.username.as_deref().unwrap_or(""),
                session.keyring.as_deref().unwrap_or(""),
                &session.created_at,
                session.requested_at.as_deref().unwrap_or(""),
                &session.ended_at,
                session.reason.as_ref().map_or("", |reason| reason.as_str()),
                session.outcome.as_str(),
                &session.attempts.to_string(),
                session.evidence.as_deref().unwrap_or(""),
            ]));
        }
        text
    }
}

/// A line of RFC 4180. A text that a spreadsheet would take for a formula gets an apostrophe in front; so does what
/// follows a semicolon, which begins another cell where numbers are written with a comma.
fn csv_line<const N: usize>(cells: [&str; N]) -> String {
    let cells = cells.map(|cell| {
        let parts = cell.split(';').map(|part| {
            let guard = if part.trim_start().starts_with(FORMULA) { "'" } else { "" };
            format!("{guard}{part}")
        });
        let guarded = parts.collect::<Vec<_>>().join(";");
        format!("\"{}\"", printable(&guarded).replace('"', "\"\""))
    });
    cells.join(",") + "\r\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_nobody_runs_them() {
        let cells =
            ["", "a,b", "say \"x\"", "=1+1", "-1", "@a", "＝1", "a\r\n\tb", "\t=1", "a; =1;b"];
        assert_eq!(
            csv_line(cells),
            "\"\",\"a,b\",\"say \"\"x\"\"\",\"'=1+1\",\"'-1\",\"'@a\",\"'＝1\",\"a\u{fffd}\u{fffd}\u{fffd}b\",\
             \"'\u{fffd}=1\",\"a;' =1;b\"\r\n"
        );
    }
}
