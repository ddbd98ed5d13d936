//! A D-Bus session bus and a gnome-keyring that nobody else uses.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;

use crate::bus::Bus;
use crate::patience::{PATIENCE, eventually, is_installed};
use crate::process::{Process, run};

/// Its collection's password.
pub(crate) const PASSWORD: &str = "pw";

/// How long gnome-keyring's control socket may take.
const CONTROL: Duration = Duration::from_secs(10);

/// A bus on which only we start services.
#[derive(Debug)]
pub struct SecretService {
    folder: PathBuf,
    /// Where its collections are, below `HOME`.
    home: PathBuf,
    keyring: Option<Process>,
    bus: Bus,
}

impl SecretService {
    /// A bus below `folder`, without a keyring yet; none, and said so, if this machine has not the
    /// programs for it.
    #[must_use]
    pub fn bus(folder: &Path) -> Option<Self> {
        if !["dbus-daemon", "dbus-send", "gnome-keyring-daemon"].into_iter().all(is_installed) {
            return None;
        }
        let (bus, folder) = (Bus::start(folder), folder.to_owned());
        Some(Self { home: folder.clone(), folder, keyring: None, bus })
    }

    /// Starts the bus, at the address of the one before.
    pub fn start_bus(&mut self) {
        self.bus.restart();
    }

    /// Ends the bus as a crash does, and the keyring with it.
    pub fn stop_bus(&mut self) {
        self.bus.stop();
        self.keyring = None;
    }

    /// Stops the bus's process: whoever calls anybody, or connects, waits.
    pub fn freeze_bus(&self) {
        self.bus.freeze();
    }

    /// Lets the bus go on.
    pub fn thaw_bus(&self) {
        self.bus.thaw();
    }

    /// What `DBUS_SESSION_BUS_ADDRESS` is for clients.
    #[must_use]
    pub fn address(&self) -> String {
        self.bus.address()
    }

    /// Starts gnome-keyring, unlocked, and waits until it serves. What it held before is there.
    pub fn start(&mut self) {
        let password = self.folder.join("password");
        fs::write(&password, PASSWORD).expect("the folder is ours");
        let mut command = self.command();
        command.arg("--unlock").stdin(File::open(password).expect("it was just written"));
        self.keyring = Some(Process::start(command));
        eventually("an unlocked keyring", || (self.is_locked() == Some(false)).then_some(()));
    }

    /// Starts it as the bus does after a crash: nobody unlocks it.
    pub fn start_locked(&mut self) {
        let mut command = self.command();
        command.stdin(Stdio::null());
        self.keyring = Some(Process::start(command));
        eventually("a locked keyring", || (self.is_locked() == Some(true)).then_some(()));
    }

    /// Puts a keyring into its place that has the data of this folder, below the house's: at first,
    /// none at all.
    pub fn replace(&mut self, name: &str) {
        self.move_to(name);
        self.start();
    }

    /// The same with one that nobody has ever unlocked: there is no collection to keep anything in.
    pub fn replace_without_collections(&mut self, name: &str) {
        self.move_to(name);
        let mut command = self.command();
        command.stdin(Stdio::null());
        self.keyring = Some(Process::start(command));
        let alias = "org.freedesktop.Secret.Service.ReadAlias";
        let default = || self.send("/org/freedesktop/secrets", &[alias, "string:default"]);
        eventually("an empty keyring", || default().contains("\"/\"").then_some(()));
    }

    fn move_to(&mut self, name: &str) {
        self.stop();
        self.home = self.folder.join(name);
        fs::create_dir_all(&self.home).expect("the folder is ours");
    }

    fn command(&self) -> Command {
        let mut command = Command::new("gnome-keyring-daemon");
        command.args(["--foreground", "--components=secrets", "--control-directory"]);
        command.arg(self.folder.join("control"));
        command.env("DBUS_SESSION_BUS_ADDRESS", self.address());
        // XDG_DATA_HOME is left to HOME: its collections are files below it.
        command.env_remove("XDG_DATA_HOME").env("HOME", &self.home);
        command.env("XDG_RUNTIME_DIR", &self.folder).env_remove("DISPLAY");
        let log = File::create(self.folder.join("keyring.log")).expect("the folder is ours");
        command.stdout(Stdio::null()).stderr(log);
        command
    }

