//! What can stand behind a key: how each type is written, and read.

mod path;
mod spans;

use std::path::{Path, PathBuf};

use securid_api::{Endpoint, Format, ProxySettings};
use securid_store::{Preference, StoreKind};
use securid_text::mention;

use super::{AuditTarget, Fate};
use crate::journal;

pub(crate) use path::is_possible;
use path::is_whole;
pub(super) use spans::{Emptiness, HistoryKeep, Limit, Span};

/// A value as it was given, before anybody knows what it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Given {
    Text(String),
    Integer(i64),
    Boolean(bool),
    /// In a variable or a flag, where everything is text.
    Bare(String),
    /// What no key takes, as a date; this is what it is.
    Other(&'static str),
}

impl Given {
    /// A text; `takes` is what the key takes, for whoever gave something else.
    pub(super) fn text(&self, takes: &str) -> Result<&str, String> {
        match self {
            Self::Text(text) | Self::Bare(text) => Ok(text),
            _ => Err(format!("is {}: write {takes}, in quotes", self.kind())),
        }
    }

    fn bare<T: std::str::FromStr>(&self, takes: &str) -> Result<T, String> {
        match self {
            Self::Bare(text) => {
                text.parse().map_err(|_| format!("{}: write {takes}", mention(text)))
            }
            _ => Err(format!("is {}: write {takes}, without quotes", self.kind())),
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) | Self::Bare(_) => "a string",
            Self::Integer(_) => "an integer",
            Self::Boolean(_) => "a boolean",
            Self::Other(kind) => kind,
        }
    }

    /// As it can be given to `--set`.
    pub(super) fn written(&self) -> String {
        match self {
            Self::Text(text) | Self::Bare(text) => text.clone(),
            Self::Integer(number) => number.to_string(),
            Self::Boolean(is) => is.to_string(),
            Self::Other(kind) => (*kind).to_owned(),
        }
    }
}

/// A type of values.
pub(super) trait Setting: Sized + Clone {
    /// What to write, in words.
    const TAKES: &'static str;

    /// Understands a value, or says what is wrong with it, without repeating what may be a secret.
    fn read(given: &Given) -> Result<Self, String>;

    /// As a person writes it, for defaults; none where nothing is meant.
    fn written(&self) -> Option<String>;
}

/// A key that may be left out, without anything in its place.
impl<T: Setting> Setting for Option<T> {
    const TAKES: &'static str = T::TAKES;

    fn read(given: &Given) -> Result<Self, String> {
        T::read(given).map(Some)
    }

    fn written(&self) -> Option<String> {
        self.as_ref()?.written()
    }
}

impl Setting for bool {
    const TAKES: &'static str = "true or false";

    fn read(given: &Given) -> Result<Self, String> {
        match given {
            Given::Boolean(is) => Ok(*is),
            _ => given.bare(Self::TAKES),
        }
    }

