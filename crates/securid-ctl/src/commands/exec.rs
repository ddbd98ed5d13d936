//! `exec`: run a program with a session's token in its environment.
//!
//! - `hold`: the session is in use until the program ends, over restarts of the daemon too;
//! - `tied`: a session for the program alone;
//! - `signals`: what is sent to us goes to the program.

mod hold;
mod signals;
mod tied;

use std::{ffi::OsString, io, path::Path, process, process::Command, time::Duration};

use securid_ipc::{
    client::Client,
    duration::parse_duration,
    messages::{Call, TokenView, Use},
};

use crate::{
    Context,
    credentials::Credentials,
    daemon::{ANSWER_WITHIN, selector},
    failure::Failure,
    interrupt::INTERRUPTED,
    words::{self, SCRIPT},
};
use tied::Begun;

/// `exec` itself failed; the program cannot be run; there is no such program. As `env` and
/// `timeout` do it, so that the program's own statuses can be told from ours.
const EXEC_FAILED: u8 = 125;
const CANNOT_RUN: u8 = 126;
const NOT_FOUND: u8 = 127;

/// Below the options, and in the manual page.
fn examples() -> String {
    format!(
        "\
Examples:
  securid-ctl exec prod -- {SCRIPT}
      runs it with prod's token in SECURID_TOKEN
  securid-ctl exec --login prod --password-file secret -- {SCRIPT}
      runs it with a session of its own, which ends with it"
    )
}

/// Run a program with a session's token in its environment
///
/// It gets SECURID_TOKEN, SECURID_URL, SECURID_SESSION, SECURID_INSTANCE and, if the session has an
/// end, SECURID_EXPIRES_AT. The session is in use until the program ends, whose exit status is
/// passed on. With --login it is one of its own, revoked when the program ends: 75 if that is not
/// confirmed then, and the program's own status was 0.
#[derive(Debug, clap::Args)]
#[command(after_long_help = examples())]
pub(crate) struct Args {
    /// Which session [else $SECURID_SESSION]; with --login, at which instance
    selector: Option<String>,
    /// Log in for this program alone
    #[arg(long)]
    login: bool,
    #[command(flatten)]
    credentials: Option<Credentials>,
    /// With --login, how long to wait for confirmation in the end (10s unless told)
    #[arg(long, value_name = "D", value_parser = parse_duration, requires = "login")]
    timeout: Option<Duration>,
    /// The program and its arguments
    #[arg(last = true, required = true, value_name = "CMD")]
    command: Vec<OsString>,
}

impl Args {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failure> {
        if !self.login {
            if self.credentials.is_some() {
                let failure = Failure::usage("who logs in is said, and --login is not");
                return Err(
                    failure.with_hint("Say exec --login, or leave that to securid-ctl login.")
                );
            }
            let begun = held(context, self.selector).map_err(not_begun)?;
            return run(context, begun, self.command).map(pass_on);
        }
        let begun = tied::begin(context, self.selector, self.credentials.unwrap_or_default())
            .map_err(not_begun)?;
        let session = begun.session.clone();
        let ran = run(context, begun, self.command);
        tied::end(context, &session, self.timeout, ran).map(pass_on)
    }
}

/// One that there is, held.
fn held(context: &Context, wanted: Option<String>) -> Result<Begun, Failure> {
    let client = Client::connect(&context.paths.sockets)?;
    let (held, client) = hold::hold(client, selector(wanted))?;
    Ok(Begun { client, session: held.session, interrupt: None })
}

/// Runs the program with a session that is held.
fn run(context: &Context, begun: Begun, words: Vec<OsString>) -> Result<i32, Failure> {
    lend_and_run(context, begun, words).map_err(|ended| match ended {
        Ended::Before(failure) => not_begun(failure),
        Ended::Itself(failure) => failure,
    })
}

fn lend_and_run(context: &Context, begun: Begun, words: Vec<OsString>) -> Result<i32, Ended> {
    let Begun { mut client, session, interrupt } = begun;
    let in_use = Use { session: Some(session.clone()), in_use_for: None };
    let lent: TokenView = client.call(&Call::Token(in_use), ANSWER_WITHIN)?;
    hold::keep(client, context.paths.sockets.clone(), session);

    let signals = signals::Forwarder::catch()?;
    if let Some(interrupt) = interrupt {
        interrupt.disarm();
    }
    let mut words = words.into_iter();
    let program = words.next().unwrap_or_default();
    let mut command = Command::new(&program);
    command
        .args(words)
        .env("SECURID_TOKEN", lent.token.expose())
        .env("SECURID_URL", &lent.url)
        .env("SECURID_SESSION", &lent.session)
        .env("SECURID_INSTANCE", &lent.instance);
    match &lent.expires_at {
        Some(end) => command.env("SECURID_EXPIRES_AT", end),
        None => command.env_remove("SECURID_EXPIRES_AT"),
    };
    let child = command.spawn().map_err(|error| cannot_run(&program, &error))?;
    // Two copies of the token fewer while the program runs.
    drop((command, lent));
    Ok(signals::status(signals.wait(child)?))
}

/// Whatever keeps it from beginning has one status, but for Ctrl-C at the password.
fn not_begun(failure: Failure) -> Failure {
    if failure.exit() == INTERRUPTED { failure } else { failure.exiting(EXEC_FAILED) }
}

/// Why there is no status of the program.
enum Ended {
    /// We came not so far.
    Before(Failure),
    /// It could not be run: the failure has its own exit status.
    Itself(Failure),
}

impl<E: Into<Failure>> From<E> for Ended {
    fn from(error: E) -> Self {
        Self::Before(error.into())
    }
}

fn cannot_run(program: &OsString, error: &io::Error) -> Ended {
    let exit = if error.kind() == io::ErrorKind::NotFound { NOT_FOUND } else { CANNOT_RUN };
    let message = format!("cannot run {}: {error}", program.display());
    let failure = Failure::new("exec", message, exit);
    let advice = words::NOT_FOUND.filter(|_| exit == NOT_FOUND && !has_ending(program));
    Ended::Itself(match advice {
        Some(advice) => failure.with_hint(advice),
        None => failure,
    })
}

fn has_ending(program: &OsString) -> bool {
    Path::new(program).extension().is_some()
}

/// Windows' statuses have 32 bits, of which none may be lost: with such a one all ends here.
fn pass_on(status: i32) -> u8 {
    u8::try_from(status).unwrap_or_else(|_| process::exit(status))
}
