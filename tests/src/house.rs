//! A house of one's own: a server, a folder for everything, and a daemon that is started, killed
//! and started again.

use std::fs::{self, Permissions};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use securid_simulator::{Options, Simulator};
use tempfile::TempDir;

use crate::kernel_keys;
use crate::plan::Plan;
use crate::process::Process;
use crate::secret_service::SecretService;
use crate::small_disk::SmallDisk;

/// The password of the simulator's only user, `alice`.
pub const PASSWORD: &str = "correct horse";

/// Everything that a test needs, and nothing that another one sees. Dropped, it leaves nothing
/// behind; in a failing test it shows the daemon's log first.
pub struct House {
    pub(crate) folder: TempDir,
    pub(crate) plan: Plan,
    /// The server, and its truth.
    pub simulator: Simulator,
    /// The bus and the keyring on it, of [`House::with_gnome_keyring`].
    pub secret_service: Option<SecretService>,
    /// With [`Plan::disk`].
    pub(crate) disk: Option<SmallDisk>,
    pub(crate) daemon: Option<Process>,
    pub(crate) boot_id: Option<String>,
    /// What every daemon is handed, of [`House::bind_socket`].
    pub(crate) handed_over: Option<OwnedFd>,
    /// Every answer of the daemon but those of `session.token`.
    pub(crate) heard: Mutex<String>,
}

impl House {
    /// A house after the plan, without a daemon yet.
    ///
    /// # Panics
    /// If it cannot be built.
    #[must_use]
    pub fn build(plan: Plan) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("securid-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in("/tmp")
            .expect("there is room");
        let options = Options { latency: plan.latency, ..Options::default() };
        let simulator = Simulator::start(options).expect("loopback works");
        let mut house = Self {
            secret_service: None,
            disk: None,
            daemon: None,
            boot_id: None,
            handed_over: None,
            heard: Mutex::default(),
            folder,
            plan,
            simulator,
        };
        let ca_file = house.path("ca.pem");
        fs::write(&ca_file, house.simulator.ca_pem()).expect("the folder is ours");
        for name in ["store", "run", "home", "disk"] {
            fs::create_dir(house.path(name)).expect("the folder is ours");
            let mode = Permissions::from_mode(0o700);
            fs::set_permissions(house.path(name), mode).expect("the folder is ours");
        }
        house.write_config(&house.plan.config(house.simulator.url(), &ca_file.to_string_lossy()));
        house.disk = house.plan.disk.map(|size| SmallDisk::mount(size, &house.path("disk")));
        if let Some(user) = house.plan.user {
            for name in ["", "store", "run", "home", "disk", "ca.pem", "config.toml"] {
                chown(house.path(name), Some(user), Some(user)).expect("only root does this");
            }
        }
        if house.plan.keyring == "sealed-file" {
            house.give_key();
        }
        house
    }

    /// A house with a daemon that answers.
    #[must_use]
    pub fn open(plan: Plan) -> Self {
        let mut house = Self::build(plan);
        house.start();
        house
    }

    /// The same with a gnome-keyring that is unlocked; none, and said so, if there can be none.
    #[must_use]
    pub fn with_gnome_keyring(plan: Plan) -> Option<Self> {
        let mut house = Self::build(plan);
        let mut secret_service = SecretService::bus(&house.path("home"))?;
        secret_service.start();
        house.secret_service = Some(secret_service);
        house.start();
        Some(house)
    }