    fn written(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Setting for String {
    const TAKES: &'static str = "a text";

    fn read(given: &Given) -> Result<Self, String> {
        given.text(Self::TAKES).map(str::to_owned)
    }

    fn written(&self) -> Option<String> {
        Some(self.clone())
    }
}

/// The daemon's own folder says nothing, so a path has to be a whole one.
impl Setting for PathBuf {
    const TAKES: &'static str = "an absolute path";

    fn read(given: &Given) -> Result<Self, String> {
        let path = Self::from(given.text(<Self as Setting>::TAKES)?);
        is_whole(&path).map(|()| path)
    }

    fn written(&self) -> Option<String> {
        Some(self.display().to_string())
    }
}

impl Setting for Fate {
    const TAKES: &'static str = "revoke or keep";

    fn read(given: &Given) -> Result<Self, String> {
        match given.text(Self::TAKES)? {
            "revoke" => Ok(Self::Revoke),
            "keep" => Ok(Self::Keep),
            other => Err(format!("{}: write {}", mention(other), Self::TAKES)),
        }
    }

    fn written(&self) -> Option<String> {
        let name = match self {
            Self::Revoke => "revoke",
            Self::Keep => "keep",
        };
        Some(name.to_owned())
    }
}

impl Setting for Preference {
    const TAKES: &'static str = "auto or sealed-file; on Linux secret-service or keyutils, on macOS keychain, on Windows \
         credential-manager";

    fn read(given: &Given) -> Result<Self, String> {
        let here = keyrings_of_this_system();
        let name = given.text(&here)?;
        if name == "auto" {
            return Ok(Self::Auto);
        }
        let what = match StoreKind::from_name(name) {
            Some(kind) if kind.is_of_this_system() => return Ok(Self::Fixed(kind)),
            Some(_) => "is a keyring that this system has not",
            None => "is no keyring of this version",
        };
        Err(format!("{} {what}: write {here}", mention(name)))
    }

    fn written(&self) -> Option<String> {
        let name = match self {
            Self::Auto => "auto",
            Self::Fixed(kind) => kind.name(),
        };
        Some(name.to_owned())
    }
}

/// What a config may say here, as `auto, secret-service or keyutils`.
fn keyrings_of_this_system() -> String {
    let mut names: Vec<_> = StoreKind::of_this_system().map(StoreKind::name).collect();
    let last = names.pop().unwrap_or_default();
    format!("auto, {} or {last}", names.join(", "))
}

/// What a config may say here of the audit.
const AUDITS_OF_THIS_SYSTEM: &str =
    if journal::IS_HERE { AuditTarget::TAKES } else { "none, or the absolute path of a file" };

impl Setting for AuditTarget {
    const TAKES: &'static str = "none, journal, or the absolute path of a file";

    fn read(given: &Given) -> Result<Self, String> {
        let here = AUDITS_OF_THIS_SYSTEM;
        match given.text(here)? {
            "none" => Ok(Self::None),
            "journal" if journal::IS_HERE => Ok(Self::Journal),
            "journal" => Err(format!("this system has no journal: write {here}")),
            path if Path::new(path).is_absolute() => {
                is_whole(Path::new(path)).map(|()| Self::File(path.into()))
            }
            other => {
                let other = mention(other);
                Err(format!("{other} is no place for the audit: write {here}"))
            }
        }
    }

    fn written(&self) -> Option<String> {
        Some(match self {
            Self::None => "none".to_owned(),
            Self::Journal => "journal".to_owned(),
            Self::File(path) => path.display().to_string(),
        })
    }
}

impl Setting for Endpoint {
    const TAKES: &'static str = "a URL, as https://host:8443/aveksa";

    fn read(given: &Given) -> Result<Self, String> {
        Self::parse(given.text(Self::TAKES)?).map_err(|error| error.to_string())
    }

    fn written(&self) -> Option<String> {
        Some(self.url().to_owned())
    }
}

/// A proxy's URL, or `none`.
#[derive(Debug, Clone)]
pub(super) struct ProxyUrl(pub(super) String);

impl Setting for ProxyUrl {
    const TAKES: &'static str = "http://HOST:PORT or none";

    /// It may have a password in it, so it is not repeated.
    fn read(given: &Given) -> Result<Self, String> {
        let url = given.text(Self::TAKES)?;
        ProxySettings::check(url).map_err(|wrong| format!("{wrong}, or \"none\""))?;
        Ok(Self(url.to_owned()))
    }

    fn written(&self) -> Option<String> {
        Some(self.0.clone())
    }
}

impl Setting for Format {
    const TAKES: &'static str = "json or properties";

    fn read(given: &Given) -> Result<Self, String> {
        let name = given.text(Self::TAKES)?;
        Self::from_name(name)
            .ok_or_else(|| format!("{} is no reply format: write {}", mention(name), Self::TAKES))
    }

    fn written(&self) -> Option<String> {
        Some(self.name().to_owned())
    }
}

/// How many attempts at once. The bound keeps a daemon below a server's usual limit of connections.
#[derive(Debug, Clone, Copy)]
pub(super) struct Concurrency(pub(super) usize);

impl Concurrency {
    const MOST: i64 = 256;
}

impl Setting for Concurrency {
    const TAKES: &'static str = "a whole number from 1 to 256";

    fn read(given: &Given) -> Result<Self, String> {
        let number = match given {
            Given::Integer(number) => *number,
            _ => given.bare(Self::TAKES)?,
        };
        match usize::try_from(number) {
            Ok(fits) if (1..=Self::MOST).contains(&number) => Ok(Self(fits)),
            _ => Err(format!("{number} is out of bounds: write {}", Self::TAKES)),
        }
    }

    fn written(&self) -> Option<String> {
        Some(self.0.to_string())
    }
}
