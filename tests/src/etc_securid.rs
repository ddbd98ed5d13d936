//! An `/etc/securid` that nobody else sees, for what the machine says to its users.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::house::House;
use crate::patience::{PATIENCE, eventually, is_installed, is_root, skipped};
use crate::process::{Process, run};
use crate::programs::{programs, put_within_reach};

/// A machine's config in a mount namespace of its own, over the real `/etc`, and a user's daemon that sees it. The
/// user has a config where he usually has it.
pub struct EtcSecurid {
    /// Sleeps in the namespace and so keeps it.
    keeper: Process,
}

impl EtcSecurid {
    /// Whom the machine's config is made for: neither root nor anybody who is there.
    pub const USER: u32 = 12_345;

    /// An empty one. None, and said so, if it cannot be had here.
    #[must_use]
    pub fn new() -> Option<Self> {
        if !is_root() {
            skipped("only root can lay down a machine's config");
            return None;
        }
        if !["unshare", "nsenter", "setpriv"].into_iter().all(is_installed) {
            return None;
        }
        let script = "mount -t tmpfs tmpfs /mnt && mkdir /mnt/upper /mnt/work && \
                      mount -t overlay -o lowerdir=/etc,upperdir=/mnt/upper,workdir=/mnt/work overlay /etc && \
                      rm -rf /etc/securid && mkdir -m 755 /etc/securid && touch /mnt/ready && exec sleep 3600";
        let mut command = Command::new("unshare");
        command.args(["-m", "sh", "-c", script]).stdin(Stdio::null()).stdout(Stdio::null());
        let mut etc = Self { keeper: Process::start(command) };
        eventually("an /etc of its own", || {
            let ended = etc.keeper.ended();
            assert!(ended.is_none(), "no /etc of its own: {ended:?}");
            etc.seen(Path::new("/mnt/ready")).exists().then_some(())
        });
        Some(etc)
    }

    /// A file or folder of it, as it is called from outside of the namespace.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.seen(&Path::new("/etc/securid").join(name))
    }

    /// Writes one of its files, root's, and the folder above it.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("it is ours");
        fs::write(path, text).expect("it is ours");
    }

    /// The daemon of a house, as a command of the user's in the namespace.
    #[must_use]
    pub fn daemon(&self, house: &House) -> Command {
        let mut command = self.command(house, &programs().daemon);
        command.args(["--log", "info"]);
        command
    }

    /// Runs the daemon of a house with these words to its end.
    #[must_use]
    pub fn run_daemon(&self, house: &House, words: &[&str]) -> Output {
        let mut command = self.daemon(house);
        command.args(words);
        run(command, "", PATIENCE)
    }

    /// Runs `securid-ctl` in a house, with these variables.
    #[must_use]
    pub fn ctl(&self, house: &House, words: &[&str], variables: &[(&str, &str)]) -> Output {
        // It has the daemon's program beside it.
        let _ = put_within_reach(&programs().daemon, &house.path(""));
        let mut command = self.command(house, &programs().ctl);
        command.args(words).envs(variables.iter().copied());
        run(command, "", PATIENCE)
    }

    fn command(&self, house: &House, program: &Path) -> Command {
        let program = put_within_reach(program, &house.path(""));
        let mut command = Command::new("nsenter");
        command.args(["-m", "-t", &self.keeper.pid().to_string(), "--", "setpriv"]);
        command.args(["--reuid", &Self::USER.to_string(), "--regid", &Self::USER.to_string()]);
        command.args([OsStr::new("--clear-groups"), program.as_os_str()]);
        house.furnish(&mut command);
        command.env_remove("SECURID_CONFIG");
        command
    }

    fn seen(&self, path: &Path) -> PathBuf {
        let mut seen = PathBuf::from(format!("/proc/{}/root", self.keeper.pid())).into_os_string();
        seen.push(path);
        seen.into()
    }
}
