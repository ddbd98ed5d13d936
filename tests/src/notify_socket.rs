//! What a service manager hears of the daemon (`NOTIFY_SOCKET`).

use std::io::ErrorKind;
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::house::House;
use crate::patience::PATIENCE;

/// The manager's end.
#[derive(Debug)]
pub struct NotifySocket {
    socket: UnixDatagram,
    /// Every line so far.
    pub heard: Vec<String>,
}

impl NotifySocket {
    /// Binds it in this house.
    ///
    /// # Panics
    /// If it cannot be bound.
    #[must_use]
    pub fn bind(house: &House) -> Self {
        let socket = UnixDatagram::bind(house.path("notify")).expect("the folder is ours");
        Self { socket, heard: Vec::new() }
    }

    /// A command that runs the daemon under this manager.
    #[must_use]
    pub fn daemon_command(&self, house: &House) -> Command {
        let mut command = house.daemon_command();
        command.env("NOTIFY_SOCKET", house.path("notify"));
        command
    }

    /// Fills its queue up, so that nobody can tell it anything more.
    ///
    /// # Panics
    /// If the system refuses.
    pub fn fill_up(&self) {
        let sender = UnixDatagram::unbound().expect("there are descriptors left");
        sender.set_nonblocking(true).expect("it is a socket");
        let address = self.socket.local_addr().expect("it is bound");
        let path = address.as_pathname().expect("it is bound to a path");
        while sender.send_to(b"STATUS=somebody else's", path).is_ok() {}
    }

    /// Waits for a message with this line, which was not heard before, and gives back how its lines
    /// stand together.
    ///
    /// # Panics
    /// If it does not come.
    pub fn expect(&mut self, line: &str) -> Vec<String> {
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let message = self.next_within(left);
            let message = message.unwrap_or_else(|| panic!("no {line:?}: {:?}", self.heard));
            if message.iter().any(|heard| heard == line) {
                return message;
            }
        }
    }

    /// The lines of the next message; none if there is none within that time.
    ///
    /// # Panics
    /// If the system refuses.
    pub fn next_within(&mut self, limit: Duration) -> Option<Vec<String>> {
        let limit = limit.max(Duration::from_millis(1));
        self.socket.set_read_timeout(Some(limit)).expect("it is not nothing");
        let mut bytes = [0; 4096];
        match self.socket.recv(&mut bytes) {
            Ok(length) => {
                let text = String::from_utf8_lossy(&bytes[..length]);
                let lines: Vec<String> = text.lines().map(str::to_owned).collect();
                self.heard.extend_from_slice(&lines);
                Some(lines)
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                None
            }
            Err(error) => panic!("the notify socket: {error}"),
        }
    }
}
