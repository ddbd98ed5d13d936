//! The demo where it cannot be had.

use std::process::ExitCode;

/// Says so; the program's exit status is that of a command line that makes no sense.
pub(crate) fn walk() -> ExitCode {
    eprintln!(
        "securid-demo: this walk is Linux's: it shows the kernel's keyring and the signals there."
    );
    eprintln!("What works here, and how to try it, is in docs/windows.md and docs/macos.md.");
    ExitCode::from(2)
}
