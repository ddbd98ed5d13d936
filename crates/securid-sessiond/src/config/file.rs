//! One TOML file: every key may be missing, and every value remembers where it stands.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::Metadata;
use std::io::{self, Read};
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use securid_api::Format;
use securid_ipc::duration::{format_duration, parse_duration};
use securid_text::mention;
use securid_trust::{OpenError, is_trusted, is_writable_by_others};
use serde::de::{self, Deserialize, Deserializer};
use toml::Spanned;

use super::{Fate, Fault};

/// How a key begins that nobody wrote: it is there for a value whose place is kept.
const OF_A_SPAN: &str = "$__serde_spanned";

/// What one file says. Which keys there are is the contract's; those of later versions are unknown.
#[derive(Debug, Default, serde::Deserialize)]
pub(crate) struct ConfigFile {
    pub(crate) default_instance: Option<Spanned<String>>,
    pub(crate) keyring: Option<Spanned<String>>,
    pub(crate) key_file: Option<Spanned<PathBuf>>,
    pub(crate) require_durable: Option<bool>,
    pub(crate) idle_timeout: Option<Limit>,
    pub(crate) max_lifetime: Option<Limit>,
    pub(crate) on_exit: Option<Fate>,
    pub(crate) on_lock: Option<Fate>,
    pub(crate) on_suspend: Option<Fate>,
    pub(crate) proxy: Option<Spanned<String>>,
    pub(crate) no_proxy: Option<Spanned<String>>,
    pub(crate) proxy_credentials_file: Option<Spanned<PathBuf>>,
    pub(crate) notify: Option<bool>,
    pub(crate) audit: Option<Spanned<String>>,
    pub(crate) exit_when_empty: Option<Emptiness>,
    pub(crate) history_keep: Option<HistoryKeep>,
    #[serde(default)]
    pub(crate) revocation: RevocationTable,
    #[serde(default)]
    pub(crate) instances: BTreeMap<String, InstanceTable>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(expecting = "a table")]
pub(crate) struct RevocationTable {
    pub(crate) attempt_timeout: Option<Span>,
    pub(crate) retry_initial: Option<Span>,
    pub(crate) retry_max: Option<Span>,
    pub(crate) concurrency: Option<Concurrency>,
    pub(crate) shutdown_grace: Option<Span>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(expecting = "a table")]
pub(crate) struct InstanceTable {
    pub(crate) url: Option<Spanned<String>>,
    pub(crate) username: Option<String>,
    pub(crate) auth_source: Option<String>,
    pub(crate) ca_file: Option<Spanned<PathBuf>>,
    pub(crate) client_cert: Option<Spanned<PathBuf>>,
    pub(crate) client_key: Option<Spanned<PathBuf>>,
    pub(crate) proxy: Option<Spanned<String>>,
    pub(crate) no_proxy: Option<Spanned<String>>,
    pub(crate) proxy_credentials_file: Option<Spanned<PathBuf>>,
    pub(crate) format: Option<ReplyFormat>,
    pub(crate) idle_timeout: Option<Limit>,
    pub(crate) max_lifetime: Option<Limit>,
    pub(crate) on_lock: Option<Fate>,
    pub(crate) on_suspend: Option<Fate>,
}

impl ConfigFile {
    /// The file that this key of the top names, if instances' servers need it.
    pub(crate) fn file(&self, key: &str) -> Option<&Spanned<PathBuf>> {
        (key == "proxy_credentials_file").then_some(self.proxy_credentials_file.as_ref())?
    }
}

impl InstanceTable {
    /// The file that this key names.
    pub(crate) fn file(&self, key: &str) -> Option<&Spanned<PathBuf>> {
        match key {
            "ca_file" => self.ca_file.as_ref(),
            "client_cert" => self.client_cert.as_ref(),
            "client_key" => self.client_key.as_ref(),
            "proxy_credentials_file" => self.proxy_credentials_file.as_ref(),
            _ => None,
        }
    }
}

/// A file as read: its text is kept so that a place in it can be told as a line.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    text: String,
    pub(crate) says: ConfigFile,
    /// Keys that we do not know, which is an error in one file and a warning in another.
    pub(crate) unknown: Vec<Fault>,
}

