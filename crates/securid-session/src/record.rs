//! What is known of a session, as it is written to disk: everything but the token itself.

use std::sync::Arc;
use std::time::Duration;

use crate::{Key, Moment};

/// The whole of a session as it stands on disk, so that a daemon that knows nothing else can go on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Record {
    /// Which token this is about.
    pub key: Key,
    /// What the session is.
    pub about: Arc<About>,
    /// When it was taken in.
    pub created: Moment,
    /// When it was last lent, touched or held.
    pub last_used: Moment,
    /// Until when its user said that it is in use (`token --for`), if that is later.
    pub in_use_until: Option<Moment>,
    /// Whether somebody holds it (`exec`). The next daemon of the same boot then counts the idle
    /// time from its own start, so that the holder can come back.
    pub held: bool,
    /// Where it stands in its life.
    pub stage: Stage,
}

/// What a session is: fixed when it is taken in, so that editing or removing an instance in the
/// config never redirects or strands a token. Only its limits may change ([`Event::Limits`](crate::Event::Limits)).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct About {
    /// The name that the config gave the server then.
    pub instance: String,
    /// Whose session it is, where that is known.
    pub username: Option<String>,
    /// The only place that the token may go to.
    pub origin: Origin,
    /// The store that has the token, by the name that the config uses (`keyutils`).
    pub keyring: String,
    /// When it ends by itself. Those of the last daemon's config count until they are changed.
    pub limits: Limits,
    /// Whether it was made for one program (`exec --login`) and ends when nobody holds it any more.
    pub tied: bool,
}

/// Where a token came from and how to speak with that server.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    /// The whole endpoint, `https://host:port/aveksa/command.submit`.
    pub url: String,
    /// A PEM file with certificates trusted besides the system's, as an absolute path.
    pub ca_file: Option<String>,
    /// The reply format to ask for, `json` or `properties`.
    pub format: String,
    /// What else it takes to get there.
    pub network: Network,
}

/// How a server is reached, and who we say we are: settings, and paths of files, but no secrets. All of it is as the
/// config had it; what it leaves open, the daemon's own environment says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Network {
    /// The certificate that the server wants to see, and its key.
    pub client: Option<ClientFiles>,
    /// The proxy on the way, `http://host:port`, or `none`.
    pub proxy: Option<String>,
    /// The servers that are reached without it, separated by commas.
    pub no_proxy: Option<String>,
    /// A file with the proxy's user name and password, as an absolute path.
    pub proxy_credentials_file: Option<String>,
}

/// Two PEM files, as absolute paths. They may be the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ClientFiles {
    /// The certificate, with those above it as far as the server has not got them.
    pub cert: String,
    /// The private key.
    pub key: String,
}

/// When a session ends by itself. `None`: never.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Limits {
    /// After this long without use.
    pub idle: Option<Duration>,
    /// This long after it was taken in, used or not.
    pub lifetime: Option<Duration>,
}

/// The stages that stand on disk. (`lost` does not: whether the secret is gone is asked of the
/// keyring anew by each daemon, so that a keyring which comes back heals the session.)
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Announced: the secret may or may not be in the keyring, nobody was told of it yet.
    Adding,
    /// Acknowledged and lent out.
    Active,
    /// To be revoked until the server confirms it.
    Revoking(Revocation),
    /// Dead, by the server's word or by a person's `forget`: only clearing up is left.
    Ended(Ending),
}

/// The intent to revoke, and how it went so far.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Revocation {
    /// Why.
    pub reason: Reason,
    /// Since when.
    pub since: Moment,
    /// How many attempts were answered or given up.
    pub attempts: u32,
    /// Why the last one did not confirm.
    pub last_error: Option<String>,
}

/// How a session ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Ending {
    /// Why it was revoked; `None` if a person gave it up before anything had asked for its end.
    pub reason: Option<Reason>,
    /// When the revocation was asked for (for a session given up while active: the `forget`).
    pub requested: Moment,
    /// When it ended.
    pub ended: Moment,
    /// How many attempts it took.
    pub attempts: u32,
    /// By whose word it ended.
    pub outcome: Outcome,
    /// What the server said, for the history.
    pub evidence: String,
}

/// Why a session is revoked; the names are the contract's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Somebody asked (`logout`).
    Request,
    /// Unused for too long.
    Idle,
    /// Its lifetime was over.
    Lifetime,
    /// The screen was locked.
    Lock,
    /// The machine was put to sleep.
    Suspend,
    /// The daemon stopped, or the machine was rebooted.
    Shutdown,
    /// The server refused the token as dead when it was used.
    Server,
    /// Its user logged in anew and wanted the others gone (`login --replace`).
    Replaced,
    /// Its secret was found without a record.
    Orphan,
    /// Nobody was told of it: its client had gone, or it was being taken in when the daemon died. Or it
    /// was tied, and its holder has gone.
    Abandoned,
}

/// By whose word a session ended; the names are the contract's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The server carried out our `logoutUser`.
    Revoked,
    /// The server says that the token is dead already.
    AlreadyInvalid,
    /// A person's word alone: nobody knows whether the token lives.
    Forgotten,
}

impl Stage {
    /// A word for it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Adding => "adding",
            Self::Active => "active",
            Self::Revoking(_) => "revoking",
            Self::Ended(_) => "ended",
        }
    }
}

impl Reason {
    /// The contract's word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Idle => "idle",
            Self::Lifetime => "lifetime",
            Self::Lock => "lock",
            Self::Suspend => "suspend",
            Self::Shutdown => "shutdown",
            Self::Server => "server",
            Self::Replaced => "replaced",
            Self::Orphan => "orphan",
            Self::Abandoned => "abandoned",
        }
    }

    /// The reason with this name, if this version knows it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        use Reason::{
            Abandoned, Idle, Lifetime, Lock, Orphan, Replaced, Request, Server, Shutdown, Suspend,
        };
        [Request, Idle, Lifetime, Lock, Suspend, Shutdown, Server, Replaced, Orphan, Abandoned]
            .into_iter()
            .find(|r| r.name() == name)
    }
}

impl Outcome {
    /// The contract's word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::AlreadyInvalid => "already-invalid",
            Self::Forgotten => "forgotten",
        }
    }

    /// The outcome with this name, if this version knows it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        use Outcome::{AlreadyInvalid, Forgotten, Revoked};
        [Revoked, AlreadyInvalid, Forgotten].into_iter().find(|o| o.name() == name)
    }
}
