//! A record as a file: JSON that a person can read, and that says of itself when it is not whole.
//!
//! Every field has to be there and no other may be. An unknown field in a file of a known version is
//! damage, not something to tolerate: whoever adds a field raises the version, because a field that is
//! ignored may be the one that says where the token must not go.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use securid_session::{
    About, ClientFiles, Ending, Generation, Key, Limits, Moment, Network, Origin, Outcome, Reason,
    Record, Revocation, SessionId, Stage,
};
use serde::{Deserialize, Deserializer, Serialize};

use super::identity::Identity;

/// The newest version of the format: what the one before says, and what the origin takes to get there, or that the
/// session is tied.
pub(super) const VERSION: u64 = 2;

/// The version without these. Where there is nothing to say of them this one is written, so that the
/// program of before can go on with such a session.
const PLAIN: u64 = 1;

/// What has to be readable in a file of any version.
#[derive(Deserialize)]
pub(super) struct Head {
    pub(super) version: u64,
    pub(super) machine: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    version: u64,
    machine: String,
    pub(super) boot: String,
    id: String,
    generation: u64,
    instance: String,
    #[serde(deserialize_with = "present")]
    username: Option<String>,
    origin: OriginPart,
    keyring: String,
    limits: LimitsPart,
    /// From version 2 on, and then true; else not there.
    #[serde(default, deserialize_with = "said", skip_serializing_if = "Option::is_none")]
    tied: Option<bool>,
    created: Instant,
    last_used: Instant,
    #[serde(deserialize_with = "present")]
    in_use_until: Option<Instant>,
    held: bool,
    stage: StagePart,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OriginPart {
    url: String,
    #[serde(deserialize_with = "present")]
    ca_file: Option<String>,
    format: String,
    /// From version 2 on, and then with something in it; else not there.
    #[serde(default, deserialize_with = "said", skip_serializing_if = "Option::is_none")]
    network: Option<NetworkPart>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NetworkPart {
    #[serde(deserialize_with = "present")]
    client: Option<ClientPart>,
    #[serde(deserialize_with = "present")]
    proxy: Option<String>,
    #[serde(deserialize_with = "present")]
    no_proxy: Option<String>,
    #[serde(deserialize_with = "present")]
    proxy_credentials_file: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClientPart {
    cert: String,
    key: String,
}

/// Milliseconds; null stands for never.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitsPart {
    #[serde(deserialize_with = "present")]
    idle_ms: Option<u64>,
    #[serde(deserialize_with = "present")]
    lifetime_ms: Option<u64>,
}

/// A moment on both clocks: the wall clock's for people, the boot clock's for deadlines.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Instant {
    at: Timestamp,
    since_boot_ms: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case", deny_unknown_fields)]
enum StagePart {
    Adding {},
    Active {},
    Revoking {
        reason: String,
        since: Instant,
        attempts: u32,
        #[serde(deserialize_with = "present")]
        last_error: Option<String>,
    },
    Ended {
        #[serde(deserialize_with = "present")]
        reason: Option<String>,
        requested: Instant,
        ended: Instant,
        attempts: u32,
        outcome: String,
        evidence: String,
    },
}

/// Reads a value that may be missing but not null.
fn said<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

/// Reads an optional value that may be null but not missing, which serde would take for null: without
/// its `idle_ms` a session would never be idle.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
    Option::deserialize(from)
}

/// The bytes of a record's file. They end with a newline, so that a file that lacks it is not whole.
pub(super) fn to_bytes(record: &Record, identity: &Identity) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = serde_json::to_vec_pretty(&Document::new(record, identity))?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// A record, and which machine and boot it is from.
#[derive(Debug, PartialEq)]
pub(super) struct Written {
    pub(super) record: Record,
    pub(super) machine: String,
    pub(super) boot: String,
}

/// The record in these bytes; the error says what is wrong with them.
pub(super) fn from_bytes(bytes: &[u8]) -> Result<Written, String> {
    if bytes.last() != Some(&b'\n') {
        return Err("it is cut off".to_owned());
    }
    // Looked at once, and not string by string.
    let text = std::str::from_utf8(bytes).map_err(|e| e.to_string())?;
    let mut document: Document = serde_json::from_str(text).map_err(|e| e.to_string())?;
    let machine = std::mem::take(&mut document.machine);
    let boot = std::mem::take(&mut document.boot);
    document.into_record().map(|record| Written { record, machine, boot })
}

impl Document {
    fn new(record: &Record, identity: &Identity) -> Self {
        let Record { key, about, created, last_used, in_use_until, held, stage } = record;
        let About { instance, username, origin, keyring, limits, tied } = &**about;
        let origin = OriginPart::new(origin.clone());
        let plain = origin.network.is_none() && !tied;
        Self {
            version: if plain { PLAIN } else { VERSION },
            machine: identity.machine.clone(),
            boot: identity.boot.clone(),
            id: key.id.to_string(),
            generation: key.generation.0,
            instance: instance.clone(),
            username: username.clone(),
            origin,
            keyring: keyring.clone(),
            limits: LimitsPart {
                idle_ms: limits.idle.map(millis),
                lifetime_ms: limits.lifetime.map(millis),
            },
            tied: tied.then_some(true),
            created: Instant::new(*created),
            last_used: Instant::new(*last_used),
            in_use_until: in_use_until.map(Instant::new),
            held: *held,
            stage: StagePart::new(stage),
        }
    }

