//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use clap::builder::TypedValueParser as _;
use securid_ipc::duration::parse_duration;
use securid_ipc::paths::Overrides;
use tracing::level_filters::LevelFilter;

use crate::config::Assignment;

/// Keeps the session tokens of RSA Governance & Lifecycle in the OS keyring, lends them out through
/// securid-ctl, and revokes them at the server: on request, when idle, when their lifetime is over,
/// and when it stops.
#[derive(Debug, Parser)]
#[command(name = "securid-sessiond", version = securid_ipc::VERSION)]
pub(crate) struct Args {
    /// Use this config file alone, instead of those in /etc/securid (but for what they enforce) and the
    /// user's own
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Give a key of the config a value, over all files, as revocation.concurrency=8
    #[arg(long, value_name = "KEY=VALUE", value_parser = clap::builder::StringValueParser::new().map(Assignment::from))]
    pub(crate) set: Vec<Assignment>,

    /// Listen here
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,

    /// Keep records, history and lock here
    #[arg(long, value_name = "FOLDER")]
    state_dir: Option<PathBuf>,

    /// What to tell on stderr: off, error, warn, info, debug or trace
    #[arg(long, env = "SECURID_LOG", value_name = "LEVEL", default_value = "info")]
    pub(crate) log: LevelFilter,

    /// Say whether the config is good, and exit (0 or 78). With a FILE: whether that is good as one more
    /// of the machine's files
    #[arg(long, value_name = "FILE", num_args = 0..=1)]
    pub(crate) check_config: Option<Option<PathBuf>>,

    /// Show the config, each value with the place where it stands, as JSON, and exit (0 or 78)
    #[arg(long, conflicts_with = "check_config")]
    pub(crate) show_config: bool,

    /// Revoke what is recorded, without a socket, and exit: 0, or 75 if something is not confirmed.
    /// A daemon that runs is asked to do it
    #[arg(long, group = "telling", conflicts_with_all = ["check_config", "show_config"])]
    pub(crate) drain: bool,

    /// Look at everything that sessions need, and change nothing: config, keyring, records, disk, each
    /// server. Exits with 0 only if all is fine, else 1. securid-ctl doctor shows it with the rest
    #[arg(long, group = "telling", conflicts_with_all = ["check_config", "show_config"])]
    pub(crate) doctor: bool,

    /// How long --drain may take [default: the config's shutdown_grace]
    #[arg(long, value_name = "D", value_parser = parse_duration, requires = "drain")]
    pub(crate) timeout: Option<Duration>,

    /// Tell on stdout how far --drain came, or what --doctor found (a line each), as JSON
    #[arg(long, requires = "telling")]
    pub(crate) json: bool,

    /// Make a key for keyring = "sealed-file" in a new file (`-`: on stdout), and exit
    #[arg(long, value_name = "FILE", conflicts_with_all = ["check_config", "show_config", "telling"])]
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
