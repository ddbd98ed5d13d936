//! Where config, records and sockets are looked for.
//!
//! Flags win over `SECURID_*`, these over the XDG variables, these over the defaults. An empty
//! variable counts as unset, and a relative XDG variable is ignored, as the XDG base directory
//! specification says. What is computed here is Linux; the other platforms' folders of the
//! contract belong beside [`Paths::find`], behind the same [`Paths`].

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use thiserror::Error;

/// The longest path of a Unix socket in bytes: `sun_path` has 108, one for the final zero.
pub const SOCKET_PATH_LIMIT: usize = 107;

/// The folder under which systemd binds the sockets of system units; only root writes to it.
pub const SYSTEM_SOCKETS: &str = "/run/securid";

/// The folder of the state folders of system units; systemd makes them.
const SYSTEM_STATES: &str = "/var/lib/securid";

/// The machine's config file and the folder of its additions.
const MACHINE_CONFIG: [&str; 2] = ["/etc/securid/config.toml", "/etc/securid/config.d"];

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
    /// Sockets that a client tries, in this order.
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
    /// There is no home folder, and not everything was named without it.
    #[error("the home folder is unknown: set HOME, or XDG_STATE_HOME and XDG_CONFIG_HOME")]
    NoHome,
}

impl Paths {
    /// Finds everything from this process's environment and user.
    ///
    /// # Errors
    /// [`PathError`] if there is no home folder.
    pub fn from_environment(overrides: &Overrides) -> Result<Self, PathError> {
        // It asks the user database where HOME is unset.
        let home = || std::env::home_dir().map(PathBuf::into_os_string);
        let variable = |name: &str| match name {
            "HOME" => home(),
            _ => std::env::var_os(name),
        };
        Self::find(overrides, variable, rustix::process::getuid().as_raw())
    }

    /// Finds everything for user `uid` in an environment whose variables `variable` tells.
    ///
    /// # Errors
    /// [`PathError`] if `HOME` is needed and not there.
    pub fn find(
        overrides: &Overrides,
        variable: impl Fn(&str) -> Option<OsString>,
        uid: u32,
    ) -> Result<Self, PathError> {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let absolute = |name: &str| set(name).filter(|path| path.is_absolute());
        let named = |flag: &Option<PathBuf>, name: &str| flag.clone().or_else(|| set(name));
        let base = |name: &str, below_home: &str| {
            let below_home = || absolute("HOME").map(|home| home.join(below_home));
            absolute(name).or_else(below_home).ok_or(PathError::NoHome)
        };

        let own = match named(&overrides.config, "SECURID_CONFIG") {
            Some(file) => OwnFile::Alone(file),
            None => OwnFile::Usual(base("XDG_CONFIG_HOME", ".config")?.join("securid/config.toml")),
        };
        let [machine, additions] = MACHINE_CONFIG.map(PathBuf::from);
        let config = ConfigFiles { machine, additions, own };
        let (state_dir, of_the_system) = match named(&overrides.state_dir, "SECURID_STATE_DIR") {
            Some(folder) => (folder, None),
            None => {
                let of_the_system = Path::new(SYSTEM_STATES).join(uid.to_string());
                (base("XDG_STATE_HOME", ".local/state")?.join("securid"), Some(of_the_system))
            }
        };
        let state_dirs = std::iter::once(state_dir.clone()).chain(of_the_system).collect();
        let (sockets, own_sockets) = match named(&overrides.socket, "SECURID_SOCKET") {
            Some(socket) => (vec![socket.clone()], vec![socket]),
            None => sockets(absolute("XDG_RUNTIME_DIR"), uid, &state_dir),
        };
        Ok(Self { config, state_dir, state_dirs, sockets, own_sockets })
    }
}

