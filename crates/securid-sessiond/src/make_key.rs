//! `--make-key`: a key for the sealed file.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::path::Path;

use securid_store::{DiskError, SealKey};

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoKey {
    #[error("no random numbers: {0}")]
    Random(#[from] getrandom::Error),
    #[error(
        "{0}\nName a file that is not there yet, in a folder that is: no key is ever replaced."
    )]
    File(#[from] DiskError),
    #[error("cannot write the key to stdout: {0}")]
    Stdout(#[from] io::Error),
}

/// Makes a key in a new file, or on stdout for `-`.
pub(crate) fn make_key(target: &Path) -> Result<(), NoKey> {
    let key = SealKey::generate()?;
    if target == Path::new("-") {
        // Without a buffer in between, which nobody would wipe.
        let mut stdout = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        stdout.write_all(key.to_line().expose().as_bytes())?;
    } else {
        key.write_new(target)?;
    }
    Ok(())
}
