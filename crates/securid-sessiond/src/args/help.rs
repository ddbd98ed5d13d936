//! What help says, and the manual page: the same on each system, but for what that one has.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(windows)]
mod windows;

#[cfg(target_os = "linux")]
pub(super) use linux::SOCKET;
#[cfg(target_os = "linux")]
use linux::{ENVIRONMENT, FILES, KEY, KEYS, SIGNALS, WHO_STARTS_IT};
#[cfg(target_os = "macos")]
pub(super) use macos::SOCKET;
#[cfg(target_os = "macos")]
use macos::{ENVIRONMENT, FILES, KEY, KEYS, SIGNALS, WHO_STARTS_IT};
#[cfg(windows)]
pub(super) use windows::SOCKET;
#[cfg(windows)]
use windows::{ENVIRONMENT, FILES, KEY, KEYS, SIGNALS, WHO_STARTS_IT};

use crate::words::MACHINES_FOLDER;

/// What the program is for.
pub(super) fn about() -> String {
    format!(
        "\
Keeps session tokens in the OS keyring, lends them out, and revokes them at the server

The tokens are those of RSA Governance & Lifecycle. They are lent out through securid-ctl, and revoked on request, \
when idle, when their lifetime is over, and when the daemon stops.

Nobody needs to start it by hand: {WHO_STARTS_IT}."
    )
}

/// Of `--config`.
pub(super) fn config() -> String {
    format!(
        "Use this config file alone, instead of those in {MACHINES_FOLDER} (but for what they enforce) and the \
         user's own"
    )
}

/// Below the options.
pub(super) fn after() -> String {
    format!(
        "\
Exit status:
  0   stopped as asked; the config is good; --drain: nothing is left that
      could be revoked
  1   it cannot start: another daemon, no socket
  2   usage
  70  an error of its own; the next start goes on
  74  the state folder cannot be used
  75  --drain: something is not confirmed dead; the next start goes on
  78  bad config

{SIGNALS}
Environment:
  SECURID_CONFIG     as --config
  SECURID_SOCKET     as --socket
  SECURID_STATE_DIR  as --state-dir
  SECURID_LOG        as --log
  SECURID_KEY        for most keys of the config one of that name, as
                     SECURID_IDLE_TIMEOUT: {KEYS}
{ENVIRONMENT}
Files:
{FILES}
Examples:
  securid-sessiond --check-config
      tells every fault of the config, with its line
  securid-sessiond --drain --timeout 30s
      revokes what is recorded, as before the program is removed
  securid-sessiond --make-key {KEY}
      makes a key for keyring = \"sealed-file\""
    )
}
