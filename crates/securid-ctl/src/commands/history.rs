//! `history`: how sessions ended, newest first; and what nobody can vouch for.

mod form;
mod rest;

use jiff::Timestamp;
use securid_ipc::{
    client::Client,
    messages::{Call, History, HistoryView, SessionState, SessionView, StatusView},
};
use securid_text::mention;

use crate::{
    Context,
    commands::list,
    daemon::ANSWER_WITHIN,
    ending::PENDING,
    failure::{FAILED, Failure},
    times::parse_time,
};
use form::{Form, Printer};
use rest::Rest;

/// The exit status where the config has no such instance.
const NO_SUCH_INSTANCE: u8 = 78;

/// Below the options, and in the manual page.
const EXAMPLES: &str = "\
Examples:
  securid-ctl history --since 7d
      shows what ended in the last seven days
  securid-ctl history --since 2026-01-01 --until 2027-01-01 --csv
      writes a year down, for a spreadsheet
  securid-ctl history --unconfirmed
      shows what no server has confirmed; exits with 0 if that is nothing";

/// Show how sessions ended, newest first
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// Only those that ended then or later: 2026-11-22T12:00:00+01:00, 2026-11-22 (when it begins in UTC), or 7d for
    /// "ago"
    #[arg(long, value_name = "T", value_parser = parse_time)]
    since: Option<Timestamp>,
    /// Only those that ended before
    #[arg(long, value_name = "T", value_parser = parse_time)]
    until: Option<Timestamp>,
    /// Only those of this instance
    #[arg(long, value_name = "INSTANCE")]
    instance: Option<String>,
    /// Only those that ended without the server's word. Exits 1 if there are any, if a session is lost or the history
    /// has gaps; else 75 if something is not confirmed yet; else 0
    #[arg(long)]
    unconfirmed: bool,
    /// Print CSV, with a line of headings
    #[arg(long)]
    csv: bool,
}

impl Args {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failure> {
        let form = match (context.screen.json, self.csv) {
            (true, true) => return Err(Failure::usage("--json and --csv are two forms: name one")),
            (true, false) => Form::Json,
            (false, true) => Form::Csv,
            (false, false) => Form::Table,
        };
        if let (Some(since), Some(until)) = (self.since, self.until)
            && until <= since
        {
            let failure =
                Failure::usage(format!("--until ({until}) is not after --since ({since})"));
            return Err(
                failure.with_hint("Shown is what ended at --since or later, and before --until.")
            );
        }
        let mut client = Client::connect(&context.paths.sockets)?;
        // Before the history, so that what ends meanwhile is in the one or the other.
        let open = if self.unconfirmed { Some(self.open(&mut client)?) } else { None };
        if let Some(name) = &self.instance {
            knows(&mut client, name, open.as_deref().unwrap_or_default())?;
        }
        let mut printer = Printer::new(form, self.unconfirmed, &context.screen);
        match self.print(&mut client, &mut printer, open) {
            Ok(rest) => {
                rest.warnings(self.since).iter().for_each(|warning| context.screen.warn(warning));
                Ok(if self.unconfirmed { self.exit(&rest, printer.sessions()) } else { 0 })
            }
            Err(failure) => {
                printer.break_off();
                Err(failure)
            }
        }
    }

    /// What has not ended, and should have by the end of the time that is asked for, or can be revoked by nobody.
    fn open(&self, client: &mut Client) -> Result<Vec<SessionView>, Failure> {
        let mut open = list::all(client)?;
        open.retain(|session| {
            let since = session.revocation.as_ref().map_or(&session.created_at, |r| &r.since);
            let later = |until| since.parse::<Timestamp>().is_ok_and(|since| since >= until);
            matches!(session.state, SessionState::Revoking | SessionState::Lost)
                && self.instance.as_ref().is_none_or(|name| session.instance == *name)
                && !self.until.is_some_and(later)
        });
        Ok(open)
    }

    /// Prints the sessions page by page, so that a long history needs little memory.
    fn print(
        &self,
        client: &mut Client,
        printer: &mut Printer<'_>,
        open: Option<Vec<SessionView>>,
    ) -> Result<Rest, Failure> {
        let mut rest = Rest { open, ..Rest::default() };
        let mut wanted = History {
            limit: None,
            cursor: None,
            since: self.since.map(|time| time.to_string()),
            until: self.until.map(|time| time.to_string()),
            instance: self.instance.clone(),
            unconfirmed: self.unconfirmed,
        };
        loop {
            let page: HistoryView = client.call(&Call::History(wanted.clone()), ANSWER_WITHIN)?;
            printer.page(&page.sessions)?;
            rest.damaged += page.damaged;
            match page.cursor {
                None => {
                    (rest.set_aside, rest.kept_since) = (page.set_aside, page.kept_since);
                    printer.end(&rest)?;
                    return Ok(rest);
                }
                // It would go on for ever.
                next if next == wanted.cursor => {
                    let message = "the daemon gives the same page of the history again";
                    return Err(Failure::new("garbled", message, FAILED));
                }
                next => wanted.cursor = next,
            }
        }
    }

    /// As for several targets: what has failed is worse than what is not confirmed yet.
    fn exit(&self, rest: &Rest, ended: usize) -> u8 {
        match () {
            () if ended > 0 || rest.has_gaps(self.since) || rest.lost() > 0 => FAILED,
            () if rest.pending() > 0 => PENDING,
            () => 0,
        }
    }
}

/// That nothing is found of an instance says nothing if its name is misspelt. One that the config has no more may be
/// in the history all the same.
fn knows(client: &mut Client, name: &str, open: &[SessionView]) -> Result<(), Failure> {
    let status: StatusView = client.call(&Call::Status, ANSWER_WITHIN)?;
    if status.instances.iter().any(|instance| instance.name == name)
        || open.iter().any(|session| session.instance == name)
    {
        return Ok(());
    }
    let instance = Some(name.to_owned());
    let mut wanted = History { limit: Some(1), instance, ..History::default() };
    loop {
        let page: HistoryView = client.call(&Call::History(wanted.clone()), ANSWER_WITHIN)?;
        if !page.sessions.is_empty() {
            return Ok(());
        }
        if page.cursor.is_none() || page.cursor == wanted.cursor {
            let message = format!("no instance {} is in the config or the history", mention(name));
            let failure = Failure::new("no-such-instance", message, NO_SUCH_INSTANCE);
            return Err(failure.with_hint("securid-ctl status shows the instances of the config."));
        }
        wanted.cursor = page.cursor;
    }
}
