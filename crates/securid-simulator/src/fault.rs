//! The ways to misbehave, and their names.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::duration::parse_duration;
use crate::echo::Echo;

/// How the server misbehaves. All but [`Fault::Delay`], [`Fault::ClockAhead`] and [`Fault::ReplyLost`] take the place of
/// the command, which is then not carried out.
///
/// Its text form (`hang`, `delay:250ms`, `status:503`, …) is also its form in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Fault {
    /// `hang`: the request is read and never answered.
    Hang,
    /// `reset`: the connection is reset after the request was read.
    Reset,
    /// `delay:250ms`: the command is carried out at once, its reply sent that much later.
    Delay(Duration),
    /// `status:503`: a page with that status, 200 to 599.
    Status(u16),
    /// `proxy-auth-401`: a proxy's own 401 page, which says nothing about tokens.
    ProxyAuth401,
    /// `captive-portal`: a hotel's login page, with status 200.
    CaptivePortal,
    /// `redirect`: a 302 to another name of this server, where a forged confirmation waits for
    /// whoever follows ([`crate::Truth::redirects_followed`]).
    Redirect,
    /// `echo:401:base64`: a page with that status, which repeats the token or password that was sent.
    Echo(u16, Echo),
    /// `wrong-type`: 200 and JSON, but the reply of another command.
    WrongType,
    /// `truncated`: what looks like the whole reply, though its `Content-Length` promises more; then
    /// the connection closes.
    Truncated,
    /// `endless`: a 200 whose body has no end (cut off after 64 MiB).
    Endless,
    /// `slow-drip`: a 200 whose body comes a byte a second, without end.
    SlowDrip,
    /// `throttle:2`, `throttle-date:2`: 429 with `Retry-After`.
    Throttle {
        /// How many seconds to wait.
        retry_after_secs: u64,
        /// Whether `Retry-After` has the form of a date rather than of a number.
        as_date: bool,
    },
    /// `down`: the listener is closed and live connections are cut, so that connections are refused;
    /// it comes back on the same port. Always the whole server's, even if set for one command.
    Down,
    /// `reply-lost`: the command is carried out (a token dies, or is made), but the connection is
    /// reset before the reply.
    ReplyLost,
    /// `clock-ahead:90s`: the command is carried out, and the reply's `Date` is that much too late.
    ClockAhead(Duration),
}

/// Text that names no fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseFaultError {
    /// No fault has this name, or it takes no argument or needs one.
    #[error("no such fault: {0:?} (hang, reset, delay:250ms, status:503, throttle:2, …)")]
    Unknown(String),
    /// The fault is known, what follows the colon is not what it wants.
    #[error("the fault {fault:?} wants {expected}, not {given:?}")]
    Argument {
        /// The fault's name.
        fault: String,
        /// What it wants.
        expected: &'static str,
        /// What it was given.
        given: String,
    },
}

impl Fault {
    /// Reads a setting: a fault's text, or that there is to be none (`none`, or nothing at all).
    ///
    /// # Errors
    /// As of [`Fault::from_str`].
    pub fn parse_setting(text: &str) -> Result<Option<Self>, ParseFaultError> {
        match text.trim() {
            "" | "none" => Ok(None),
            text => text.parse().map(Some),
        }
    }

    /// Whether the command is carried out in spite of this fault.
    pub(crate) fn carries_out(self) -> bool {
        matches!(self, Self::Delay(_) | Self::ReplyLost | Self::ClockAhead(_))
    }
}

