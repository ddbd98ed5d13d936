//! A session for the program alone: made before it, and revoked after it. Should we die before that, the daemon
//! sees our connection close, and revokes it by itself.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use securid_ipc::{
    client::Client,
    messages::{Call, Logout, LogoutView, SessionState, TakenView, Targets},
};

use crate::{
    Context,
    credentials::{Credentials, lacking},
    daemon::ask_patiently,
    ending::PENDING,
    failure::Failure,
    interrupt::Interrupt,
};

/// How long to wait for the server's word unless told: as `logout` does.
const WAIT: Duration = Duration::from_secs(10);

/// How much longer than its wait the daemon may take to say how far it came.
const SLACK: Duration = Duration::from_secs(3);

/// How long to wait before a daemon that has gone is looked for again: a restart takes less than a second.
const PAUSE: Duration = Duration::from_millis(200);

/// A session that our connection holds.
pub(super) struct Begun {
    pub(super) client: Client,
    pub(super) session: String,
    /// Where it was logged in for: Ctrl-C is 130 until the program runs.
    pub(super) interrupt: Option<Interrupt>,
}

/// Logs in.
pub(super) fn begin(
    context: &Context,
    instance: Option<String>,
    credentials: Credentials,
) -> Result<Begun, Failure> {
    let interrupt = Interrupt::arm()?;
    let mut login = credentials.login(context, instance, &interrupt)?;
    login.tied = true;
    let mut client = Client::connect(&context.paths.sockets)?;
    let answer = ask_patiently(context, &mut client, &Call::Login(login));
    if let Some(failure) = lacking(&answer) {
        return Err(failure);
    }
    let taken: TakenView = answer?;
    if let Some(warning) = &taken.warning {
        context.screen.warn(warning);
    }
    Ok(Begun { client, session: taken.session.id, interrupt: Some(interrupt) })
}

/// The program has ended so. Revokes its session; what is not confirmed then is told, and is the exit status
/// where the program itself had nothing to complain of.
pub(super) fn end(
    context: &Context,
    session: &str,
    within: Option<Duration>,
    ran: Result<i32, Failure>,
) -> Result<i32, Failure> {
    let Err(pending) = revoke(context, session, within.unwrap_or(WAIT)) else { return ran };
    match ran {
        Ok(0) => Err(pending),
        ran => {
            let _ = pending.report(context.screen.json);
            ran
        }
    }
}

/// Has it revoked, by the next daemon if this one has just gone, and waits for the server's word.
fn revoke(context: &Context, session: &str, within: Duration) -> Result<(), Failure> {
    let until = Instant::now() + within;
    loop {
        let why = match ask(context, session, until) {
            Ok(None) => return Ok(()),
            Ok(Some(why)) => why,
            Err(_) if Instant::now() + PAUSE < until => {
                sleep(PAUSE);
                continue;
            }
            Err(failure) => failure.message().to_owned(),
        };
        let message = format!("session {session} is not confirmed dead yet: {why}");
        return Err(Failure::new("pending", message, PENDING)
            .with_hint("The daemon goes on by itself, the next one too: see securid-ctl status."));
    }
}

/// What it still hangs on, if it is not dead by then.
///
/// # Errors
/// If there is no answer.
fn ask(context: &Context, session: &str, until: Instant) -> Result<Option<String>, Failure> {
    let mut client = Client::connect(&context.paths.sockets)?;
    let wait = until.saturating_duration_since(Instant::now());
    let targets = Targets::Selected(vec![session.to_owned()]);
    let call = Call::Logout(Logout { targets, wait: Some(wait) });
    let done: LogoutView = client.call(&call, wait + SLACK)?;
    let why = match (done.sessions.first(), done.refused.first()) {
        (Some(item), _) if item.state == SessionState::Ended => return Ok(None),
        (Some(item), _) => item.last_error.clone(),
        (None, refused) => refused.map(|refused| refused.error.message.clone()),
    };
    Ok(Some(why.unwrap_or_else(|| "the server has not answered".to_owned())))
}
