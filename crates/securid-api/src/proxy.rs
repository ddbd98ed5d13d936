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
        // A password with an '@' in it that was not written as %40.
        if intercept.uri().authority().is_none_or(|authority| authority.as_str().contains('@')) {
            return Err(bad());
        }
        let except = except.to_string_lossy();
        Ok(Self { variable, matcher: Matcher::builder().https(value).no(&*except).build() })
    }
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