    fn into_record(self) -> Result<Record, String> {
        let (network, tied) = (self.origin.network.is_some(), self.tied.is_some());
        let origin = self.origin.into_origin();
        let empty = self.tied == Some(false) || (network && origin.network == Network::default());
        if empty || self.version != if network || tied { VERSION } else { PLAIN } {
            return Err(format!("version {} is not like this", self.version));
        }
        let id = SessionId::parse(&self.id).ok_or("its id is not 16 hex digits")?;
        if origin.url.is_empty() || self.keyring.is_empty() {
            return Err("it names no server or no keyring".to_owned());
        }
        Ok(Record {
            key: Key { id, generation: Generation(self.generation) },
            about: Arc::new(About {
                instance: self.instance,
                username: self.username,
                origin,
                keyring: self.keyring,
                limits: Limits {
                    idle: self.limits.idle_ms.map(Duration::from_millis),
                    lifetime: self.limits.lifetime_ms.map(Duration::from_millis),
                },
                tied,
            }),
            created: self.created.moment(),
            last_used: self.last_used.moment(),
            in_use_until: self.in_use_until.map(|i| i.moment()),
            held: self.held,
            stage: self.stage.into_stage()?,
        })
    }
}

impl OriginPart {
    fn new(Origin { url, ca_file, format, network }: Origin) -> Self {
        let network = (network != Network::default()).then(|| NetworkPart {
            client: network.client.map(|ClientFiles { cert, key }| ClientPart { cert, key }),
            proxy: network.proxy,
            no_proxy: network.no_proxy,
            proxy_credentials_file: network.proxy_credentials_file,
        });
        Self { url, ca_file, format, network }
    }

    fn into_origin(self) -> Origin {
        let network = self.network.map(|part| Network {
            client: part.client.map(|ClientPart { cert, key }| ClientFiles { cert, key }),
            proxy: part.proxy,
            no_proxy: part.no_proxy,
            proxy_credentials_file: part.proxy_credentials_file,
        });
        let (url, ca_file, format) = (self.url, self.ca_file, self.format);
        Origin { url, ca_file, format, network: network.unwrap_or_default() }
    }
}

impl Instant {
    fn new(moment: Moment) -> Self {
        Self { at: timestamp(moment.unix), since_boot_ms: moment.since_boot }
    }

    fn moment(&self) -> Moment {
        Moment { since_boot: self.since_boot_ms, unix: self.at.as_millisecond() }
    }
}

impl StagePart {
    fn new(stage: &Stage) -> Self {
        match stage {
            Stage::Adding => Self::Adding {},
            Stage::Active => Self::Active {},
            Stage::Revoking(Revocation { reason, since, attempts, last_error }) => Self::Revoking {
                reason: reason.name().to_owned(),
                since: Instant::new(*since),
                attempts: *attempts,
                last_error: last_error.clone(),
            },
            Stage::Ended(Ending { reason, requested, ended, attempts, outcome, evidence }) => {
                Self::Ended {
                    reason: reason.map(|r| r.name().to_owned()),
                    requested: Instant::new(*requested),
                    ended: Instant::new(*ended),
                    attempts: *attempts,
                    outcome: outcome.name().to_owned(),
                    evidence: evidence.clone(),
                }
            }
        }
    }

    fn into_stage(self) -> Result<Stage, String> {
        let known =
            |name: String| Reason::from_name(&name).ok_or(format!("no such reason: {name}"));
        Ok(match self {
            Self::Adding {} => Stage::Adding,
            Self::Active {} => Stage::Active,
            Self::Revoking { reason, since, attempts, last_error } => Stage::Revoking(Revocation {
                reason: known(reason)?,
                since: since.moment(),
                attempts,
                last_error,
            }),
            Self::Ended { reason, requested, ended, attempts, outcome, evidence } => {
                Stage::Ended(Ending {
                    reason: reason.map(known).transpose()?,
                    requested: requested.moment(),
                    ended: ended.moment(),
                    attempts,
                    outcome: Outcome::from_name(&outcome)
                        .ok_or(format!("no such outcome: {outcome}"))?,
                    evidence,
                })
            }
        })
    }
}

/// A wall-clock time for people; one beyond the year 9999 is that year's end.
pub(super) fn timestamp(unix_ms: i64) -> Timestamp {
    let end = if unix_ms < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_millisecond(unix_ms).unwrap_or(end)
}

/// A span longer than 500 million years is that long.
fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(any(fuzzing, test))]
pub(crate) mod fuzz;
