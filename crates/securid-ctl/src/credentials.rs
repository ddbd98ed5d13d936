//! Who logs in, and where the password comes from: for `login` and `exec --login` alike.

use std::{env, ffi::OsString, io, path::PathBuf};

use clap::ValueHint;
use securid_ipc::{
    client::{Client, ClientError},
    messages::{Call, Instructions, InstructionsView, Login, Proof},
};
use securid_secret::Secret;

use crate::{
    Context, askpass,
    daemon::ask_patiently,
    failure::Failure,
    interrupt::{Caught, Interrupt, interrupted},
    screen::printable,
    secrets,
    terminal::{LOGGED_IN, Terminal},
    words::PASSWORD_FILE,
};

/// What the password has to be called among systemd's credentials.
const CREDENTIAL: &str = "securid-password";

/// What to do where nobody can be asked.
const ELSEWHERE: &str = "Use --password-stdin, --password-file or --askpass.";

/// How to log in.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Credentials {
    /// Who logs in [else as configured]
    #[arg(long, value_name = "U")]
    username: Option<String>,
    /// The authentication source [else as configured]
    #[arg(long, value_name = "S")]
    auth_source: Option<String>,
    /// Read the password from standard input
    #[arg(long, conflicts_with_all = ["password_file", "askpass"])]
    password_stdin: bool,
    // Where it comes from else, each system says.
    #[arg(long, value_name = "F", conflicts_with = "askpass", help = PASSWORD_FILE)]
    password_file: Option<PathBuf>,
    /// Have this program ask for the password: it gets the prompt as its argument, and says the password on
    /// its standard output [else $SECURID_ASKPASS, where there is no terminal]
    #[arg(long, value_name = "PROGRAM", value_hint = ValueHint::FilePath)]
    askpass: Option<OsString>,
}

/// Where the password comes from.
enum Source {
    Stdin,
    File(PathBuf),
    Program(OsString),
    Terminal,
}

impl Credentials {
    /// A login with a password. Whoever is asked for it knows by then where it goes, and that there is a server.
    pub(crate) fn login(
        self,
        context: &Context,
        instance: Option<String>,
        interrupt: &Interrupt,
    ) -> Result<Login, Failure> {
        let password = match self.source()? {
            Source::Stdin => secrets::from_stdin("password")?,
            Source::File(file) => secrets::from_file(&file, "password")?,
            Source::Program(program) => {
                let (login, place) = self.look(context, instance)?;
                let name = login.username.clone().ok_or_else(no_username)?;
                let prompt = prompt(&name, &place);
                let ask = |caught: &mut Caught| askpass::ask(&program, &prompt, caught);
                return Ok(login.with(interrupt.spare(ask)??));
            }
            Source::Terminal => {
                let (login, place) = self.look(context, instance)?;
                return interrupt.spare(|caught| login.ask(&place, caught))?;
            }
        };
        Ok(self.at(instance).with(password))
    }

    /// A login on another party's word.
    pub(crate) fn login_with_assertion(self, instance: Option<String>, assertion: Secret) -> Login {
        self.at(instance).proved(Proof::Assertion(assertion))
    }

    fn source(&self) -> Result<Source, Failure> {
        if self.password_stdin {
            return Ok(Source::Stdin);
        }
        if let Some(program) = &self.askpass {
            return Ok(Source::Program(program.clone()));
        }
        if let Some(file) = self.password_file.clone().or_else(|| secrets::credential(CREDENTIAL)) {
            return Ok(Source::File(file));
        }
        if Terminal::is_there() {
            return Ok(Source::Terminal);
        }
        let program = env::var_os("SECURID_ASKPASS").filter(|program| !program.is_empty());
        program.map(Source::Program).ok_or_else(|| {
            Failure::usage("there is no terminal to ask for the password").with_hint(ELSEWHERE)
        })
    }

