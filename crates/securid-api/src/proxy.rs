//! The proxy on the way: the config's, or what the environment says with `HTTPS_PROXY`, `ALL_PROXY`,
//! `NO_PROXY`.

use std::ffi::OsString;
use std::fmt;
use std::sync::Arc;

use hyper::Uri;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use jiff::Timestamp;
use securid_secret::Secret;
use thiserror::Error;

use crate::proxy_password::ProxyPassword;
use crate::proxy_refusals::{Credentials, Refusals, Refused};
use crate::{BadFile, Endpoint, Failure, FailureKind, ProxySettings};

/// The proxies that there are. [`Default`] is none: all ways are straight.
#[derive(Debug, Clone, Default)]
pub struct Proxies {
    named: Option<Named>,
    exceptions: String,
    password: Option<ProxyPassword>,
    refusals: Refusals,
}

/// One proxy, and who says so.
#[derive(Debug, Clone)]
struct Named {
    by: By,
    /// As it was written, a password in it included; none if it is no text.
    url: Option<Arc<Secret>>,
}

/// What names a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Variable(&'static str),
    Config,
}

/// Why a proxy cannot be used. It never repeats the value, which may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{by} {why}, or {otherwise}", otherwise = by.otherwise())]
pub struct BadProxy {
    by: By,
    why: WrongProxy,
}

/// What is wrong with a proxy's URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum WrongProxy {
    /// No URL that names a host.
    #[error("is not a proxy's URL: it must be http://HOST:PORT")]
    Url,
    /// A proxy that is to be spoken to in TLS or SOCKS.
    #[error(
        "names a proxy that is not an http:// one, and no other sort is supported: \
        it must be http://HOST:PORT"
    )]
    Scheme,
    /// User name and password in a config, which others may be able to read.
    #[error(
        "has a user name or a password in it: write them into a file that nobody else may read, as \
        USER:PASSWORD, and name that as proxy_credentials_file; here it must be http://HOST:PORT"
    )]
    Password,
}

impl By {
    fn otherwise(self) -> &'static str {
        match self {
            Self::Variable(_) => "not be set",
            Self::Config => "\"none\"",
        }
    }
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Variable(name) => name,
            Self::Config => "the instance's proxy",
        })
    }
}

/// What a config writes for no proxy, whatever the environment says.
pub const NO_PROXY: &str = "none";

/// The variables that name the proxy for `https://`, the one that counts first. `HTTP_PROXY` is not
/// among them: `http://` is for loopback, which no proxy is asked for.
const VARIABLES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

/// The variables that name servers which are reached without.
const EXCEPTIONS: [&str; 2] = ["NO_PROXY", "no_proxy"];

impl Proxies {
    /// Those that environment variables name; `variable` reads one. Empty ones count as unset.
    pub fn from_variables(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let first = |names: &[&'static str]| {
            names.iter().find_map(|&name| {
                let value = variable(name).filter(|value| !value.is_empty())?;
                Some((name, value))
            })
        };
        let exceptions = first(&EXCEPTIONS).map(|(_, value)| value).unwrap_or_default();
        Self {
            named: first(&VARIABLES).map(|(name, value)| Named {
                by: By::Variable(name),
                url: value.to_str().map(|url| Arc::new(Secret::from(url))),
            }),
            exceptions: exceptions.to_string_lossy().into_owned(),
            password: None,
            refusals: Refusals::default(),
        }
    }

    /// The same with what a config says, which wins. A proxy of the config counts alone: the environment's
    /// exceptions are for the environment's proxy.
    #[must_use]
    pub fn as_set(&self, settings: &ProxySettings) -> Self {
        let exceptions = settings.no_proxy.clone();
        let (named, exceptions) = match settings.proxy.as_deref() {
            Some(NO_PROXY) => return Self::default(),
            Some(url) => {
                let url = Some(Arc::new(Secret::from(url)));
                (Some(Named { by: By::Config, url }), exceptions.unwrap_or_default())
            }
            None => (self.named.clone(), exceptions.unwrap_or_else(|| self.exceptions.clone())),
        };
        let password = settings.credentials_file.as_deref().map(ProxyPassword::new);
        Self { named, exceptions, password, refusals: self.refusals.clone() }
    }

