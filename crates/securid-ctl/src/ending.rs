//! Ending the daemon that runs, and knowing that it has gone.

use std::{
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use securid_ipc::{
    client::{Client, ConnectError},
    messages::{Call, SessionState, SessionView, StatusView, Stop, StopView},
};

use crate::{
    Context, commands::list, daemon::ANSWER_WITHIN, failure::Failure, process::is_alive, records,
};

/// How long the daemon may take to revoke and end: its `shutdown_grace` is 20 s unless configured.
const GONE_WITHIN: Duration = Duration::from_secs(30);

/// How long its process may be there after its last connection: it gives its lock and socket back,
/// and its log is written to the end.
const EXIT_WITHIN: Duration = Duration::from_secs(5);

/// How often we look whether it is there.
const STEP: Duration = Duration::from_millis(5);

/// The exit status while tokens are not confirmed dead.
pub(crate) const PENDING: u8 = 75;

/// The daemon that runs.
#[derive(Debug)]
pub(crate) struct Running {
    client: Client,
    pub(crate) pid: u32,
    /// What it held when we came.
    pub(crate) sessions: Vec<SessionView>,
}

/// How it was ended.
#[derive(Debug)]
pub(crate) struct Gone {
    /// Whether it kept its sessions for the next start.
    pub(crate) kept: bool,
    /// Its socket, if that is there without it: whoever binds it for the daemon starts it again.
    pub(crate) socket: Option<PathBuf>,
}

impl Running {
    /// Finds it.
    ///
    /// # Errors
    /// If there is none; `Err` within is why it does not say what it holds.
    pub(crate) fn find(context: &Context) -> Result<Result<Self, Failure>, ConnectError> {
        Client::connect(&context.paths.sockets).map(Self::ask)
    }

    fn ask(mut client: Client) -> Result<Self, Failure> {
        let sessions = list::all(&mut client)?;
        let status: StatusView = client.call(&Call::Status, ANSWER_WITHIN)?;
        Ok(Self { client, pid: status.pid, sessions })
    }

    /// Tells it to stop, and waits until it has gone.
    ///
    /// # Errors
    /// If it does not answer, or goes on revoking for too long.
    pub(crate) fn end(mut self, keep: Option<bool>) -> Result<Gone, Failure> {
        let stopping: StopView = self.client.call(&Call::Stop(Stop { keep }), ANSWER_WITHIN)?;
        let until = Instant::now() + GONE_WITHIN;
        let closed = self.client.wait_closed(Some(GONE_WITHIN));
        let socket = self.client.path().to_owned();
        // On Windows its name is not free before its last client has let go.
        drop(self.client);
        // It may have closed the connection for another client's sake, and go on.
        let until = until.max(Instant::now() + EXIT_WITHIN);
        while closed && is_alive(self.pid) && Instant::now() < until {
            thread::sleep(STEP);
        }
        if !closed || is_alive(self.pid) {
            let failure = Failure::new("pending", "the daemon has not ended yet", PENDING);
            return Err(failure.with_hint("It goes on by itself: see securid-ctl status."));
        }
        Ok(Gone { kept: stopping.keep, socket: socket.exists().then_some(socket) })
    }
}

/// How many of the daemon's sessions it has left on record; a lost one is nothing that the next
/// daemon could go on with. It may run with another state folder than ours; then nothing is seen
/// here, and nothing is claimed.
pub(crate) fn left_over(context: &Context, before: &[SessionView]) -> usize {
    let pending = before.iter().filter(|session| session.state != SessionState::Lost);
    pending.filter(|session| records::exist(&context.paths.state_dirs, &session.id)).count()
}
