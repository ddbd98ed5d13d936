//! What the daemon tells about itself, on stderr.

use std::io::IsTerminal;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Starts the log. Only our own crates are as talkative as asked for: what libraries tell of
/// requests and D-Bus messages could hold secrets, so they are never heard below a warning.
pub(crate) fn start(level: LevelFilter) {
    let targets = Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_target("securid_sessiond", level)
        .with_target("securid_store", level)
        .with_target("securid_ipc", level)
        .with_target("securid_api", level);
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
        .with_target(false);
    // It fails only if a log is running already, which then goes on.
    let _ = tracing_subscriber::registry().with(targets).with(lines).try_init();
}
