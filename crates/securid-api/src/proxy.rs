//! What the environment says of proxies: `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`.

use std::ffi::OsString;

use hyper::Uri;
use hyper::header::HeaderValue;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use thiserror::Error;

use crate::Endpoint;

/// The proxies that there are. [`Default`] is none: all ways are straight.
#[derive(Debug, Default)]
pub struct Proxies(Option<Result<Named, BadProxy>>);

/// One proxy, and for which servers it is.
#[derive(Debug)]
struct Named {
    variable: &'static str,
    matcher: Matcher,
}

/// Why the proxy of the environment cannot be used. It never repeats the value, which may hold a
/// password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadProxy {
    /// No URL that names a host.
    #[error("{variable} is not a proxy's URL: it must be http://HOST:PORT, or not be set")]
    Url {
        /// The variable's name.
        variable: &'static str,
    },
    /// A proxy that is to be spoken to in TLS or SOCKS.
    #[error(
        "{variable} names a proxy that is not an http:// one, and no other sort is supported: \
        it must be http://HOST:PORT, or not be set"
    )]
    Scheme {
        /// The variable's name.
        variable: &'static str,
    },
}

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
        Self(first(&VARIABLES).map(|(name, value)| Named::new(name, &value, &exceptions)))
    }

    /// What is wrong with them. As long as it is, no server but loopback can be reached.
    #[must_use]
    pub fn fault(&self) -> Option<BadProxy> {
        self.0.as_ref()?.as_ref().err().copied()
    }

    /// The proxy that is asked for `endpoint`. None for loopback, whatever the variables say: a
    /// proxy would look for it on its own machine.
    pub(crate) fn on_the_way_to(&self, endpoint: &Endpoint) -> Result<Option<Proxy>, BadProxy> {
        let Some(named) = self.0.as_ref().filter(|_| !endpoint.is_loopback()) else {
            return Ok(None);
        };
        let named = named.as_ref().map_err(|bad| *bad)?;
        let server = endpoint.origin().parse::<Uri>().ok();
        let intercept = server.and_then(|server| named.matcher.intercept(&server));
        Ok(intercept.map(|intercept| Proxy { variable: named.variable, intercept }))
    }
}

impl Named {
    fn new(variable: &'static str, value: &OsString, except: &OsString) -> Result<Self, BadProxy> {
        let bad = || BadProxy::Url { variable };
        let value = value.to_str().ok_or_else(bad)?;
        // The matcher takes one that it cannot read for none at all, so it is asked first.
        let any = Matcher::builder().https(value).build();
        let intercept =
            any.intercept(&Uri::from_static("https://server.example")).ok_or_else(bad)?;
        if intercept.uri().scheme_str() != Some("http") {
            return Err(BadProxy::Scheme { variable });
        }
        if !is_whole(value, intercept.uri()) {
            return Err(bad());
        }
        let except = except.to_string_lossy();
        Ok(Self { variable, matcher: Matcher::builder().https(value).no(&*except).build() })
    }
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
    variable: &'static str,
    intercept: Intercept,
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

    /// The `Proxy-Authorization` that it wants.
    pub(crate) fn credentials(&self) -> Option<&HeaderValue> {
        self.intercept.basic_auth()
    }

    /// The variable that names it.
    pub(crate) fn variable(&self) -> &'static str {
        self.variable
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
        let (url, scheme) =
            (|variable| BadProxy::Url { variable }, |variable| BadProxy::Scheme { variable });
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