    /// Asks where this login goes. From then on it goes there, whatever becomes of the config meanwhile.
    fn look(
        self,
        context: &Context,
        instance: Option<String>,
    ) -> Result<(Unproved, InstructionsView), Failure> {
        let mut client = Client::connect(&context.paths.sockets)?;
        let call =
            Call::Instructions(Instructions { instance, auth_source: self.auth_source.clone() });
        let place: InstructionsView = ask_patiently(context, &mut client, &call)?;
        let login = Unproved {
            instance: Some(place.instance.clone()),
            username: self.username.or_else(|| place.username.clone()),
            auth_source: place.auth_source.clone(),
        };
        Ok((login, place))
    }

    fn at(self, instance: Option<String>) -> Unproved {
        Unproved { instance, username: self.username, auth_source: self.auth_source }
    }
}

/// A login before it is known by what.
struct Unproved {
    instance: Option<String>,
    username: Option<String>,
    auth_source: Option<String>,
}

impl Unproved {
    /// Asks on the terminal for what is missing.
    fn ask(mut self, place: &InstructionsView, caught: &mut Caught) -> Result<Login, Failure> {
        let no_terminal = |error| no_answer("password", &error);
        let terminal = Terminal::open().map_err(no_terminal)?;
        if let Some(instructions) = &place.instructions {
            let heading = format!("{} says:", name_of(place));
            terminal.tell(&heading, instructions).map_err(no_terminal)?;
        }
        let name = match self.username.take() {
            Some(name) => name,
            None => ask_name(&terminal, caught)?,
        };
        let password = terminal
            .ask_secretly(caught, &prompt(&name, place))
            .map_err(|error| no_answer("password", &error))?;
        let password = secrets::not_empty(password, "password")?;
        self.username = Some(name);
        Ok(self.with(password))
    }

    fn with(self, password: Secret) -> Login {
        self.proved(Proof::Password(password))
    }

    fn proved(self, proof: Proof) -> Login {
        let Self { instance, username, auth_source } = self;
        Login { instance, username, proof, auth_source, replace: false, tied: false }
    }
}

/// Asks who logs in: whoever has logged in here, unless he says another name.
fn ask_name(terminal: &Terminal, caught: &mut Caught) -> Result<String, Failure> {
    let here = env::var(LOGGED_IN).ok().filter(|name| !name.is_empty());
    let prompt = match &here {
        Some(name) => format!("Username [{}]: ", printable(name)),
        None => "Username: ".to_owned(),
    };
    let typed = terminal.ask(caught, &prompt).map_err(|error| no_answer("username", &error))?;
    match (typed.expose().trim(), here) {
        ("", Some(name)) => Ok(name),
        ("", None) => Err(Failure::usage("no username was given")),
        (name, _) => Ok(name.to_owned()),
    }
}

/// What a person is asked: he should see whose password goes where.
fn prompt(name: &str, place: &InstructionsView) -> String {
    format!("Password for {} at {}: ", printable(name), name_of(place))
}

/// `prod (https://host:8443)`.
fn name_of(place: &InstructionsView) -> String {
    let path = place.url.find("://").and_then(|scheme| {
        place.url[scheme + 3..].find('/').map(|authority| scheme + 3 + authority)
    });
    let origin = &place.url[..path.unwrap_or(place.url.len())];
    format!("{} ({})", printable(&place.instance), printable(origin))
}

fn no_answer(what: &str, error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::Interrupted => interrupted(),
        io::ErrorKind::UnexpectedEof => Failure::usage(format!("no {what} was given")),
        _ => Failure::usage(format!("no {what} was given: {error}")).with_hint(ELSEWHERE),
    }
}

/// The error where the daemon knows too little to log in; `None` is any other answer.
pub(crate) fn lacking<T>(answer: &Result<T, ClientError>) -> Option<Failure> {
    let Err(ClientError::Rpc(error)) = answer else { return None };
    match error.data.missing.as_deref()? {
        "username" => Some(no_username()),
        "auth_source" => {
            let message = "neither the config nor the command says which authentication source checks the assertion";
            Some(Failure::usage(message).with_hint("Say it with --auth-source."))
        }
        _ => None,
    }
}

fn no_username() -> Failure {
    Failure::usage("neither the config nor the command says who logs in")
        .with_hint("Say it with --username.")
}