    /// What is wrong with them. As long as it is, no server but loopback can be reached.
    #[must_use]
    pub fn fault(&self) -> Option<BadProxy> {
        self.named.as_ref()?.read().err()
    }

    /// Reads the file with the proxy's password, if there is one, to see whether it is of use.
    ///
    /// # Errors
    /// Why it is not.
    pub fn check_password(&self) -> Result<(), BadFile> {
        self.password.as_ref().map_or(Ok(()), ProxyPassword::check)
    }

    /// Has user names and passwords that a proxy has refused be sent once more: somebody says that they are right
    /// now. By itself that happens half an hour later.
    pub fn forget_refusals(&self) {
        self.refusals.forget();
    }

    /// The proxy that is asked for `endpoint`. None for loopback, whatever the variables say: a
    /// proxy would look for it on its own machine.
    pub(crate) fn on_the_way_to(&self, endpoint: &Endpoint) -> Result<Option<Proxy>, BadProxy> {
        let Some(named) = self.named.as_ref().filter(|_| !endpoint.is_loopback()) else {
            return Ok(None);
        };
        let url = named.read()?;
        let matcher = Matcher::builder().https(url).no(self.exceptions.as_str()).build();
        let server = endpoint.origin().parse::<Uri>().ok();
        let intercept = server.and_then(|server| matcher.intercept(&server));
        Ok(intercept.map(|intercept| Proxy {
            by: named.by,
            intercept,
            password: self.password.clone(),
            refusals: self.refusals.clone(),
        }))
    }
}

impl ProxySettings {
    /// Whether `proxy` may stand in a config.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(proxy: &str) -> Result<(), WrongProxy> {
        if proxy == NO_PROXY { Ok(()) } else { read(proxy, By::Config) }
    }
}

impl Named {
    /// The URL, if it can be used.
    fn read(&self) -> Result<&str, BadProxy> {
        let bad = |why| BadProxy { by: self.by, why };
        let url = self.url.as_ref().ok_or_else(|| bad(WrongProxy::Url))?.expose();
        read(url, self.by).map(|()| url).map_err(bad)
    }
}

fn read(url: &str, by: By) -> Result<(), WrongProxy> {
    if by == By::Config && url.contains('@') {
        return Err(WrongProxy::Password);
    }
    // The matcher takes one that it cannot read for none at all, so it is asked first.
    let any = Matcher::builder().https(url).build();
    let intercept =
        any.intercept(&Uri::from_static("https://server.example")).ok_or(WrongProxy::Url)?;
    if intercept.uri().scheme_str() != Some("http") {
        return Err(WrongProxy::Scheme);
    }
    if is_whole(url, intercept.uri()) { Ok(()) } else { Err(WrongProxy::Url) }
}

/// Whether nothing is left over besides user, host and port: a password with a `/`, `#`, `?` or `@`
/// in it that was not written as `%XX` ends up in the host and port, or behind them.
fn is_whole(value: &str, read: &Uri) -> bool {
    let rest = value.split_once("://").map_or(value, |(_, rest)| rest);
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let host = read.host().unwrap_or_default();
    let named = match read.port_u16() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    };
    !rest.contains(['/', '#', '?']) && read.authority().is_some_and(|read| read.as_str() == named)
}

/// A proxy on the way to one server.
#[derive(Debug)]
pub(crate) struct Proxy {
    by: By,
    intercept: Intercept,
    password: Option<ProxyPassword>,
    refusals: Refusals,
}

impl Proxy {
    pub(crate) fn uri(&self) -> &Uri {
        self.intercept.uri()
    }

    /// Where it is, without user name and password.
    pub(crate) fn shown(&self) -> String {
        let authority = self.uri().authority().map_or("", |authority| authority.as_str());
        format!("http://{authority}")
    }

    /// Whether it is sent a user name and password.
    pub(crate) fn has_password(&self) -> bool {
        self.intercept.basic_auth().is_some() || self.password.is_some()
    }

    /// The `Proxy-Authorization` that it wants: of its URL, or of the file, as it is at this moment.
    pub(crate) async fn credentials(&self) -> Result<Option<Credentials>, Failure> {
        let header = match (self.intercept.basic_auth(), &self.password) {
            (Some(own), _) => own.clone(),
            (None, Some(file)) => file.read().await.map_err(|bad| {
                let message = format!("the proxy {} was not asked: {bad}", self.shown());
                Failure::new(FailureKind::Proxy, message)
            })?,
            (None, None) => return Ok(None),
        };
        Ok(Some(self.refusals.of(&self.shown(), header)))
    }

