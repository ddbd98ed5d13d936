//! Where config, records and sockets are looked for.
//!
//! Flags win over `SECURID_*`, these over what is the custom of the system: `linux`, `macos`, `windows`. An empty
//! variable counts as unset. What this process is for its system, `process` finds out.

#[cfg(any(target_os = "linux", all(test, unix)))]
mod linux;
#[cfg(any(target_os = "macos", all(test, unix)))]
mod macos;
#[cfg(windows)]
mod windows;

mod process;

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use thiserror::Error;

#[cfg(unix)]
pub use process::SOCKET_PATH_LIMIT;
pub use process::is_of_a_system_unit;

/// What the command line said about files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `--socket`
    pub socket: Option<PathBuf>,
    /// `--state-dir`
    pub state_dir: Option<PathBuf>,
    /// `--config`
    pub config: Option<PathBuf>,
}

/// Where everything is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// The config files.
    pub config: ConfigFiles,
    /// The folder of records and lock.
    pub state_dir: PathBuf,
    /// That, and where a daemon of this user that is a system unit has its own.
    pub state_dirs: Vec<PathBuf>,
    /// Sockets that a client tries, in this order; on Windows the pipe.
    pub sockets: Vec<PathBuf>,
    /// Sockets that a daemon tries to bind, in this order. Those of a system unit are not among
    /// them: systemd binds these.
    pub own_sockets: Vec<PathBuf>,
}

/// Which config files count, the later winning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFiles {
    /// The machine's file.
    pub machine: PathBuf,
    /// The folder of its additions, `*.toml`.
    pub additions: PathBuf,
    /// The file after them.
    pub own: OwnFile,
}

/// The config file that is not the machine's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OwnFile {
    /// The user's, if he has one.
    Usual(PathBuf),
    /// `--config` or `SECURID_CONFIG`. It has to be there, and of the machine's files only what they
    /// enforce counts beside it.
    Alone(PathBuf),
}

impl OwnFile {
    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Usual(path) | Self::Alone(path) => path,
        }
    }
}

/// Why nothing can be found.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum PathError {
    /// A folder of this user is not known to the system, and not everything was named without it.
    #[error("{what} is unknown: set {variable}")]
    NoFolder {
        /// Which.
        what: &'static str,
        /// What would name it.
        variable: &'static str,
    },
    /// The system does not say where the machine's files are, or who this user is.
    #[error("the system does not say {what}: log in anew, or ask its administrator")]
    NotTold {
        /// What it does not say.
        what: &'static str,
    },
}

/// What is the custom of a system where nobody has named anything.
trait Custom {
    /// The machine's config file and the folder of its additions.
    fn machine_config(&self) -> Result<[PathBuf; 2], PathError>;

    /// The user's config file.
    fn own_config(&self) -> Result<PathBuf, PathError>;

    /// The state folder.
    fn state(&self) -> Result<PathBuf, PathError>;

    /// The state folder of a daemon of this user that the system's manager runs, where it does such a thing.
    fn state_of_the_system(&self) -> Option<PathBuf>;

    /// Where client and daemon meet, with that state folder.
    fn sockets(&self, state: &Path) -> Sockets;
}

/// Sockets, or pipes.
struct Sockets {
    /// Those that a client tries.
    tried: Vec<PathBuf>,
    /// Those of them that a daemon binds itself.
    own: Vec<PathBuf>,
}

impl Paths {
    /// Finds everything from this process's environment and user.
    ///
    /// # Errors
    /// [`PathError`] if there is no home folder.
    pub fn from_environment(overrides: &Overrides) -> Result<Self, PathError> {
        Self::find(overrides, |name| std::env::var_os(name), &process::custom()?)
    }

    /// Finds everything in an environment whose variables `variable` tells.
    fn find(
        overrides: &Overrides,
        variable: impl Fn(&str) -> Option<OsString>,
        custom: &impl Custom,
    ) -> Result<Self, PathError> {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let named = |flag: &Option<PathBuf>, name: &str| flag.clone().or_else(|| set(name));

        let own = match named(&overrides.config, "SECURID_CONFIG") {
            Some(file) => OwnFile::Alone(file),
            None => OwnFile::Usual(custom.own_config()?),
        };
        let [machine, additions] = custom.machine_config()?;
        let config = ConfigFiles { machine, additions, own };
        let (state_dir, of_the_system) = match named(&overrides.state_dir, "SECURID_STATE_DIR") {
            Some(folder) => (folder, None),
            None => (custom.state()?, custom.state_of_the_system()),
        };
        let state_dirs = std::iter::once(state_dir.clone()).chain(of_the_system).collect();
        let Sockets { tried: sockets, own: own_sockets } =
            match named(&overrides.socket, "SECURID_SOCKET") {
                Some(socket) => Sockets { tried: vec![socket.clone()], own: vec![socket] },
                None => custom.sockets(&state_dir),
            };
        Ok(Self { config, state_dir, state_dirs, sockets, own_sockets })
    }
}
