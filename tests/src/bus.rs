//! A D-Bus bus that nobody else uses.

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::Signal;

use crate::patience::eventually;
use crate::process::Process;

/// A bus on which only we start services.
#[derive(Debug)]
pub struct Bus {
    socket: PathBuf,
    config: PathBuf,
    process: Option<Process>,
}

impl Bus {
    /// A bus at `folder/bus`.
    ///
    /// # Panics
    /// If it does not come up.
    #[must_use]
    pub fn start(folder: &Path) -> Self {
        let (socket, config) = (folder.join("bus"), folder.join("bus.conf"));
        // Without service files nothing is started behind our back.
        let text = format!(
            "<busconfig><type>session</type><listen>unix:path={}</listen>\
             <policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/>\
             <allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>",
            socket.display()
        );
        fs::write(&config, text).expect("the folder is ours");
        let mut bus = Self { socket, config, process: None };
        bus.restart();
        bus
    }

    /// Starts it at the address of the one before.
    ///
    /// # Panics
    /// If it does not come up.
    pub fn restart(&mut self) {
        let mut command = Command::new("dbus-daemon");
        command.arg("--nofork").arg("--config-file").arg(&self.config);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.process = Some(Process::start(command));
        eventually("the bus", || UnixStream::connect(&self.socket).ok());
    }

    /// Ends it as a crash does.
    ///
    /// # Panics
    /// If it was not there.
    pub fn stop(&mut self) {
        self.process = None;
        // It does not clear up after SIGKILL.
        fs::remove_file(&self.socket).expect("the folder is ours");
    }

    /// Stops its process: whoever calls anybody, or connects, waits.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// Its address, for clients.
    #[must_use]
    pub fn address(&self) -> String {
        format!("unix:path={}", self.socket.display())
    }

    fn signal(&self, signal: Signal) {
        self.process.as_ref().expect("it was started").signal(signal);
    }
}