/// The sockets that a client tries, and those of them that a daemon binds itself.
///
/// A client looks into `/run/user` even if `XDG_RUNTIME_DIR` names another folder: with `runuser`,
/// as hooks use it, root's variable comes along.
fn sockets(runtime: Option<PathBuf>, uid: u32, state: &Path) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let usual = PathBuf::from(format!("/run/user/{uid}"));
    let runtime = runtime.unwrap_or_else(|| usual.clone());
    let [of_the_session, usual] = [runtime, usual].map(|it| it.join("securid/sessiond.sock"));
    let of_the_system = Path::new(SYSTEM_SOCKETS).join(format!("{uid}/sessiond.sock"));
    let last_resort = state.join("sessiond.sock");
    let own = vec![of_the_session.clone(), last_resort.clone()];
    let mut tried = vec![of_the_session, usual, of_the_system, last_resort];
    tried.dedup();
    (tried, own)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    fn find(overrides: &Overrides, variables: &[(&str, &str)]) -> Result<Paths, PathError> {
        let value = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())
        };
        Paths::find(overrides, value, 1000)
    }

    fn texts(paths: &[PathBuf]) -> Vec<&str> {
        paths.iter().map(|path| path.to_str().unwrap()).collect()
    }

    #[test]
    fn the_defaults_of_the_contract() {
        let paths = find(&Overrides::default(), &[("HOME", "/home/u")]).unwrap();
        assert_eq!(
            paths.config,
            ConfigFiles {
                machine: "/etc/securid/config.toml".into(),
                additions: "/etc/securid/config.d".into(),
                own: OwnFile::Usual("/home/u/.config/securid/config.toml".into()),
            }
        );
        assert_eq!(paths.state_dir, Path::new("/home/u/.local/state/securid"));
        assert_eq!(
            texts(&paths.state_dirs),
            ["/home/u/.local/state/securid", "/var/lib/securid/1000"]
        );
        assert_eq!(
            texts(&paths.sockets),
            [
                "/run/user/1000/securid/sessiond.sock",
                "/run/securid/1000/sessiond.sock",
                "/home/u/.local/state/securid/sessiond.sock",
            ]
        );
        assert_eq!(
            texts(&paths.own_sockets),
            ["/run/user/1000/securid/sessiond.sock", "/home/u/.local/state/securid/sessiond.sock"]
        );
    }

    #[test]
    fn xdg_variables_count_when_absolute() {
        let variables = [
            ("HOME", "/home/u"),
            ("XDG_CONFIG_HOME", "/c"),
            ("XDG_STATE_HOME", "/s"),
            ("XDG_RUNTIME_DIR", "/r"),
        ];
        let paths = find(&Overrides::default(), &variables).unwrap();
        assert_eq!(paths.config.own, OwnFile::Usual("/c/securid/config.toml".into()));
        assert_eq!(paths.state_dir, Path::new("/s/securid"));
        assert_eq!(
            texts(&paths.sockets),
            [
                "/r/securid/sessiond.sock",
                "/run/user/1000/securid/sessiond.sock",
                "/run/securid/1000/sessiond.sock",
                "/s/securid/sessiond.sock",
            ]
        );
        assert_eq!(
            texts(&paths.own_sockets),
            ["/r/securid/sessiond.sock", "/s/securid/sessiond.sock"]
        );

        for useless in ["", "relative/folder"] {
            let variables =
                variables.map(|(name, value)| (name, if name == "HOME" { value } else { useless }));
            let plain = find(&Overrides::default(), &[("HOME", "/home/u")]);
            assert_eq!(find(&Overrides::default(), &variables), plain);
        }
    }

    #[test]
    fn flags_win_over_variables_and_empty_ones_are_unset() {
        let variables = [
            ("HOME", "/home/u"),
            ("SECURID_SOCKET", "/v.sock"),
            ("SECURID_STATE_DIR", "/v"),
            ("SECURID_CONFIG", "/v.toml"),
        ];
        let paths = find(&Overrides::default(), &variables).unwrap();
        assert_eq!(texts(&paths.sockets), ["/v.sock"]);
        assert_eq!(texts(&paths.own_sockets), ["/v.sock"]);
        assert_eq!(paths.state_dir, Path::new("/v"));
        assert_eq!(paths.config.own, OwnFile::Alone("/v.toml".into()));

        let flags = Overrides {
            socket: Some("f.sock".into()),
            state_dir: Some("/f".into()),
            config: Some("/f.toml".into()),
        };
        let paths = find(&flags, &variables).unwrap();
        assert_eq!(texts(&paths.sockets), ["f.sock"]);
        assert_eq!(paths.state_dir, Path::new("/f"));
        assert_eq!(texts(&paths.state_dirs), ["/f"]);
        assert_eq!(paths.config.own, OwnFile::Alone("/f.toml".into()));

        let unset = variables.map(|(name, value)| (name, if name == "HOME" { value } else { "" }));
        let plain = find(&Overrides::default(), &[("HOME", "/home/u")]);
        assert_eq!(find(&Overrides::default(), &unset), plain);
    }

    #[test]
    fn a_home_is_asked_for_only_where_it_is_needed() {
        assert_eq!(find(&Overrides::default(), &[]), Err(PathError::NoHome));
        assert_eq!(find(&Overrides::default(), &[("HOME", "")]), Err(PathError::NoHome));
        let variables = [("XDG_CONFIG_HOME", "/c"), ("XDG_STATE_HOME", "/s")];
        assert!(find(&Overrides::default(), &variables).is_ok());
    }

    #[test]
    fn the_last_resort_follows_the_state_folder() {
        let flags = Overrides { state_dir: Some("/f".into()), ..Overrides::default() };
        let paths = find(&flags, &[("HOME", "/home/u")]).unwrap();
        assert_eq!(texts(&paths.sockets)[2], "/f/sessiond.sock");
    }
}
