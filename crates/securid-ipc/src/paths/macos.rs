//! macOS: `Library/Application Support`, and the folder that the system makes for each user.

use std::path::{Path, PathBuf};

use super::{Custom, PathError, Sockets};

/// The folder of a person's or the machine's files of programs, in their library.
const SUPPORT: &str = "Library/Application Support/securid";

/// The files of a user.
pub(super) struct MacOs {
    /// His home, if it is known.
    pub(super) home: Option<PathBuf>,
    /// The folder that the system has made for what only this user sees (`getconf DARWIN_USER_DIR`), if it says so.
    pub(super) user_folder: Option<PathBuf>,
}

impl MacOs {
    fn support(&self) -> Result<PathBuf, PathError> {
        let home = self.home.as_ref().filter(|home| home.is_absolute());
        let unknown = PathError::NoFolder { what: "the home folder", variable: "HOME" };
        Ok(home.ok_or(unknown)?.join(SUPPORT))
    }
}

impl Custom for MacOs {
    fn machine_config(&self) -> Result<[PathBuf; 2], PathError> {
        Ok(["config.toml", "config.d"].map(|name| Path::new("/").join(SUPPORT).join(name)))
    }

    fn own_config(&self) -> Result<PathBuf, PathError> {
        Ok(self.support()?.join("config.toml"))
    }

    fn state(&self) -> Result<PathBuf, PathError> {
        Ok(self.support()?.join("state"))
    }

    fn state_of_the_system(&self) -> Option<PathBuf> {
        None
    }

    /// The state folder is the last resort: for one whose path is too long as well, a shorter one has to be named.
    fn sockets(&self, state: &Path) -> Sockets {
        let folder = self.user_folder.as_ref().filter(|folder| folder.is_absolute());
        let of_the_user = folder.map(|folder| folder.join("securid/sessiond.sock"));
        let tried: Vec<_> = of_the_user.into_iter().chain([state.join("sessiond.sock")]).collect();
        Sockets { own: tried.clone(), tried }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{
        super::{ConfigFiles, Overrides, OwnFile, Paths},
        *,
    };

    const USER_FOLDER: &str = "/var/folders/zz/zyxvpxvq6csfxvn_n0000000000000/0/";

    fn find(overrides: &Overrides, custom: &MacOs) -> Result<Paths, PathError> {
        Paths::find(overrides, |_| None, custom)
    }

    fn usual() -> MacOs {
        MacOs { home: Some("/Users/u".into()), user_folder: Some(USER_FOLDER.into()) }
    }

    #[test]
    fn the_defaults_of_the_contract() {
        let paths = find(&Overrides::default(), &usual()).unwrap();
        assert_eq!(
            paths.config,
            ConfigFiles {
                machine: "/Library/Application Support/securid/config.toml".into(),
                additions: "/Library/Application Support/securid/config.d".into(),
                own: OwnFile::Usual(
                    "/Users/u/Library/Application Support/securid/config.toml".into()
                ),
            }
        );
        let state = Path::new("/Users/u/Library/Application Support/securid/state");
        assert_eq!(paths.state_dir, state);
        assert_eq!(paths.state_dirs, [state]);
        let socket = Path::new(USER_FOLDER).join("securid/sessiond.sock");
        assert_eq!(paths.sockets, [socket, state.join("sessiond.sock")]);
        assert_eq!(paths.own_sockets, paths.sockets);
    }

    #[test]
    fn the_socket_fits_into_the_folder_of_each_user() {
        let paths = find(&Overrides::default(), &usual()).unwrap();
        assert!(paths.sockets[0].as_os_str().len() <= 103);
    }

    #[test]
    fn without_a_folder_of_the_system_s_the_state_folder_is_left() {
        for user_folder in [None, Some("relative".into())] {
            let overrides = Overrides { state_dir: Some("/s".into()), ..Overrides::default() };
            let paths = find(&overrides, &MacOs { user_folder, ..usual() }).unwrap();
            assert_eq!(paths.sockets, [Path::new("/s/sessiond.sock")]);
        }
    }

    #[test]
    fn a_home_is_asked_for_only_where_it_is_needed() {
        let homeless = || MacOs { home: None, ..usual() };
        let error = find(&Overrides::default(), &homeless()).unwrap_err();
        assert_eq!(error.to_string(), "the home folder is unknown: set HOME");
        let all = Overrides {
            state_dir: Some("/s".into()),
            config: Some("/c".into()),
            ..Overrides::default()
        };
        assert!(find(&all, &homeless()).is_ok());
    }
}
