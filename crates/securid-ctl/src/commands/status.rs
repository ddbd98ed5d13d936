//! `status`: whether all is well. Never counts as use.

use std::fmt::Write as _;

use jiff::Timestamp;
use securid_ipc::messages::{Call, InstanceView, KeyringState, StatusView};

use crate::{
    Context,
    daemon::{ANSWER_WITHIN, ask},
    failure::{FAILED, Failure},
    screen::{Screen, Tone, printable},
    times::{relative, since},
};

/// The exit status while a revocation is pending for longer than [`PENDING_TOO_LONG`].
const PENDING: u8 = 75;

/// So many seconds a revocation may be pending without being a matter for anybody: the first few
/// attempts fall in it.
const PENDING_TOO_LONG: u64 = 60;

/// Show whether the daemon, its keyring and its servers are well
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

impl Args {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failure> {
        let status: StatusView = ask(context, &Call::Status, ANSWER_WITHIN)?;
        context.screen.show(&status, |status| page(status, &context.screen))?;
        Ok(verdict(&status))
    }
}

fn verdict(status: &StatusView) -> u8 {
    if status.oldest_pending_seconds.is_some_and(|seconds| seconds > PENDING_TOO_LONG) {
        PENDING
    } else if status.keyring.state == KeyringState::Unavailable
        || status.sessions.lost > 0
        || !status.problems.is_empty()
    {
        FAILED
    } else {
        0
    }
}

fn page(status: &StatusView, screen: &Screen) -> String {
    let now = Timestamp::now();
    let mut text = format!("securid-sessiond {}, pid {}", printable(&status.version), status.pid);
    if let Some(up) = since(&status.started_at, now) {
        text.push_str(&format!(", up for {up}"));
    }
    let counts = status.sessions;
    // Writing to a String cannot fail.
    let _ = write!(text, "\nsessions  {} active", counts.active);
    for (number, what, tone) in [
        (counts.adding, "adding", Tone::Pending),
        (counts.revoking, "revoking", Tone::Pending),
        (counts.lost, "lost", Tone::Bad),
    ] {
        if number > 0 {
            text.push_str(&format!(", {}", screen.paint(format!("{number} {what}"), tone)));
        }
    }
    if let Some(seconds) = status.oldest_pending_seconds {
        let tone = if seconds > PENDING_TOO_LONG { Tone::Bad } else { Tone::Pending };
        let pending = format!("oldest revocation pending for {seconds}s");
        text.push_str(&format!(" ({})", screen.paint(pending, tone)));
    }
    let keyring = &status.keyring;
    let tone = match keyring.state {
        KeyringState::Ready => Tone::Good,
        KeyringState::Locked => Tone::Pending,
        KeyringState::Unavailable => Tone::Bad,
        KeyringState::Other(_) => Tone::Plain,
    };
    let state = screen.paint(printable(keyring.state.as_str()).into_owned(), tone);
    let _ = write!(text, "\nkeyring   {}, {state}", printable(&keyring.kind));
    if !keyring.survives_reboot {
        text.push_str(", does not survive a reboot");
    }
    text.push('\n');
    for instance in &status.instances {
        text.push_str(&instance_line(instance, screen, now));
    }
    for problem in &status.problems {
        let heading = screen.paint("problem".to_owned(), Tone::Bad);
        text.push_str(&format!("{heading}   {}\n", printable(problem)));
    }
    text
}

fn instance_line(instance: &InstanceView, screen: &Screen, now: Timestamp) -> String {
    let contact = match &instance.last_contact {
        None => "not yet contacted".to_owned(),
        Some(contact) => {
            let (verdict, tone) = if contact.ok {
                ("ok".to_owned(), Tone::Good)
            } else {
                let message = contact.message.as_deref().unwrap_or("failed");
                (printable(message).into_owned(), Tone::Bad)
            };
            let when = relative(&contact.at, now);
            format!("last contact {}: {}", printable(&when), screen.paint(verdict, tone))
        }
    };
    format!("instance  {} ({}), {contact}\n", printable(&instance.name), printable(&instance.url))
}
