//! The command line.
//!
//! - `help`: what help says besides, with what one system has

mod help;

use std::io::{Write, stderr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use clap::builder::TypedValueParser as _;
use securid_ipc::duration::parse_duration;
use securid_ipc::misuse::Misuse;
use securid_ipc::paths::Overrides;
use tracing::level_filters::LevelFilter;

use crate::config::Assignment;

/// The exit status of a command line that makes no sense.
const USAGE: u8 = 2;

/// Keeps session tokens in the OS keyring, lends them out, and revokes them at the server
#[derive(Debug, Parser)]
#[command(name = "securid-sessiond", version = securid_ipc::VERSION, long_about = help::about(), after_long_help = help::after())]
pub(crate) struct Args {
    // Instead of which files, each system says.
    #[arg(long, value_name = "FILE", help = help::config())]
    config: Option<PathBuf>,

    /// Give a key of the config a value, over all files, as revocation.concurrency=8
    #[arg(long, value_name = "KEY=VALUE", value_parser = clap::builder::StringValueParser::new().map(Assignment::from))]
    pub(crate) set: Vec<Assignment>,

    // What it is, each system says.
    #[arg(long, value_name = help::SOCKET[0], help = help::SOCKET[1])]
    socket: Option<PathBuf>,

    /// Keep records, history and lock here
    #[arg(long, value_name = "FOLDER")]
    state_dir: Option<PathBuf>,

    /// What to tell on stderr: off, error, warn, info, debug or trace
    #[arg(long, env = "SECURID_LOG", value_name = "LEVEL", default_value = "info", value_parser = parse_level)]
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

/// Reads the command line.
///
/// # Errors
/// The exit status if it makes no sense, which is told on stderr, or asks for help, which is given.
pub(crate) fn parse() -> Result<Args, ExitCode> {
    Args::try_parse().map_err(|error| {
        if error.exit_code() == 0 {
            // Nothing can be said if even that cannot be printed.
            let _ = error.print();
            return ExitCode::SUCCESS;
        }
        let Misuse { message, advice } = Misuse::of(error);
        let _ = stderr().write_all(format!("securid-sessiond: {message}\n{advice}\n").as_bytes());
        ExitCode::from(USAGE)
    })
}

/// The levels of the log, in its own words.
fn parse_level(text: &str) -> Result<LevelFilter, String> {
    text.parse().map_err(|_| "write off, error, warn, info, debug or trace".to_owned())
}

// The manual page is of Linux.
#[cfg(all(test, target_os = "linux"))]
mod tests {
    use clap::CommandFactory as _;
    use securid_manual::{keep_all, of_program};

    use super::*;

    /// Pages that the daemon's refers to.
    const OTHERS: [&str; 4] =
        ["securid-ctl(1)", "securid.toml(5)", "securid-protocol(7)", "systemctl(1)"];

    #[test]
    fn the_manual_page_says_what_help_says() {
        keep_all("securid-sessiond", &of_program(Args::command(), "8", &OTHERS));
    }
}
