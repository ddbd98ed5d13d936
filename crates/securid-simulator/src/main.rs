//! The program `securid-simulator`: a [`Simulator`] by hand.

mod arguments;
mod console;
mod system;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use securid_simulator::{Options, Simulator, Validity};
use serde_json::json;

use crate::arguments::Arguments;
use crate::console::Console;
use crate::system::create_private;

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
    options.handshake.wants_certificate = arguments.client_cert_out.is_some();
    let simulator = Simulator::start(options)?;
    simulator.set_fault(arguments.fault);

    let ca_file = arguments.ca_out.map(std::path::absolute).transpose()?;
    if let Some(ca_file) = &ca_file {
        std::fs::write(ca_file, simulator.ca_pem())?;
    }
    if let Some(file) = arguments.client_cert_out {
        let client = simulator.client_certificate("client", Validity::Now)?;
        let mut file = create_private(&file)?;
        write!(file, "{}{}", client.chain, client.key)?;
    }
    // Before it says that it is there: who reads that may send a signal at once.
    let console = Console::open()?;
    let started = json!({ "url": simulator.url(), "ca_file": ca_file, "pid": std::process::id() });
    writeln!(io::stdout(), "{started}")?;
    console.run(&simulator)
}
