//! The configs, and what belongs beside them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use securid_ipc::paths::{ConfigFiles, OwnFile};

use crate::{Context, failure::Failure};

/// The configs of one user, or of all.
#[derive(Debug)]
pub(super) struct Files {
    /// The config that setup writes.
    pub(super) own: PathBuf,
    /// All configs that count, this one among them.
    pub(super) all: Vec<PathBuf>,
    /// The permissions of what setup writes, where there are such: files, and folders.
    pub(super) modes: (u32, u32),
}

impl Files {
    /// Those of this user.
    ///
    /// # Errors
    /// If something is said of them.
    pub(super) fn of_the_user(context: &Context) -> Result<Self, Failure> {
        let ConfigFiles { machine, additions, own: OwnFile::Usual(user) } = &context.paths.config
        else {
            return Err(Failure::usage("setup is about the usual places alone"));
        };
        let mut all = vec![machine.clone()];
        all.extend(files(additions));
        all.push(user.clone());
        Ok(Self { own: user.clone(), all, modes: (0o600, 0o700) })
    }

    /// The key of the sealed file, beside the config.
    pub(super) fn key(&self) -> PathBuf {
        self.own.parent().unwrap_or(Path::new("/")).join("key")
    }
}

/// The machine's further configs. What is wrong with the folder, the daemon tells when the config is checked.
fn files(additions: &Path) -> Vec<PathBuf> {
    let found = fs::read_dir(additions).into_iter().flatten();
    let paths = found.filter_map(|file| Some(file.ok()?.path()));
    paths.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect()
}
