//! `paths`: where everything is looked for, without a daemon.

use std::{fmt::Write as _, path::Path};

use securid_ipc::paths::Paths;
use serde::Serialize;

use crate::{Context, failure::Failure};

/// Show where config, records and sockets are looked for
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// As `--json` shows it.
#[derive(Serialize)]
struct Shown<'a> {
    /// In the order of their layers, the later winning; of a folder, the files in it.
    config: Vec<&'a Path>,
    state_dir: &'a Path,
    /// In the order in which they are tried.
    sockets: Vec<&'a Path>,
}

impl Args {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failure> {
        context.screen.show(&Shown::from(&context.paths), |shown| {
            let mut text = String::new();
            let state = [shown.state_dir];
            for (what, paths) in
                [("config", &shown.config[..]), ("state", &state), ("socket", &shown.sockets)]
            {
                for path in paths {
                    // Writing to a String cannot fail.
                    let _ = writeln!(text, "{what:<8}{}", path.display());
                }
            }
            text
        })?;
        Ok(0)
    }
}

impl<'a> From<&'a Paths> for Shown<'a> {
    fn from(paths: &'a Paths) -> Self {
        let files = &paths.config;
        let config = vec![&*files.machine, &*files.additions, files.own.path()];
        let sockets = paths.sockets.iter().map(|path| &**path).collect();
        Self { config, state_dir: &paths.state_dir, sockets }
    }
}
