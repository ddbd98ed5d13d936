//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use securid_ipc::duration::parse_duration;
use securid_ipc::paths::Overrides;
use tracing::level_filters::LevelFilter;

/// Keeps the session tokens of RSA Governance & Lifecycle in the OS keyring, lends them out through
/// securid-ctl, and revokes them at the server: on request, when idle, when their lifetime is over,
/// and when it stops.
#[derive(Debug, Parser)]
#[command(name = "securid-sessiond", version = securid_ipc::VERSION)]
pub(crate) struct Args {
    /// Use this config file alone, instead of /etc/securid/config.toml and the user's own
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Listen here
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,

    /// Keep records, history and lock here
    #[arg(long, value_name = "FOLDER")]
    state_dir: Option<PathBuf>,

    /// What to tell on stderr: off, error, warn, info, debug or trace
    #[arg(long, env = "SECURID_LOG", value_name = "LEVEL", default_value = "info")]
    pub(crate) log: LevelFilter,

    /// Say whether the config is good, and exit (0 or 78)
    #[arg(long)]
    pub(crate) check_config: bool,

    /// Revoke what is recorded, without a socket, and exit: 0, or 75 if something is not confirmed.
    /// A daemon that runs is asked to do it
    #[arg(long, conflicts_with = "check_config")]
    pub(crate) drain: bool,

    /// How long --drain may take [default: the config's shutdown_grace]
    #[arg(long, value_name = "D", value_parser = parse_duration, requires = "drain")]
    pub(crate) timeout: Option<Duration>,

    /// Tell on stdout how far --drain came, as JSON
    #[arg(long, requires = "drain")]
    pub(crate) json: bool,

    /// Make a key for keyring = "sealed-file" in a new file (`-`: on stdout), and exit
    #[arg(long, value_name = "FILE", conflicts_with_all = ["check_config", "drain"])]
    pub(crate) make_key: Option<PathBuf>,
}

impl Args {
    /// Where flags say that things are.
    pub(crate) fn overrides(&self) -> Overrides {
        Overrides {
            socket: self.socket.clone(),
            state_dir: self.state_dir.clone(),
            config: self.config.clone(),
        }
    }
}

/// Reads the command line; ends the process with status 2 and a message if it makes no sense.
pub(crate) fn parse() -> Args {
    Args::parse()
}
