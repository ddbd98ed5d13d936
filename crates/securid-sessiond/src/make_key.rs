//! `--make-key`: a key for the sealed file.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use securid_store::{DiskError, SealKey};

use crate::config::is_possible;
#[cfg(unix)]
use unix::stdout;
#[cfg(windows)]
use windows::stdout;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoKey {
    #[error("no random numbers: {0}")]
    Random(#[from] getrandom::Error),
    #[error(
        "{0}\nName a file that is not there yet, in a folder that is: no key is ever replaced."
    )]
    File(#[from] DiskError),
    #[error("{path} {why}", path = path.display())]
    Impossible { path: PathBuf, why: String },
    #[error("cannot write the key to stdout: {0}")]
    Stdout(#[from] io::Error),
}

/// Makes a key in a new file, or on stdout for `-`.
pub(crate) fn make_key(target: &Path) -> Result<(), NoKey> {
    let key = SealKey::generate()?;
    if target == Path::new("-") {
        // Without a buffer in between, which nobody would wipe.
        stdout()?.write_all(key.to_line().expose().as_bytes())?;
    } else {
        is_possible(target).map_err(|why| NoKey::Impossible { path: target.to_owned(), why })?;
        key.write_new(target)?;
    }
    Ok(())
}
