//! Windows: the folders of a user's and of the machine's data, and the pipe of this user.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use securid_windows::folders::Folder;

use super::{Custom, PathError, Sockets};

/// What every named pipe of this machine begins with.
const PIPES: &str = r"\\.\pipe\";

/// The files of a user, in an environment whose variables `variable` tells.
pub(super) struct Windows<V, K> {
    pub(super) variable: V,
    /// Where the system says that a folder of this user is.
    pub(super) known: K,
    /// The folder of the machine's data.
    pub(super) machine: PathBuf,
    /// Who he is, as text (`S-1-5-…`).
    pub(super) user: String,
}

impl<V, K> Windows<V, K>
where
    V: Fn(&str) -> Option<OsString>,
    K: Fn(Folder) -> Option<PathBuf>,
{
    fn folder(&self, variable: &'static str, folder: Folder) -> Result<PathBuf, PathError> {
        let named = (self.variable)(variable).map(PathBuf::from).filter(|path| path.is_absolute());
        let what = "a folder of this user's";
        let unknown = PathError::NoFolder { what, variable };
        Ok(named.or_else(|| (self.known)(folder)).ok_or(unknown)?.join("securid"))
    }
}

impl<V, K> Custom for Windows<V, K>
where
    V: Fn(&str) -> Option<OsString>,
    K: Fn(Folder) -> Option<PathBuf>,
{
    fn machine_config(&self) -> Result<[PathBuf; 2], PathError> {
        Ok(["config.toml", "config.d"].map(|name| self.machine.join("securid").join(name)))
    }

    fn own_config(&self) -> Result<PathBuf, PathError> {
        Ok(self.folder("APPDATA", Folder::RoamingAppData)?.join("config.toml"))
    }

    fn state(&self) -> Result<PathBuf, PathError> {
        Ok(self.folder("LOCALAPPDATA", Folder::LocalAppData)?.join("state"))
    }

    fn state_of_the_system(&self) -> Option<PathBuf> {
        None
    }

    fn sockets(&self, _: &Path) -> Sockets {
        let pipe = PathBuf::from(format!("{PIPES}securid-sessiond-{}", self.user));
        Sockets { tried: vec![pipe.clone()], own: vec![pipe] }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{
        super::{ConfigFiles, Overrides, OwnFile, Paths},
        *,
    };

    fn find(overrides: &Overrides, variables: &[(&str, &str)]) -> Result<Paths, PathError> {
        let variable = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())
        };
        let known = |folder| match folder {
            Folder::RoamingAppData => Some(r"C:\Users\u\AppData\Roaming".into()),
            _ => None,
        };
        let (machine, user) = (r"C:\ProgramData".into(), "S-1-5-21-1-2-3-1001".into());
        Paths::find(overrides, variable, &Windows { variable, known, machine, user })
    }

    #[test]
    fn the_defaults_of_the_contract() {
        // Whoever sets %ProgramData% does not get around what the machine's config enforces.
        let variables =
            [("LOCALAPPDATA", r"C:\Users\u\AppData\Local"), ("ProgramData", r"C:\mine")];
        let paths = find(&Overrides::default(), &variables).unwrap();
        assert_eq!(
            paths.config,
            ConfigFiles {
                machine: r"C:\ProgramData\securid\config.toml".into(),
                additions: r"C:\ProgramData\securid\config.d".into(),
                own: OwnFile::Usual(r"C:\Users\u\AppData\Roaming\securid\config.toml".into()),
            }
        );
        let state = Path::new(r"C:\Users\u\AppData\Local\securid\state");
        assert_eq!(paths.state_dir, state);
        assert_eq!(paths.state_dirs, [state]);
        let pipe = Path::new(r"\\.\pipe\securid-sessiond-S-1-5-21-1-2-3-1001");
        assert_eq!(paths.sockets, [pipe]);
        assert_eq!(paths.own_sockets, [pipe]);
    }

    #[test]
    fn a_user_s_folders_are_named_by_variables_that_are_absolute() {
        let named = [("APPDATA", r"D:\r"), ("LOCALAPPDATA", r"\\home\u\l")];
        let paths = find(&Overrides::default(), &named).unwrap();
        assert_eq!(paths.config.own.path(), Path::new(r"D:\r\securid\config.toml"));
        assert_eq!(paths.state_dir, Path::new(r"\\home\u\l\securid\state"));

        let relative = [("APPDATA", r"r"), ("LOCALAPPDATA", r"C:l")];
        let error = find(&Overrides::default(), &relative).unwrap_err();
        assert!(error.to_string().ends_with("set LOCALAPPDATA"), "{error}");
    }

    #[test]
    fn this_user_has_them_all() {
        let paths = Paths::from_environment(&Overrides::default()).unwrap();
        let pipe = paths.sockets[0].to_str().unwrap();
        assert!(pipe.starts_with(r"\\.\pipe\securid-sessiond-S-1-5-"), "{pipe}");
        assert!(paths.state_dir.ends_with(r"securid\state") && paths.state_dir.is_absolute());
        assert!(paths.config.machine.is_absolute());
    }
}