    /// Why its user name and password are not sent.
    pub(crate) fn unasked(&self, Refused { status, left }: Refused) -> Failure {
        let (proxy, place) = (self.shown(), self.place_of_password());
        let again = Timestamp::now() + left;
        let message = format!(
            "the proxy {proxy} does not accept the user name and password in {place} (HTTP {status}): mend them; \
             they are not sent again before {again:.0}, unless they change or `retry` is asked for"
        );
        Failure::new(FailureKind::Proxy, message)
    }

    /// Where the user name and password are that it does not accept, or should be.
    pub(crate) fn place_of_password(&self) -> String {
        match (self.intercept.basic_auth(), &self.password) {
            (None, Some(file)) => file.to_string(),
            _ => self.by.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Proxies {
        Proxies::from_variables(|name| {
            variables.iter().find(|(set, _)| *set == name).map(|(_, value)| value.into())
        })
    }

    fn way(variables: &[(&str, &str)], url: &str) -> Result<Option<String>, BadProxy> {
        let proxy = of(variables).on_the_way_to(&Endpoint::parse(url).unwrap())?;
        Ok(proxy.map(|proxy| proxy.shown()))
    }

    #[test]
    fn the_first_variable_that_says_something_counts() {
        let url = "https://iga.example.com:8443/aveksa";
        for (variables, proxy) in [
            (vec![], None),
            (vec![("HTTP_PROXY", "http://h:1"), ("http_proxy", "http://h:1")], None),
            (vec![("HTTPS_PROXY", "http://h:1"), ("ALL_PROXY", "http://h:2")], Some("http://h:1")),
            (
                vec![("HTTPS_PROXY", "http://h:1"), ("https_proxy", "http://h:2")],
                Some("http://h:1"),
            ),
            (vec![("HTTPS_PROXY", ""), ("https_proxy", "http://h:2")], Some("http://h:2")),
            (vec![("ALL_PROXY", "http://h:3"), ("all_proxy", "http://h:4")], Some("http://h:3")),
            (vec![("all_proxy", "h:4")], Some("http://h:4")),
            (vec![("ALL_PROXY", "HTTP://me:p%40w@H.example:3128/")], Some("http://H.example:3128")),
            (vec![("ALL_PROXY", "http://[::1]:3128")], Some("http://[::1]:3128")),
        ] {
            assert_eq!(way(&variables, url).unwrap().as_deref(), proxy, "{variables:?}");
        }
    }

    #[test]
    fn the_config_wins_and_counts_alone() {
        let url = "https://iga.example.com:8443/aveksa";
        let environment = [("HTTPS_PROXY", "http://env:1"), ("NO_PROXY", "iga.example.com")];
        let way = |proxy: Option<&str>, no_proxy: Option<&str>| {
            let settings = ProxySettings {
                proxy: proxy.map(str::to_owned),
                no_proxy: no_proxy.map(str::to_owned),
                credentials_file: None,
            };
            let proxies = of(&environment).as_set(&settings);
            let proxy = proxies.on_the_way_to(&Endpoint::parse(url).unwrap()).unwrap();
            proxy.map(|proxy| proxy.shown())
        };
        let (env, config) = (Some("http://env:1".to_owned()), Some("http://config:2".to_owned()));
        assert_eq!(way(None, None), None);
        assert_eq!(way(None, Some("other.example")), env);
        assert_eq!(way(Some("http://config:2"), None), config);
        assert_eq!(way(Some("http://config:2"), Some("other.example")), config);
        assert_eq!(way(Some("http://config:2"), Some("example.com")), None);
        assert_eq!(way(Some("none"), None), None);
        // A record that somebody has edited is no way around.
        let bad = ProxySettings { proxy: Some(String::new()), ..ProxySettings::default() };
        let proxies = of(&environment).as_set(&bad);
        assert!(proxies.on_the_way_to(&Endpoint::parse(url).unwrap()).is_err());
        let told = proxies.fault().unwrap().to_string();
        assert!(
            told.starts_with("the instance's proxy is not a proxy's URL: it must be"),
            "{told}"
        );
    }

    #[test]
    fn exceptions_are_names_with_what_is_below_them_and_addresses() {
        let with = |exceptions, url| way(&[("https_proxy", "h:1"), ("NO_PROXY", exceptions)], url);
        for (exceptions, url, straight) in [
            ("", "https://iga.example.com/a", false),
            ("*", "https://iga.example.com/a", true),
            ("example.com", "https://iga.example.com:8443/a", true),
            (".example.com", "https://iga.example.com/a", true),
            ("IGA.example.COM", "https://iga.example.com/a", true),
            ("other, iga.example.com", "https://iga.example.com/a", true),
            ("ga.example.com", "https://iga.example.com/a", false),
            ("10.0.0.0/8", "https://10.1.2.3/a", true),
            ("10.0.0.0/8", "https://11.1.2.3/a", false),
            ("2001:db8::/32", "https://[2001:db8::7]/a", true),
        ] {
            assert_eq!(with(exceptions, url).unwrap().is_none(), straight, "{exceptions} {url}");
        }
        assert_eq!(way(&[("https_proxy", "h:1"), ("no_proxy", "x.y")], "https://x.y/a"), Ok(None));
    }

    #[test]
    fn this_machine_is_never_reached_through_a_proxy() {
        for proxy in ["http://h:1", "socks5://h:1", "::"] {
            for url in [
                "http://127.0.0.1/a",
                "https://127.0.0.1:8443/a",
                "https://127.9.9.9/a",
                "https://LOCALHOST/a",
                "https://[::1]/a",
                "https://[0:0::1]:8443/a",
            ] {
                assert_eq!(way(&[("HTTPS_PROXY", proxy), ("ALL_PROXY", proxy)], url), Ok(None));
            }
        }
    }

    #[test]
    fn a_proxy_that_cannot_be_used_is_a_fault_and_no_straight_way() {
        let bad = |why| move |name| BadProxy { by: By::Variable(name), why };
        let (url, scheme) = (bad(WrongProxy::Url), bad(WrongProxy::Scheme));
        for (variable, value, bad) in [
            ("HTTPS_PROXY", "https://me:s3cret@h:1", scheme("HTTPS_PROXY")),
            ("ALL_PROXY", "socks5h://me:s3cret@h:1", scheme("ALL_PROXY")),
            ("all_proxy", "socks4://h:1", scheme("all_proxy")),
            ("https_proxy", "ftp://s3cret@h:1", url("https_proxy")),
            ("https_proxy", "http://", url("https_proxy")),
            ("https_proxy", "s3cret h", url("https_proxy")),
            ("https_proxy", "/s3cret", url("https_proxy")),
            ("https_proxy", "http://me:s3cret@x@h:1", url("https_proxy")),
            ("https_proxy", "http://me:s3cret#x@h:1", url("https_proxy")),
            ("https_proxy", "http://me:s3cret/x@h:1", url("https_proxy")),
            ("https_proxy", "http://me:123/s3cret@h:1", url("https_proxy")),
            ("https_proxy", "http://h:1?s3cret", url("https_proxy")),
            ("https_proxy", "http://h:port", url("https_proxy")),
            ("https_proxy", "http://h:99999", url("https_proxy")),
            ("https_proxy", "http://:s3cret", url("https_proxy")),
        ] {
            let proxies = of(&[(variable, value)]);
            assert_eq!(proxies.fault(), Some(bad), "{value}");
            let endpoint = Endpoint::parse("https://iga.example.com/a").unwrap();
            assert_eq!(proxies.on_the_way_to(&endpoint).unwrap_err(), bad, "{value}");
            assert!(!format!("{bad} {bad:?} {proxies:?}").contains("s3cret"), "{value}");
        }
        let good = of(&[("HTTPS_PROXY", "http://me:s3cret@h:1")]);
        assert_eq!(good.fault(), None);
        let endpoint = Endpoint::parse("https://iga.example.com/a").unwrap();
        let shown = format!("{good:?} {:?}", good.on_the_way_to(&endpoint));
        let encoded = "czNjcmV0";
        assert!(!shown.contains("s3cret") && !shown.contains(encoded), "{shown}");
    }
}
