//! `call`: a command of the web service. The token stays in the daemon; body and answer pass through here piece by
//! piece, so that neither is ever in memory as a whole.

mod input;
mod output;

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use securid_ipc::{
    client::{Client, ClientError},
    duration::parse_duration,
    messages::{Begin, Call, Chunk, ErrorCode, GoOn, Relay, RelayView},
};

use crate::{
    Context,
    daemon::selector,
    failure::{FAILED, Failure, USAGE},
};
use input::Input;
use output::Output;

/// For one step of a call. The daemon itself waits for a keyring, a way to the server, and a minute for a server that
/// is silent; and however long the server is silent where `--timeout` says how long.
const STEP_WITHIN: Duration = Duration::from_secs(300);

/// Below the options, and in the manual page.
const EXAMPLES: &str = "\
Examples:
  securid-ctl call findUsers name=smith
      prints the server's answer
  securid-ctl call importUsers -s prod --input users.csv --content-type text/csv
      sends a file, piece by piece
  securid-ctl call exportUsers -o users.json --timeout 10m
      writes the answer to a file";

/// Have the server carry out a command; the session's token stays in the daemon
///
/// Exits with 0 if the server answers with 2xx, else with 1 and its own words.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// The command's name, as findUsers
    command: String,
    /// The command's arguments
    #[arg(value_name = "NAME=VALUE", value_parser = argument)]
    arguments: Vec<(String, String)>,
    /// Which session [else $SECURID_SESSION]
    #[arg(short, long, value_name = "SELECTOR")]
    session: Option<String>,
    /// Send what this file holds as the command's body (- is standard input)
    #[arg(long, value_name = "F")]
    input: Option<PathBuf>,
    /// Write the answer to this file, once it is whole [else to standard output, as it comes]
    #[arg(short, long, value_name = "F")]
    output: Option<PathBuf>,
    /// Ask for the answer in this form: json, properties, or what else the server knows [else as configured]
    #[arg(long, value_name = "F")]
    format: Option<String>,
    /// Give it up after this long [else when the server is silent for a minute]
    #[arg(long, value_name = "D", value_parser = parse_duration)]
    timeout: Option<Duration>,
    /// What the body is [else application/json]
    #[arg(long, value_name = "T")]
    content_type: Option<String>,
}

impl Args {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failure> {
        let mut arguments = BTreeMap::new();
        for (name, value) in self.arguments {
            if arguments.insert(name.clone(), value).is_some() {
                let message =
                    format!("the argument {} is there twice", securid_text::mention(&name));
                return Err(Failure::usage(message).with_hint("The server would take one of them."));
            }
        }
        let mut input = Input::open(self.input.as_deref())?;
        let length = input.length();
        let (body, more) = input.chunk()?;
        let begin = Begin {
            session: selector(self.session),
            command: self.command,
            arguments,
            format: self.format,
            content_type: self.content_type,
            timeout: self.timeout,
            length,
            body: Some(Chunk(body)).filter(|body| !body.0.is_empty()),
            more,
        };
        let mut client = Client::connect(&context.paths.sockets)?;
        let mut output = Output::open(self.output.as_deref())?;
        let within = self.timeout.map_or(STEP_WITHIN, |timeout| timeout + STEP_WITHIN);
        let answered = call(&mut client, begin, &mut input, within)?;
        pass_on(&mut client, answered, &mut output, within)?;
        output.finish()?;
        Ok(0)
    }
}

/// Sends it all; the first piece of the answer.
fn call(
    client: &mut Client,
    begin: Begin,
    input: &mut Input,
    within: Duration,
) -> Result<RelayView, Failure> {
    let mut follows = begin.more;
    let begun = client.call(&Call::Relay(Relay::Begin(begin)), within);
    let mut step: RelayView = begun.map_err(refused)?;
    while follows {
        let (body, more) = input.chunk()?;
        let on = GoOn { call: step.call, body: Some(Chunk(body)), more };
        step = client.call(&Call::Relay(Relay::GoOn(on)), within)?;
        follows = more;
    }
    Ok(step)
}

/// What the daemon finds wrong with a command that it was to begin stands on the command line.
fn refused(error: ClientError) -> Failure {
    let is_usage = matches!(&error, ClientError::Rpc(error) if error.code == ErrorCode::Params);
    let failure = Failure::from(error);
    // A daemon that is older has a status of its own.
    if is_usage && failure.exit() == FAILED { failure.exiting(USAGE) } else { failure }
}

/// Writes the answer as it comes.
fn pass_on(
    client: &mut Client,
    first: RelayView,
    output: &mut Output,
    within: Duration,
) -> Result<(), Failure> {
    let mut piece = first;
    loop {
        let (Some(body), Some(more)) = (piece.body, piece.more) else {
            let message = "the daemon gave an answer that makes no sense";
            return Err(Failure::new("garbled", message, FAILED));
        };
        output.write(&body.0)?;
        if !more {
            return Ok(());
        }
        let on = GoOn { call: piece.call, ..GoOn::default() };
        let next = client.call(&Call::Relay(Relay::GoOn(on)), within).map_err(Failure::from);
        piece =
            next.map_err(|failure| failure.about("the answer is incomplete").exiting(FAILED))?;
    }
}

fn argument(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write it as NAME=VALUE"),
    }
}
