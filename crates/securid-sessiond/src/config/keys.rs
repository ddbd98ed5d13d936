//! All keys that there are. Nothing else says which they are: what is read, merged and shown, the variables
//! of the environment and the page of all keys (`docs/configuration.md`) follow from this list.

use std::path::PathBuf;
use std::time::Duration;

use securid_api::{Endpoint, Format};
use securid_store::Preference;

#[cfg(test)]
use super::key::Counts;
use super::key::{AnyKey, Key, Scope};
use super::setting::{Concurrency, Emptiness, HistoryKeep, Limit, ProxyUrl, Span};
use super::{AuditTarget, Fate};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

const fn seconds(seconds: u64) -> Span {
    Span(Duration::from_secs(seconds))
}

/// Each: what it is for, its type, its name, where it stands, when a change of it counts, its default.
macro_rules! keys {
    ($($(#[doc = $about:literal])+
    $key:ident: $type:ty = ($name:literal, $scope:ident, $counts:ident, $default:expr);)+) => {
        $(
            $(#[doc = $about])+
            pub(super) static $key: Key<$type> = Key {
                name: $name,
                scope: Scope::$scope,
                default: $default,
                #[cfg(test)]
                counts: Counts::$counts,
                #[cfg(test)]
                about: concat!($($about),+),
            };
        )+

        /// Each of them, in the order in which people are shown them.
        pub(super) static ALL: &[&dyn AnyKey] = &[$(&$key),+];
    };
}

keys! {
    /// the instance meant where none is named; else the only one there is
    DEFAULT_INSTANCE: Option<String> = ("default_instance", Top, AtOnce, None);
    /// where secrets are kept; `auto` takes the system's own (Secret Service, keychain, Credential Manager), else a
    /// sealed file if there is a key, else, on Linux, the kernel's keyring
    KEYRING: Preference = ("keyring", Top, ForNewSessions, Preference::Auto);
    /// the key of the sealed file, if it is no credential
    KEY_FILE: Option<PathBuf> = ("key_file", Top, AtTheNextStart, None);
    /// refuses stores that do not survive a reboot
    REQUIRE_DURABLE: bool = ("require_durable", Top, ForNewSessions, false);
    /// a session is revoked when it was not used for so long
    IDLE_TIMEOUT: Limit =
        ("idle_timeout", Both, AtOnce, Limit(Some(Duration::from_secs(15 * MINUTE))));
    /// a session is revoked this long after its login, used or not
    MAX_LIFETIME: Limit =
        ("max_lifetime", Both, AtOnce, Limit(Some(Duration::from_secs(8 * HOUR))));
    /// what becomes of active sessions when the daemon stops
    ON_EXIT: Fate = ("on_exit", Top, AtOnce, Fate::Revoke);
    /// the same when the screen is locked
    ON_LOCK: Fate = ("on_lock", Both, AtOnce, Fate::Keep);
    /// the same when the machine is put to sleep
    ON_SUSPEND: Fate = ("on_suspend", Both, AtOnce, Fate::Keep);
    /// the proxy on the way to the server; else that of the daemon's environment
    PROXY: Option<ProxyUrl> = ("proxy", Both, ForNewSessions, None);
    /// servers that are reached without it, as in `NO_PROXY`
    NO_PROXY: Option<String> = ("no_proxy", Both, ForNewSessions, None);
    /// a file with one line `USER:PASSWORD` for the proxy
    PROXY_CREDENTIALS_FILE: Option<PathBuf> =
        ("proxy_credentials_file", Both, ForNewSessions, None);
    /// tells on the desktop what ended by itself, and what gets nowhere
    NOTIFY: bool = ("notify", Top, AtOnce, false);
    /// where the lives of sessions are written down for an auditor
    AUDIT: AuditTarget = ("audit", Top, AtTheNextStart, AuditTarget::None);
    /// how long the daemon stays with nothing to do and nobody connected
    EXIT_WHEN_EMPTY: Emptiness = ("exit_when_empty", Top, AtOnce, Emptiness(None));
    // A year and a month: an auditor who comes once a year finds all of it.
    /// how long an ended session stays in the history
    HISTORY_KEEP: HistoryKeep =
        ("history_keep", Top, AtOnce, HistoryKeep(Some(Duration::from_secs(400 * DAY))));
    /// for one attempt to revoke, from connecting to the last byte of the reply; for a login likewise
    ATTEMPT_TIMEOUT: Span = ("attempt_timeout", Revocation, AtOnce, seconds(10));
    /// the first wait after an attempt that failed; waits grow from here, at random
    RETRY_INITIAL: Span = ("retry_initial", Revocation, AtOnce, seconds(1));
    /// the longest wait between two attempts
    RETRY_MAX: Span = ("retry_max", Revocation, AtOnce, seconds(5 * MINUTE));
    /// attempts at once to one server
    CONCURRENCY: Concurrency = ("concurrency", Revocation, AtOnce, Concurrency(32));
    /// for everything, once the daemon was told to stop
    SHUTDOWN_GRACE: Span = ("shutdown_grace", Revocation, AtOnce, seconds(20));
    /// the server; has to be there
    URL: Option<Endpoint> = ("url", Instance, ForNewSessions, None);
    /// who logs in, unless `--username` says
    USERNAME: Option<String> = ("username", Instance, ForNewSessions, None);
    /// if the server needs one
    AUTH_SOURCE: Option<String> = ("auth_source", Instance, ForNewSessions, None);
    /// certificates (PEM) that are trusted besides the system's
    CA_FILE: Option<PathBuf> = ("ca_file", Instance, ForNewSessions, None);
    /// the certificate (PEM, with those above it) that a server is shown that asks for one
    CLIENT_CERT: Option<PathBuf> = ("client_cert", Instance, ForNewSessions, None);
    /// its key (PEM), which may be in the same file
    CLIENT_KEY: Option<PathBuf> = ("client_key", Instance, ForNewSessions, None);
    /// the form of reply that is asked for
    FORMAT: Format = ("format", Instance, ForNewSessions, Format::Json);
}