impl Source {
    /// Reads a file, which nobody but root and us may have written; none if there is no such file.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, Fault> {
        Self::read_judging(path, |about| {
            let owner = about.uid();
            if !is_trusted(owner) {
                let us = rustix::process::geteuid().as_raw();
                Err(format!(
                    "it belongs to uid {owner}, and this is uid {us}: name another, or chown it"
                ))
            } else if is_writable_by_others(about) {
                Err("others can write it, and decide where tokens and passwords go: \
                     run chmod go-w on it"
                    .to_owned())
            } else {
                Ok(())
            }
        })
    }

    /// The same, where `judge` says whether what was opened may count, and why not.
    pub(crate) fn read_judging(
        path: &Path,
        judge: impl FnOnce(&Metadata) -> Result<(), String>,
    ) -> Result<Option<Self>, Fault> {
        let whole = |problem: String| Fault {
            file: path.to_owned(),
            line: None,
            key: String::new(),
            problem,
        };
        let unreadable = |error: io::Error| whole(format!("cannot be read: {error}"));
        let (mut file, about) = match securid_trust::open(path) {
            Ok(opened) => opened,
            Err(OpenError::Io(error)) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(None);
            }
            Err(OpenError::Io(error)) => return Err(unreadable(error)),
            Err(OpenError::Untrusted(untrusted)) => return Err(whole(untrusted.to_string())),
        };
        judge(&about).map_err(whole)?;
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(unreadable)?;
        Self::parse(path, text).map(Some)
    }

    /// Understands the text of a file.
    pub(super) fn parse(path: &Path, text: String) -> Result<Self, Fault> {
        let fault = |key: String, span: Option<Range<usize>>, problem: String| Fault {
            file: path.to_owned(),
            line: span.map(|span| line_of(&text, span.start)),
            key,
            problem,
        };
        let document = toml::Deserializer::parse(&text)
            .map_err(|error| fault(String::new(), error.span(), error.message().to_owned()))?;
        let mut paths = Vec::new();
        let mut note = |path: serde_ignored::Path<'_>| paths.push(names(&path));
        let document = serde_ignored::Deserializer::new(document, &mut note);
        let says: ConfigFile = serde_path_to_error::deserialize(document).map_err(|error| {
            let parts = error.path().iter().map(ToString::to_string);
            let key: Vec<_> = parts.take_while(|part| !part.starts_with(OF_A_SPAN)).collect();
            let problem = without_value(error.inner().message());
            fault(name_of(&key), error.inner().span(), problem)
        })?;
        let unknown = paths
            .into_iter()
            .map(|key| Fault {
                file: path.to_owned(),
                line: line_of_key(&text, &key),
                problem: "this version knows no such key; the README lists them all".to_owned(),
                key: name_of(&key),
            })
            .collect();
        Ok(Self { path: path.to_owned(), text, says, unknown })
    }

    /// A fault of a key that is missing in a table.
    pub(crate) fn fault_in_table(&self, table: &[&str], key: &str, problem: &str) -> Fault {
        Fault {
            file: self.path.clone(),
            line: line_of_key(&self.text, table),
            key: key.to_owned(),
            problem: problem.to_owned(),
        }
    }

    /// A fault of a value.
    pub(crate) fn fault<T>(&self, at: &Spanned<T>, key: &str, problem: impl fmt::Display) -> Fault {
        Fault {
            file: self.path.clone(),
            line: Some(line_of(&self.text, at.span().start)),
            key: key.to_owned(),
            problem: problem.to_string(),
        }
    }
}

/// A key as it may be told: somebody may have pasted a token in the place of one.
fn name_of(key: &[String]) -> String {
    let is_repeated = |part: &String| mention(part) == format!("{part:?}");
    let part = |part| if is_repeated(part) { part.clone() } else { mention(part) };
    key.iter().map(part).collect::<Vec<_>>().join(".")
}

/// What is wrong with a value of another type, in the parser's words but for the value: it may be a password
/// that somebody wrote down here.
fn without_value(problem: &str) -> String {
    let parts = problem
        .split_once("string \"")
        .and_then(|(what, rest)| Some((what, rest.rsplit_once("\", expected ")?)));
    match parts {
        Some((what, (value, expected))) => {
            format!("{what}string {}, expected {expected}", mention(value))
        }
        None => problem.to_owned(),
    }
}

fn line_of(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|&byte| byte == b'\n').count()
}