    /// Ends gnome-keyring; the bus stays.
    pub fn stop(&mut self) {
        self.keyring = None;
        eventually("the keyring's end", || self.is_locked().is_none().then_some(()));
    }

    /// Locks the collection.
    pub fn lock(&self) {
        let collection = "array:objpath:/org/freedesktop/secrets/collection/login";
        let lock = "org.freedesktop.Secret.Service.Lock";
        self.send("/org/freedesktop/secrets", &[lock, collection]);
        assert_eq!(self.is_locked(), Some(true));
    }

    /// Unlocks it with the password, as logging in to the desktop does: by gnome-keyring's own
    /// control socket, in the form that its PAM module uses (`pam/gkr-pam-client.c`).
    pub fn unlock(&self) {
        const UNLOCK: u32 = 1;
        let mut request = vec![0];
        let length = |bytes: usize| u32::try_from(bytes).unwrap_or_default().to_be_bytes();
        request.extend(length(12 + PASSWORD.len()));
        request.extend(UNLOCK.to_be_bytes());
        request.extend(length(PASSWORD.len()));
        request.extend(PASSWORD.as_bytes());
        let mut control =
            UnixStream::connect(self.folder.join("control/control")).expect("it listens");
        control.set_read_timeout(Some(CONTROL)).expect("a socket has timeouts");
        control.write_all(&request).expect("it reads");
        let mut answer = [0; 8];
        control.read_exact(&mut answer).expect("it answers");
        assert_eq!(answer[4..], [0; 4], "the keyring refuses its password");
        assert_eq!(self.is_locked(), Some(false));
    }

    /// Stops its process, so that whoever calls it waits.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// Starts it again if it has aborted, as the bus or systemd would on a desktop: gnome-keyring
    /// 42 does that now and then when it is thawed and finds calls of clients that have gone.
    ///
    /// # Panics
    /// If it has ended in any other way.
    pub fn revive(&mut self) {
        if let Some(status) = self.keyring.as_mut().and_then(Process::ended) {
            assert_eq!(status.signal(), Some(6), "gnome-keyring has ended: {status}");
            let _ = writeln!(io::stderr(), "gnome-keyring has aborted; it is started again");
            self.start();
        }
    }

    /// How many items are in the collection.
    #[must_use]
    pub fn items(&self) -> usize {
        self.property("Items").matches("object path").count()
    }

    /// Whether the collection is locked; none if nobody answers.
    fn is_locked(&self) -> Option<bool> {
        let answer = self.property("Locked");
        answer.contains("boolean").then(|| answer.contains("true"))
    }

    fn property(&self, name: &str) -> String {
        let get = "org.freedesktop.DBus.Properties.Get";
        let interface = "string:org.freedesktop.Secret.Collection";
        let name = format!("string:{name}");
        self.send("/org/freedesktop/secrets/collection/login", &[get, interface, &name])
    }

    fn send(&self, path: &str, words: &[&str]) -> String {
        let mut command = Command::new("dbus-send");
        command.args(["--session", "--print-reply", "--reply-timeout=2000"]);
        command.args(["--dest=org.freedesktop.secrets", path]).args(words);
        command.env("DBUS_SESSION_BUS_ADDRESS", self.address());
        String::from_utf8_lossy(&run(command, "", PATIENCE).stdout).into_owned()
    }

    fn signal(&self, signal: Signal) {
        self.keyring.as_ref().expect("it was started").signal(signal);
    }
}

impl Drop for SecretService {
    fn drop(&mut self) {
        if let (true, Some(keyring)) = (std::thread::panicking(), &mut self.keyring) {
            let log = fs::read_to_string(self.folder.join("keyring.log")).unwrap_or_default();
            eprintln!("--- gnome-keyring's log (ended: {:?}) ---\n{log}", keyring.ended());
        }
    }
}
