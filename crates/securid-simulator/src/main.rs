//! The program `securid-simulator`: a [`Simulator`] by hand.

mod arguments;
mod console;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use securid_simulator::{Options, Simulator};
use serde_json::json;

use crate::arguments::Arguments;
use crate::console::Console;

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("securid-simulator: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> io::Result<()> {
    let mut options = Options {
        port: arguments.listen_port,
        tls: !arguments.no_tls,
        latency: arguments.latency,
        ..Options::default()
    };
    if !arguments.users.is_empty() {
        options.users = arguments.users;
    }
    let simulator = Simulator::start(options)?;
    simulator.set_fault(arguments.fault);

    let ca_file = arguments.ca_out.map(std::path::absolute).transpose()?;
    if let Some(ca_file) = &ca_file {
        std::fs::write(ca_file, simulator.ca_pem())?;
    }
    // Before it says that it is there: who reads that may send a signal at once.
    let console = Console::open()?;
    let started = json!({ "url": simulator.url(), "ca_file": ca_file, "pid": std::process::id() });
    writeln!(io::stdout(), "{started}")?;
    console.run(&simulator)
}