    /// Something in the house's folder.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        if name.is_empty() { self.folder.path().to_owned() } else { self.folder.path().join(name) }
    }

    /// The config file.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.path("config.toml")
    }

    /// The folder of records.
    #[must_use]
    pub fn state_dir(&self) -> PathBuf {
        self.path("disk/state")
    }

    /// The daemon's socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.path("run/sessiond.sock")
    }

    /// Everything that the daemon wrote to stderr.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.path("daemon.log")).unwrap_or_default()
    }

    /// Puts another config into the place of the one there is.
    pub fn write_config(&self, text: &str) {
        fs::write(self.config(), text).expect("the folder is ours");
    }

    /// Changes the config by replacing words in it.
    pub fn change_config(&self, from: &str, to: &str) {
        let text = fs::read_to_string(self.config()).expect("it was written");
        assert!(text.contains(from), "there is no {from:?} in the config");
        self.write_config(&text.replace(from, to));
    }

    /// The keyring of kind `test` misbehaves from now on, or works again (`None`).
    pub fn set_keyring_fault(&self, fault: Option<&str>) {
        let file = self.path("store/fault");
        match fault {
            Some(fault) => {
                // Put in place as a whole: the store may read it at any moment.
                let draft = self.path("fault");
                fs::write(&draft, fault).expect("the folder is ours");
                fs::set_permissions(&draft, Permissions::from_mode(0o644)).expect("it is ours");
                fs::rename(draft, file).expect("the folder is ours");
            }
            None => fs::remove_file(file).expect("there was a fault"),
        }
    }

    /// Takes the secret of a session out of the keyring of kind `test`, behind its daemon's back.
    ///
    /// # Panics
    /// If there is none.
    pub fn lose(&self, id: &str) {
        let secrets = files(&self.path("store"));
        let secret = secrets.iter().find(|path| path.to_string_lossy().ends_with(id));
        fs::remove_file(secret.expect("it has a secret")).expect("the folder is ours");
    }

    /// The next daemon believes that the machine was booted anew.
    pub fn reboot(&mut self) {
        self.boot_id = Some(format!("a boot after {:?}", self.boot_id));
    }

    /// The next daemon believes that this is the boot; `None`: the machine's own.
    pub fn boot(&mut self, id: Option<&str>) {
        self.boot_id = id.map(str::to_owned);
    }

    /// The file system of the state folder.
    #[must_use]
    pub fn disk(&self) -> &SmallDisk {
        self.disk.as_ref().expect("it has one of its own")
    }

    /// How many secrets of ours are in the store.
    ///
    /// # Panics
    /// If this house has a store that cannot be counted.
    #[must_use]
    pub fn secrets(&self) -> usize {
        match self.plan.keyring {
            // One that it was writing when the daemon was killed (`.tmp`) is no entry yet, and never
            // will be.
            "test" => {
                let is_entry = |f: &&PathBuf| {
                    !f.ends_with("fault") && f.extension().is_none_or(|end| end != "tmp")
                };
                files(&self.path("store")).iter().filter(is_entry).count()
            }
            "sealed-file" => self.sealed_secrets(),
            "keyutils" => kernel_keys::of(&self.state_dir(), self.uid()).len(),
            "secret-service" => self.secret_service.as_ref().expect("there is one").items(),
            other => panic!("what is in {other}?"),
        }
    }

    /// The records on disk.
    #[must_use]
    pub fn records(&self) -> Vec<PathBuf> {
        let folder = self.state_dir().join("sessions");
        files(&self.disk.as_ref().map_or(folder.clone(), |disk| disk.seen(&folder)))
    }

    /// The index of sessions beside the records.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn index(&self) -> PathBuf {
        let is_index = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default();
            name.to_string_lossy().starts_with("index-")
        };
        let folder = self.state_dir();
        let folder = self.disk.as_ref().map_or(folder.clone(), |disk| disk.seen(&folder));
        files(&folder).into_iter().find(is_index).expect("there is an index")
    }

    fn uid(&self) -> u32 {
        self.plan.user.unwrap_or_else(|| rustix::process::geteuid().as_raw())
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let truth = self.simulator.truth();
            eprintln!("--- the daemon's log ---\n{}--- the truth ---\n{truth:?}\n", self.log());
        }
        self.daemon = None;
        if matches!(self.plan.keyring, "keyutils" | "auto") {
            kernel_keys::remove(&self.state_dir(), self.uid());
        }
    }
}

/// The files of a folder; none if it is not there.
fn files(folder: &Path) -> Vec<PathBuf> {
    let found = fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<PathBuf> = found.filter_map(|file| Some(file.ok()?.path())).collect();
    paths.sort();
    paths
}
