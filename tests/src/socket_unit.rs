//! The daemon's socket, bound and held by somebody else, as a service manager does.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::Signal;

use crate::house::House;
use crate::process::Process;

/// Hands what it has as stdin over as descriptor 3. `exec` keeps the process number, which is to stand
/// in `LISTEN_PID`.
const HAND_OVER: &str = "exec 3<&0 </dev/null; \
    export LISTEN_FDS=\"${LISTEN_FDS:-1}\" LISTEN_PID=$$; exec \"$0\" \"$@\"";

impl House {
    /// Binds the daemon's socket; every daemon that is started from now on is handed it.
    ///
    /// # Panics
    /// If it cannot be bound.
    pub fn bind_socket(&mut self) {
        let socket = UnixListener::bind(self.socket()).expect("the folder is ours");
        self.hand_over(socket.into());
    }

    /// The same with whatever there is to hand over.
    pub fn hand_over(&mut self, socket: OwnedFd) {
        self.handed_over = Some(socket);
    }

    /// What [`House::start`] gives the daemon as stdin.
    pub(crate) fn stdin_of_daemon(&self) -> Stdio {
        self.handed_over.as_ref().map_or_else(Stdio::null, |socket| {
            socket.try_clone().expect("there are descriptors left").into()
        })
    }

    /// The daemon's program, handed the socket if there is one.
    pub(crate) fn with_socket(&self, program: &Path) -> Command {
        if self.handed_over.is_none() {
            return Command::new(program);
        }
        let mut command = Command::new("sh");
        command.args(["-c", HAND_OVER]).arg(program);
        command
    }

    /// Stops and continues the daemon: it is frozen for as long as `meanwhile` takes.
    ///
    /// # Panics
    /// If none runs.
    pub fn frozen<T>(&self, meanwhile: impl FnOnce() -> T) -> T {
        self.signal(Signal::STOP);
        let result = meanwhile();
        self.signal(Signal::CONT);
        result
    }

    /// Starts another daemon beside this house's own.
    #[must_use]
    pub fn another_daemon(&self) -> Process {
        let mut command = self.daemon_command();
        command.stdin(self.stdin_of_daemon()).stdout(Stdio::null()).stderr(self.open_log());
        Process::start(command)
    }
}