impl FromStr for Fault {
    type Err = ParseFaultError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, argument) = match text.split_once(':') {
            Some((name, argument)) => (name, Some(argument)),
            None => (text, None),
        };
        let wants = |expected, given: &str| ParseFaultError::Argument {
            fault: name.to_owned(),
            expected,
            given: given.to_owned(),
        };
        Ok(match (name, argument) {
            ("hang", None) => Self::Hang,
            ("reset", None) => Self::Reset,
            ("delay", Some(delay)) => Self::Delay(
                parse_duration(delay).map_err(|_| wants("a duration such as 250ms", delay))?,
            ),
            ("status", Some(status)) => Self::Status(
                status
                    .parse()
                    .ok()
                    .filter(|status| (200..=599).contains(status))
                    .ok_or_else(|| wants("a status from 200 to 599", status))?,
            ),
            ("proxy-auth-401", None) => Self::ProxyAuth401,
            ("echo", Some(argument)) => {
                let wants =
                    || wants("a status from 200 to 599 and a form, as in 401:plain", argument);
                let (status, echo) = argument.split_once(':').ok_or_else(wants)?;
                let status: u16 = status.parse().map_err(|_| wants())?;
                let status = Some(status).filter(|status| (200..=599).contains(status));
                Self::Echo(status.ok_or_else(wants)?, echo.parse().map_err(|()| wants())?)
            }
            ("captive-portal", None) => Self::CaptivePortal,
            ("redirect", None) => Self::Redirect,
            ("wrong-type", None) => Self::WrongType,
            ("truncated", None) => Self::Truncated,
            ("endless", None) => Self::Endless,
            ("slow-drip", None) => Self::SlowDrip,
            ("throttle" | "throttle-date", Some(seconds)) => Self::Throttle {
                // 32 bits, so that no date can leave the calendar.
                retry_after_secs: seconds
                    .parse::<u32>()
                    .map_err(|_| wants("a number of seconds", seconds))?
                    .into(),
                as_date: name == "throttle-date",
            },
            ("down", None) => Self::Down,
            ("reply-lost", None) => Self::ReplyLost,
            ("clock-ahead", Some(by)) => Self::ClockAhead(
                parse_duration(by).map_err(|_| wants("a duration such as 90s", by))?,
            ),
            _ => return Err(ParseFaultError::Unknown(text.to_owned())),
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hang => "hang",
            Self::Reset => "reset",
            Self::Delay(delay) => return write!(f, "delay:{}ms", delay.as_millis()),
            Self::Status(status) => return write!(f, "status:{status}"),
            Self::ProxyAuth401 => "proxy-auth-401",
            Self::Echo(status, echo) => return write!(f, "echo:{status}:{echo}"),
            Self::CaptivePortal => "captive-portal",
            Self::Redirect => "redirect",
            Self::WrongType => "wrong-type",
            Self::Truncated => "truncated",
            Self::Endless => "endless",
            Self::SlowDrip => "slow-drip",
            Self::Throttle { retry_after_secs, as_date: false } => {
                return write!(f, "throttle:{retry_after_secs}");
            }
            Self::Throttle { retry_after_secs, as_date: true } => {
                return write!(f, "throttle-date:{retry_after_secs}");
            }
            Self::Down => "down",
            Self::ReplyLost => "reply-lost",
            Self::ClockAhead(by) => return write!(f, "clock-ahead:{}ms", by.as_millis()),
        })
    }
}

impl TryFrom<String> for Fault {
    type Error = ParseFaultError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Fault> for String {
    fn from(fault: Fault) -> Self {
        fault.to_string()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn every_text_form_comes_back_as_it_was() {
        for text in [
            "hang",
            "reset",
            "delay:250ms",
            "status:503",
            "proxy-auth-401",
            "echo:401:base64",
            "captive-portal",
            "redirect",
            "wrong-type",
            "truncated",
            "endless",
            "slow-drip",
            "throttle:2",
            "throttle-date:2",
            "down",
            "reply-lost",
            "clock-ahead:90000ms",
        ] {
            let fault: Fault = text.parse().unwrap();
            assert_eq!(fault.to_string(), text);
            let json = serde_json::to_string(&fault).unwrap();
            assert_eq!(json, format!("{text:?}"));
            assert_eq!(serde_json::from_str::<Fault>(&json).unwrap(), fault);
        }
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for text in ["", "none", "Hang", "hang:1", "delay", "status", "throttle", "up"] {
            assert_eq!(text.parse::<Fault>(), Err(ParseFaultError::Unknown(text.into())));
        }
        for text in
            ["delay:soon", "status:99", "status:600", "throttle:-1", "echo:plain", "echo:401:x"]
        {
            let refused = text.parse::<Fault>();
            assert!(matches!(refused, Err(ParseFaultError::Argument { .. })), "{text}");
        }
    }

    #[test]
    fn a_setting_may_be_none() {
        assert_eq!(Fault::parse_setting(" none\n"), Ok(None));
        assert_eq!(Fault::parse_setting(""), Ok(None));
        assert_eq!(Fault::parse_setting("hang\n"), Ok(Some(Fault::Hang)));
    }
}
