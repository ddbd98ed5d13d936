//! All methods as one type.

use securid_text::mention;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use super::{
    ErrorCode, Relay, RpcError,
    params::{
        Add, Forget, History, Instructions, List, Login, Logout, Nothing, OneSession, Retry, Stop,
        Use,
    },
};

/// A call that was understood. `daemon.hello` is not among them: the connection answers it alone.
///
/// As [`Serialize`], it is its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// `daemon.status`
    Status,
    /// `daemon.reload`
    Reload,
    /// `daemon.stop`
    Stop(Stop),
    /// `session.add`
    Add(Add),
    /// `session.login`
    Login(Login),
    /// `session.instructions`: what its server wants a person to know before a login.
    Instructions(Instructions),
    /// `session.list`
    List(List),
    /// `session.history`
    History(History),
    /// `session.show`: one session as in the list. Never counts as use.
    Show(OneSession),
    /// `session.token`
    Token(Use),
    /// `session.touch`
    Touch(Use),
    /// `session.hold`: in use until the connection closes.
    Hold(OneSession),
    /// `session.call`: a command of the web service, through the daemon.
    Relay(Relay),
    /// `session.logout`
    Logout(Logout),
    /// `session.retry`
    Retry(Retry),
    /// `session.forget`
    Forget(Forget),
    /// `events.subscribe`: the connection is told of every change from then on.
    Subscribe,
}

impl Call {
    /// Understands a method and its parameters.
    ///
    /// # Errors
    /// [`ErrorCode::Method`] for a method that is not built, [`ErrorCode::Params`] for parameters
    /// that are positional, unknown, missing or of a wrong type. The message names the parameter
    /// and never repeats a value that could be a secret.
    pub fn parse(method: &str, params: Option<&RawValue>) -> Result<Self, RpcError> {
        match method {
            "daemon.status" => read(params).map(|Nothing {}| Self::Status),
            "daemon.reload" => read(params).map(|Nothing {}| Self::Reload),
            "daemon.stop" => read(params).map(Self::Stop),
            "session.add" => read(params).map(Self::Add),
            "session.login" => read(params).map(Self::Login),
            "session.instructions" => read(params).map(Self::Instructions),
            "session.list" => read(params).map(Self::List),
            "session.history" => read(params).map(Self::History),
            "session.show" => read(params).map(Self::Show),
            "session.token" => read(params).map(Self::Token),
            "session.touch" => read(params).map(Self::Touch),
            "session.hold" => read(params).map(Self::Hold),
            "session.call" => read(params).map(Self::Relay),
            "session.logout" => read(params).map(Self::Logout),
            "session.retry" => read(params).map(Self::Retry),
            "session.forget" => read(params).map(Self::Forget),
            "events.subscribe" => read(params).map(|Nothing {}| Self::Subscribe),
            _ => {
                let message = format!("there is no method {}", mention(method));
                Err(RpcError::new(ErrorCode::Method, message))
            }
        }
    }

    /// The method's name.
    #[must_use]
    pub fn method(&self) -> &'static str {
        match self {
            Self::Status => "daemon.status",
            Self::Reload => "daemon.reload",
            Self::Stop(_) => "daemon.stop",
            Self::Add(_) => "session.add",
            Self::Login(_) => "session.login",
            Self::Instructions(_) => "session.instructions",
            Self::List(_) => "session.list",
            Self::History(_) => "session.history",
            Self::Show(_) => "session.show",
            Self::Token(_) => "session.token",
            Self::Touch(_) => "session.touch",
            Self::Hold(_) => "session.hold",
            Self::Relay(_) => "session.call",
            Self::Logout(_) => "session.logout",
            Self::Retry(_) => "session.retry",
            Self::Forget(_) => "session.forget",
            Self::Subscribe => "events.subscribe",
        }
    }
}

impl Serialize for Call {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Status | Self::Reload | Self::Subscribe => Nothing {}.serialize(serializer),
            Self::Stop(params) => params.serialize(serializer),
            Self::Add(params) => params.serialize(serializer),
            Self::Login(params) => params.serialize(serializer),
            Self::Instructions(params) => params.serialize(serializer),
            Self::List(params) => params.serialize(serializer),
            Self::History(params) => params.serialize(serializer),
            Self::Show(params) | Self::Hold(params) => params.serialize(serializer),
            Self::Token(params) | Self::Touch(params) => params.serialize(serializer),
            Self::Relay(params) => params.serialize(serializer),
            Self::Logout(params) => params.serialize(serializer),
            Self::Retry(params) => params.serialize(serializer),
            Self::Forget(params) => params.serialize(serializer),
        }
    }
}

/// Reads the parameters of one method. Absent ones are the same as `{}`.
fn read<'a, T: Deserialize<'a>>(params: Option<&'a RawValue>) -> Result<T, RpcError> {
    let text = params.map_or("{}", RawValue::get);
    if !text.starts_with('{') {
        let message = "parameters are given by name, in an object";
        return Err(RpcError::new(ErrorCode::Params, message));
    }
    serde_json::from_str(text).map_err(|error| {
        let mut refused = RpcError::new(ErrorCode::Params, wording(&error));
        refused.data.unknown = error.to_string().starts_with("unknown field ");
        refused
    })
}

/// Says what was wrong in the words of the protocol, and repeats no value: whoever gives a
/// password as a number would otherwise find it in a log.
fn wording(error: &serde_json::Error) -> String {
    let mut text = error.to_string();
    if let Some(position) = text.rfind(" at line ") {
        text.truncate(position);
    }
    if text.starts_with("invalid ") {
        return match text.rsplit_once(", expected ") {
            Some((_, expected)) => format!("a parameter is wrong: expected {expected}"),
            None => "a parameter is wrong".to_owned(),
        };
    }
    if let Some((name, others)) = text
        .strip_prefix("unknown field `")
        .and_then(|rest| rest.rsplit_once("`, expected ").or_else(|| rest.rsplit_once("`, there ")))
        && mention(name) != format!("{name:?}")
    {
        return format!("unknown parameter {}, known: {others}", mention(name));
    }
    text.replace("there are no fields", "there are none")
        .replacen("unknown field", "unknown parameter", 1)
        .replacen("missing field", "missing parameter", 1)
        .replacen("duplicate field", "repeated parameter", 1)
}
