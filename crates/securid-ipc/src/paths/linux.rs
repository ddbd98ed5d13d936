//! Linux: the XDG base directories, `/etc`, and what systemd makes for system units.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use super::{Custom, PathError, Sockets};

/// The folder under which systemd binds the sockets of system units; only root writes to it.
pub(super) const SYSTEM_SOCKETS: &str = "/run/securid";

/// The folder of the state folders of system units; systemd makes them.
const SYSTEM_STATES: &str = "/var/lib/securid";

/// The machine's config file and the folder of its additions.
const MACHINE_CONFIG: [&str; 2] = ["/etc/securid/config.toml", "/etc/securid/config.d"];

/// There is no home folder, and not everything was named without it.
const NO_HOME: PathError = PathError::NoFolder {
    what: "the home folder",
    variable: "HOME, or XDG_STATE_HOME and XDG_CONFIG_HOME",
};

/// The files of user `uid` in an environment whose variables `variable` tells. A relative XDG variable is ignored, as
/// the XDG base directory specification says.
pub(super) struct Linux<V> {
    pub(super) variable: V,
    pub(super) uid: u32,
}

impl<V: Fn(&str) -> Option<OsString>> Linux<V> {
    fn absolute(&self, name: &str) -> Option<PathBuf> {
        (self.variable)(name).map(PathBuf::from).filter(|path| path.is_absolute())
    }

    fn base(&self, name: &str, below_home: &str) -> Result<PathBuf, PathError> {
        let below_home = || self.absolute("HOME").map(|home| home.join(below_home));
        self.absolute(name).or_else(below_home).ok_or(NO_HOME)
    }
}

impl<V: Fn(&str) -> Option<OsString>> Custom for Linux<V> {
    fn machine_config(&self) -> Result<[PathBuf; 2], PathError> {
        Ok(MACHINE_CONFIG.map(PathBuf::from))
    }

    fn own_config(&self) -> Result<PathBuf, PathError> {
        Ok(self.base("XDG_CONFIG_HOME", ".config")?.join("securid/config.toml"))
    }

    fn state(&self) -> Result<PathBuf, PathError> {
        Ok(self.base("XDG_STATE_HOME", ".local/state")?.join("securid"))
    }

    fn state_of_the_system(&self) -> Option<PathBuf> {
        Some(Path::new(SYSTEM_STATES).join(self.uid.to_string()))
    }

    /// A client looks into `/run/user` even if `XDG_RUNTIME_DIR` names another folder: with `runuser`,
    /// as hooks use it, root's variable comes along.
    fn sockets(&self, state: &Path) -> Sockets {
        let uid = self.uid;
        let usual = PathBuf::from(format!("/run/user/{uid}"));
        let runtime = self.absolute("XDG_RUNTIME_DIR").unwrap_or_else(|| usual.clone());
        let [of_the_session, usual] = [runtime, usual].map(|it| it.join("securid/sessiond.sock"));
        let of_the_system = Path::new(SYSTEM_SOCKETS).join(format!("{uid}/sessiond.sock"));
        let last_resort = state.join("sessiond.sock");
        let own = vec![of_the_session.clone(), last_resort.clone()];
        let mut tried = vec![of_the_session, usual, of_the_system, last_resort];
        tried.dedup();
        Sockets { tried, own }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::{
        super::{ConfigFiles, Overrides, OwnFile, Paths},
        *,
    };

    fn find(overrides: &Overrides, variables: &[(&str, &str)]) -> Result<Paths, PathError> {
        let variable = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())
        };
        Paths::find(overrides, variable, &Linux { variable, uid: 1000 })
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
        assert_eq!(find(&Overrides::default(), &[]), Err(NO_HOME));
        assert_eq!(
            NO_HOME.to_string(),
            "the home folder is unknown: set HOME, or XDG_STATE_HOME and XDG_CONFIG_HOME"
        );
        assert_eq!(find(&Overrides::default(), &[("HOME", "")]), Err(NO_HOME));
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
