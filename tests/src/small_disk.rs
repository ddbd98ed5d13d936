//! A small file system that nobody else sees, to be filled up.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::patience::eventually;
use crate::process::{Process, run};

/// What fills it up.
const BALLAST: &str = "ballast";

/// A tmpfs in a mount namespace of its own. It lives as long as this, over restarts of the daemon.
#[derive(Debug)]
pub struct SmallDisk {
    folder: PathBuf,
    /// Sleeps in the namespace and so keeps it.
    keeper: Process,
}

impl SmallDisk {
    /// Whether this machine lets us have one; if not, says so.
    #[must_use]
    pub fn is_possible() -> bool {
        let mut command = Command::new("unshare");
        command.args([unshare_flags(), "mount", "-t", "tmpfs", "tmpfs", "/mnt"]);
        let output = run(command, "", crate::PATIENCE);
        if !output.status.success() {
            let why = String::from_utf8_lossy(&output.stderr).into_owned();
            crate::skipped(&format!("no mount namespace to be had: {why}"));
        }
        output.status.success()
    }

    /// Mounts one of this size at `folder`.
    pub(crate) fn mount(size: &str, folder: &Path) -> Self {
        let script = "mount -t tmpfs -o size=\"$1\",mode=700 tmpfs \"$2\" && touch \"$2/mounted\" \
                      && exec sleep 3600";
        let mut command = Command::new("unshare");
        command.args([unshare_flags(), "sh", "-c", script, "sh", size]).arg(folder);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let disk = Self { folder: folder.to_owned(), keeper: Process::start(command) };
        eventually("the small disk", || disk.seen(&folder.join("mounted")).exists().then_some(()));
        disk
    }

    /// A command that runs `program` where it sees this disk.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("nsenter");
        command.arg("-m").arg("-t").arg(self.keeper.pid().to_string());
        if !rustix::process::geteuid().is_root() {
            command.args(["-U", "--preserve-credentials"]);
        }
        command.arg("--").arg(program);
        command
    }

    /// A path as it is called from outside of the namespace.
    pub fn seen(&self, path: &Path) -> PathBuf {
        let mut seen = PathBuf::from(format!("/proc/{}/root", self.keeper.pid())).into_os_string();
        seen.push(path);
        seen.into()
    }

    /// Lets nobody write to this folder on it, or lets them again.
    ///
    /// # Panics
    /// If the system does not let us.
    pub fn set_read_only(&self, folder: &Path, read_only: bool) {
        // A mount of its own, because files that are open for writing keep the old one from it.
        let script = if read_only {
            "mount --bind \"$1\" \"$1\" && mount -o remount,bind,ro \"$1\""
        } else {
            "umount \"$1\""
        };
        let mut command = self.command(Path::new("sh"));
        command.args(["-c", script, "sh"]).arg(folder);
        let output = run(command, "", crate::PATIENCE);
        assert!(output.status.success(), "{output:?}");
    }

    /// Leaves no room on it.
    pub fn fill(&self) {
        let ballast = self.seen(&self.folder.join(BALLAST));
        let mut file =
            OpenOptions::new().create(true).append(true).open(ballast).expect("it is ours");
        while file.write_all(&[0; 1024]).is_ok() {}
    }

    /// Makes room again.
    pub fn empty(&self) {
        fs::remove_file(self.seen(&self.folder.join(BALLAST))).expect("it was filled");
    }
}

/// Without root, one's own user namespace comes first.
fn unshare_flags() -> &'static str {
    if rustix::process::geteuid().is_root() { "-m" } else { "-rm" }
}
