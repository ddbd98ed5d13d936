//! `logout`: revoke sessions, and wait for the server's word.
//!
//! - `last_session`: whether a shell that ends is the last one
//! - `all_users`: everybody's, by root

mod all_users;
mod last_session;

use std::time::Duration;

use securid_ipc::{
    client::{Client, ConnectError},
    duration::parse_duration,
    messages::{Call, Logout, LogoutItem, LogoutView, Outcome, SessionState, Targets},
};
use serde::Serialize;

use crate::{
    Context,
    daemon::{ANSWER_WITHIN, is_nobody},
    failure::{FAILED, Failure, USAGE, advice},
    interrupt::Interrupt,
    progress::{Meant, shown},
    records,
    screen::{Screen, Tone},
    table::Table,
    words::{ALL_USERS, AT_LOG_OFF, IF_LAST_SESSION},
};

/// How long to wait for confirmation unless told.
const WAIT: Duration = Duration::from_secs(10);

/// How much longer than its wait the daemon may take to say so.
const SLACK: Duration = Duration::from_secs(3);

/// The exit statuses of a missing session and a pending revocation.
const NO_SESSION: u8 = 66;
const PENDING: u8 = 75;

/// Below the options, and in the manual page.
fn examples() -> String {
    format!(
        "\
Examples:
  securid-ctl logout
      revokes every session, and waits up to 10 s for the servers' word
  securid-ctl logout prod ann@test --timeout 1m
      revokes those of prod, and ann's at test
  securid-ctl logout --if-last-session
      belongs into {AT_LOG_OFF}"
    )
}

/// Revoke sessions: those named, or every one
#[derive(Debug, clap::Args)]
#[command(after_long_help = examples())]
pub(crate) struct Args {
    /// Which sessions; an instance means all of its own
    #[arg(value_name = "SELECTOR")]
    selectors: Vec<String>,
    /// How long to wait for confirmation (10s unless told)
    #[arg(long, value_name = "D", value_parser = parse_duration, conflicts_with = "no_wait")]
    timeout: Option<Duration>,
    /// Do not wait: the daemon goes on alone (exit status 75 unless all had ended before)
    #[arg(long)]
    no_wait: bool,
    // What the last login is, each system says, and who may end everybody's sessions.
    #[arg(long, help = IF_LAST_SESSION)]
    if_last_session: bool,
    #[arg(long, conflicts_with_all = ["selectors", "no_wait", "if_last_session"], help = ALL_USERS)]
    all_users: bool,
}

/// As `--json` shows a logout that was not to be.
#[derive(Serialize)]
struct NotTheLast<'a> {
    sessions: [(); 0],
    /// Why nothing was ended.
    not_the_last: &'a str,
}

impl Args {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failure> {
        let interrupt = Interrupt::arm()?;
        if self.all_users {
            return all_users::run(context, self.timeout.unwrap_or(WAIT));
        }
        if self.if_last_session && !is_last(context)? {
            return Ok(0);
        }
        let named = !self.selectors.is_empty();
        // Nobody reads the warning at a log-off, and looking for others would have every home mounted.
        if !named && !self.if_last_session {
            all_users::warn_of_others(context);
        }
        let mut client = match Client::connect(&context.paths.sockets) {
            Ok(client) => client,
            Err(error) if is_nobody(&error) => return without_daemon(context, error),
            Err(error) => return Err(error.into()),
        };
        let wait = (!self.no_wait).then(|| self.timeout.unwrap_or(WAIT));
        let within = wait.map_or(ANSWER_WITHIN, |wait| wait + SLACK);
        let targets = if named { Targets::Selected(self.selectors) } else { Targets::All };
        let meant = if named { Meant::Some } else { Meant::All };
        let done: LogoutView = shown(context, &interrupt, meant, 0, || {
            client.call(&Call::Logout(Logout { targets, wait }), within)
        })??;

        context.screen.show(&done, |done| match done.sessions.is_empty() && named {
            // What there is to say is said below.
            true => String::new(),
            false => table(done, &context.screen),
        })?;
        for refused in &done.refused {
            let advice = advice(&refused.error).unwrap_or_default();
            context.screen.warn(format!("{}. {advice}", refused.error.message).trim_end());
        }
        for item in &done.sessions {
            warn_about(item, &context.screen);
        }
        let sessions = done.sessions.iter().map(|item| status_of(item, named));
        let refused = done.refused.iter().map(|refused| refused.error.exit_code());
        Ok(worst(sessions.chain(refused)))
    }
}

