//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use securid_simulator::{Fault, parse_duration};

/// Lines of at most 78 columns: clap would wrap longer ones, and a wrapped command cannot be pasted.
const EXAMPLES: &str = "\
EXAMPLES
  Start it, and see what a client is to be told:
    securid-simulator --listen-port 8443 --ca-out /tmp/ca.pem
    {\"ca_file\":\"/tmp/ca.pem\",\"pid\":4711,\"url\":\"https://localhost:8443/aveksa\"}

  Log in and out as a script would:
    export CURL_CA_BUNDLE=/tmp/ca.pem
    url=https://localhost:8443/aveksa/command.submit
    user='<username>alice</username><password>correct horse</password>'
    token=$(curl -H 'Content-Type: application/xml' -d \"$user\" \"$url?cmd=loginUser\" | sed s/^token=//)
    curl -X POST -H \"Authorization: Bearer $token\" -H 'Content-Length: 0' \\
      -H 'Accept: application/json' -H 'Content-Type: application/json' \\
      \"$url?cmd=logoutUser&format=json\"

  Look at the truth, and change what it does while it runs:
    at=https://localhost:8443
    curl $at/truth
    curl -X PUT -d captive-portal $at/fault
    curl -X PUT -d hang \"$at/fault?cmd=logoutUser\"
    curl -X PUT -d none \"$at/fault?cmd=logoutUser\"
    curl -X PUT -d 50ms $at/latency
    curl -X POST -d alice $at/issue
    curl -X POST -d \"$token\" $at/expire

  With the fault `down` nobody is there to hear that, so standard input takes
  lines too:
    fault down    fault hang logoutUser    fault none    latency 50ms
    issue alice   expire TOKEN             truth         quit

FAULTS
  Instead of the command:
    hang  reset  status:503  proxy-auth-401  captive-portal  redirect  down
    wrong-type  truncated  endless  slow-drip  throttle:2  throttle-date:2
    echo:401:plain (upper, entities, json, percent, base64, basic, spaced, tagged, zero-width, control,
    late, location): what was sent comes back
  The command is carried out:
    delay:250ms   the reply comes later
    clock-ahead:90s  its Date is so much too late
    reply-lost    the connection is reset before the reply
  The general fault and those of single commands are set and cleared each by
  itself; a command's own goes first.";

/// A server that behaves as the web services of RSA Governance & Lifecycle do, on 127.0.0.1, with
/// faults to switch on. For tests and for trying things out; it ends with SIGINT, SIGTERM or `quit`.
#[derive(Parser)]
#[command(version, after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// TCP port; without it the system chooses a free one
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(crate) listen_port: u16,

    /// Write the certificate of the private CA (PEM) to this file
    #[arg(long, value_name = "FILE", conflicts_with = "no_tls")]
    pub(crate) ca_out: Option<PathBuf>,

    /// Let in only clients with a certificate, and write one with its key (PEM, closed to others) to this file
    #[arg(long, value_name = "FILE", conflicts_with = "no_tls")]
    pub(crate) client_cert_out: Option<PathBuf>,

    /// Who may log in, instead of `alice:correct horse`; may be given several times
    #[arg(long = "user", value_name = "NAME:PASSWORD", value_parser = user)]
    pub(crate) users: Vec<(String, String)>,

    /// What every reply of a command takes longer
    #[arg(long, value_name = "DURATION", default_value = "0ms", value_parser = parse_duration)]
    pub(crate) latency: Duration,

    /// The fault to start with
    #[arg(long)]
    pub(crate) fault: Option<Fault>,

    /// Plain HTTP instead of TLS
    #[arg(long)]
    pub(crate) no_tls: bool,
}

fn user(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once(':') {
        Some((name, password)) if !name.is_empty() => Ok((name.to_owned(), password.to_owned())),
        _ => Err("expected NAME:PASSWORD"),
    }
}