/// The names of the tables down to an unknown key, and its own. One name may have dots in it.
fn names(path: &serde_ignored::Path<'_>) -> Vec<String> {
    use serde_ignored::Path::{Map, NewtypeStruct, NewtypeVariant, Root, Seq, Some};
    let (parent, name) = match path {
        Root => return Vec::new(),
        Map { parent, key } => (parent, key.clone()),
        Seq { parent, index } => (parent, index.to_string()),
        Some { parent } | NewtypeStruct { parent } | NewtypeVariant { parent } => {
            return names(parent);
        }
    };
    let mut names = names(parent);
    names.push(name);
    names
}

/// The line on which a key stands, by walking the document's own tables.
fn line_of_key(text: &str, names: &[impl AsRef<str>]) -> Option<usize> {
    let mut table = toml::de::DeTable::parse(text).ok()?.into_inner();
    let mut line = None;
    for part in names {
        let (name, value) = table.iter().find(|(name, _)| name.get_ref() == part.as_ref())?;
        line = Some(line_of(text, name.span().start));
        match value.get_ref().as_table() {
            Some(inner) => table = inner.clone(),
            None => break,
        }
    }
    line
}

/// A span of time that must be longer than nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span(pub(crate) Duration);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        positive(&String::deserialize(deserializer)?).map(Self).map_err(de::Error::custom)
    }
}

/// A limit: a span of time, or `never`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit(pub(crate) Option<Duration>);

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "never" {
            return Ok(Self(None));
        }
        positive(&text)
            .map(|span| Self(Some(span)))
            .map_err(|problem| de::Error::custom(format!("{problem}; or never")))
    }
}

/// How long there has to be nothing to do, or `never`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Emptiness(pub(crate) Option<Duration>);

impl Emptiness {
    /// A client that asks twice in a row, as a script does, is to find the same daemon.
    const LEAST: Duration = Duration::from_secs(1);
}

impl<'de> Deserialize<'de> for Emptiness {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        at_least(Self::LEAST, &String::deserialize(deserializer)?)
            .map(Self)
            .map_err(de::Error::custom)
    }
}

/// How long an ended session stays in the history, or `never` for without an end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HistoryKeep(pub(crate) Option<Duration>);

impl HistoryKeep {
    /// A logout that is repeated, as by a script of the same day, is to find the end of its session.
    const LEAST: Duration = Duration::from_secs(24 * 60 * 60);
}

impl<'de> Deserialize<'de> for HistoryKeep {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        at_least(Self::LEAST, &String::deserialize(deserializer)?)
            .map(Self)
            .map_err(de::Error::custom)
    }
}

/// A span of time that is no shorter than this, or `never`.
fn at_least(least: Duration, text: &str) -> Result<Option<Duration>, String> {
    if text == "never" {
        return Ok(None);
    }
    match parse_duration(text) {
        Ok(span) if span < least => {
            let least = format_duration(least);
            Err(format!("{} is too short: write at least {least}; or never", mention(text)))
        }
        Ok(span) => Ok(Some(span)),
        Err(error) => Err(format!("{error}; or never")),
    }
}

fn positive(text: &str) -> Result<Duration, String> {
    match parse_duration(text) {
        Ok(span) if span.is_zero() => {
            Err(format!("{} is no time at all: write at least 1ms", mention(text)))
        }
        Ok(span) => Ok(span),
        Err(error) => Err(error.to_string()),
    }
}

/// How many attempts at once. The bound keeps a daemon below a server's usual limit of connections.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Concurrency(pub(crate) usize);

impl Concurrency {
    const MOST: i64 = 256;
}

impl<'de> Deserialize<'de> for Concurrency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(deserializer)?;
        match usize::try_from(number) {
            Ok(fits) if (1..=Self::MOST).contains(&number) => Ok(Self(fits)),
            _ => Err(de::Error::custom(format!(
                "{number} is out of bounds: write a whole number from 1 to {}",
                Self::MOST
            ))),
        }
    }
}

/// `json` or `properties`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReplyFormat(pub(crate) Format);

impl<'de> Deserialize<'de> for ReplyFormat {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Format::from_name(&text).map(Self).ok_or_else(|| {
            let what = mention(&text);
            de::Error::custom(format!("{what} is no reply format: write json or properties"))
        })
    }
}

impl<'de> Deserialize<'de> for Fate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match String::deserialize(deserializer)?.as_str() {
            "revoke" => Ok(Self::Revoke),
            "keep" => Ok(Self::Keep),
            other => Err(de::Error::custom(format!("{}: write revoke or keep", mention(other)))),
        }
    }
}