/// Whether the last login ends with the shell that runs us; if not, says why nothing is ended.
fn is_last(context: &Context) -> Result<bool, Failure> {
    let (why, text) = match last_session::look() {
        Ok(None) => return Ok(true),
        Ok(Some(why)) => (why.to_owned(), format!("{why}: nothing is logged out\n")),
        Err(why) => {
            context.screen.warn(&format!(
                "whether this is the last login cannot be told, so nothing is logged out: {why}"
            ));
            (why, String::new())
        }
    };
    let shown = NotTheLast { sessions: [], not_the_last: &why };
    context.screen.show(&shown, |_| text)?;
    Ok(false)
}

/// Without records there is nothing to revoke; with them, only a daemon can.
fn without_daemon(context: &Context, error: ConnectError) -> Result<u8, Failure> {
    for folder in &context.paths.state_dirs {
        let shown = folder.display();
        match records::count(folder) {
            Ok(0) => {}
            Ok(number) => {
                let message = format!("{error}, and sessions are recorded in {shown}: {number}");
                let failure = Failure::new(error.name(), message, error.exit_code());
                let hint = match *folder == context.paths.state_dir {
                    true => "securid-ctl start brings one up: it revokes or resumes them.",
                    false => {
                        "Have root start securid-sessiond@UID.socket: it revokes or resumes them."
                    }
                };
                return Err(failure.with_hint(hint));
            }
            Err(unknown) => {
                return Err(Failure::from(error).with_hint(format!(
                    "Whether sessions are recorded in {shown} is unknown: {unknown}."
                )));
            }
        }
    }
    context.screen.show(&LogoutView::default(), |_| "nothing to do\n".to_owned())?;
    Ok(0)
}

fn table(done: &LogoutView, screen: &Screen) -> String {
    if done.sessions.is_empty() {
        return "nothing to do\n".to_owned();
    }
    let mut table = Table::new(["ID", "INSTANCE", "STATE", "OUTCOME", "LAST ERROR"]);
    for item in &done.sessions {
        table.row([
            (&item.id, Tone::Plain),
            (&item.instance, Tone::Plain),
            (item.state.as_str(), (&item.state).into()),
            (item.outcome.as_ref().map_or("-", Outcome::as_str), Tone::Plain),
            (why(item), Tone::Plain),
        ]);
    }
    let mut text = table.render(screen);
    if done.unlisted > 0 {
        text.push_str(&format!("and {} more, none of them worse\n", done.unlisted));
    }
    text
}

/// Why it is not dead: what the last attempt met with, once there was one to its end.
fn why(item: &LogoutItem) -> &str {
    let begun = if item.state == SessionState::Revoking { "no answer yet" } else { "" };
    item.last_error.as_deref().unwrap_or(begun)
}

fn warn_about(item: &LogoutItem, screen: &Screen) {
    if item.state == SessionState::Lost {
        screen.warn(&format!(
            "the token of session {} is lost and could not be revoked; \
             securid-ctl forget {} --yes gives it up",
            item.id, item.id
        ));
    }
    if !item.durable {
        screen.warn(&format!(
            "session {}: the logout is not on disk yet; do not end the daemon before it is done",
            item.id
        ));
    }
}

/// A lost session counts only where it was named: `logout` of everything must not fail for ever
/// on what nobody can revoke.
fn status_of(item: &LogoutItem, named: bool) -> u8 {
    match item.state {
        SessionState::Ended => 0,
        SessionState::Lost if named => FAILED,
        SessionState::Lost => 0,
        _ => PENDING,
    }
}

/// The worst of several exit statuses: what failed, what was not understood, what was not there,
/// what is not confirmed yet.
fn worst(statuses: impl Iterator<Item = u8>) -> u8 {
    const ORDER: [u8; 5] = [FAILED, USAGE, NO_SESSION, PENDING, 0];
    let rank = |status: u8| ORDER.iter().position(|known| *known == status).unwrap_or(0);
    statuses.min_by_key(|status| rank(*status)).unwrap_or(0)
}
