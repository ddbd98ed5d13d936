//! A real proxy: Debian's tinyproxy, which stands where the laptop's [`Network`] has it.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::house::House;
use crate::network::Network;
use crate::patience::{PATIENCE, eventually, is_installed};
use crate::process::Process;

/// The user name and password that a closed proxy wants.
pub const FOR_THE_PROXY: [&str; 2] = ["me", "pr0xy-s3cret"];

/// Where it listens. Nobody else has a port on that laptop.
pub const REAL_PROXY: &str = "127.0.0.1:3128";

/// A tinyproxy on the laptop, with its files in the house.
#[derive(Debug)]
pub struct RealProxy {
    folder: PathBuf,
    running: Option<Process>,
}

impl RealProxy {
    /// One that leads whoever asks to wherever he wants; `closed`: only those with [`FOR_THE_PROXY`]. None, and said
    /// so, if it is not installed.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start(network: &Network, house: &House, closed: bool) -> Option<Self> {
        if !is_installed("tinyproxy") {
            return None;
        }
        let folder = house.path("proxy");
        fs::create_dir(&folder).expect("the folder is ours");
        let (address, port) = REAL_PROXY.split_once(':').expect("it has a port");
        let [name, password] = FOR_THE_PROXY;
        let auth = if closed { format!("BasicAuth {name} {password}\n") } else { String::new() };
        let log = folder.join("log");
        let config = format!(
            "Listen {address}\nPort {port}\nLogLevel Info\nLogFile \"{}\"\n{auth}",
            log.display()
        );
        fs::write(folder.join("config"), config).expect("the folder is ours");
        let mut proxy = Self { folder, running: None };
        proxy.start_again(network);
        Some(proxy)
    }

    /// Starts it once more, after [`RealProxy::kill`].
    pub fn start_again(&mut self, network: &Network) {
        let begun = |proxy: &Self| proxy.log().matches("Accepting connections").count();
        let before = begun(self);
        let mut command = Command::new("tinyproxy");
        command.args(["-d", "-c"]).arg(self.folder.join("config"));
        let mut command = network.on_laptop(&command);
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.running = Some(Process::start(command));
        eventually("the proxy to listen", || (begun(self) > before).then_some(()));
    }

    /// Ends it as a crash does.
    ///
    /// # Panics
    /// If it does not run.
    pub fn kill(&mut self) {
        let mut running = self.running.take().expect("it runs");
        running.signal(rustix::process::Signal::KILL);
        running.wait(PATIENCE);
    }

    /// What it has written down of who asked it for what.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}
