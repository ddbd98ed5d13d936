//! The one address that a token is sent to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rustls::pki_types::ServerName;
use thiserror::Error;

/// A web service's endpoint: the one URL that all its commands go to.
///
/// Two spellings of the same address (letter case of the host, a default port, a trailing slash,
/// the last segment left out) are equal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Endpoint {
    url: String,
    origin: String,
    /// Where in `url` its path begins.
    path_at: usize,
    secure: bool,
    loopback: bool,
    name: ServerName<'static>,
}

impl Endpoint {
    /// Reads `https://host[:port]/aveksa` or the whole `https://host[:port]/aveksa/command.submit`;
    /// any other path may stand in the place of `/aveksa`, and `http://` for a loopback host.
    ///
    /// # Errors
    /// [`BadUrl`], one variant for each thing that may be wrong.
    pub fn parse(text: &str) -> Result<Self, BadUrl> {
        let (scheme, rest) = text.split_once("://").ok_or(BadUrl::Scheme)?;
        let scheme = Scheme::of(scheme)?;
        if rest.contains('#') {
            return Err(BadUrl::Fragment);
        }
        if rest.contains('?') {
            return Err(BadUrl::Query);
        }
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(BadUrl::UserInfo);
        }
        let (host, port) = split_port(authority)?;
        let (host, name) = normal_host(host)?;
        let loopback = is_loopback(&host);
        if scheme == Scheme::Http && !loopback {
            return Err(BadUrl::PlainHttp);
        }
        if !path.bytes().all(may_stand_in_path) {
            return Err(BadUrl::Path);
        }

        let path = path.trim_end_matches('/');
        let tail = if path.ends_with(COMMAND_SUBMIT) { "" } else { COMMAND_SUBMIT };
        let (scheme_name, default_port) = (scheme.name(), scheme.port());
        let port = port.unwrap_or(default_port);
        let shown_port = if port == default_port { String::new() } else { format!(":{port}") };
        let before_path = format!("{scheme_name}://{host}{shown_port}");
        Ok(Self {
            url: format!("{before_path}{path}{tail}"),
            origin: format!("{scheme_name}://{host}:{port}"),
            path_at: before_path.len(),
            secure: scheme == Scheme::Https,
            loopback,
            name,
        })
    }

    /// The whole endpoint in its normal form, without a query:
    /// `https://host[:port]/aveksa/command.submit`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// `scheme://host:port`, the port always named: for messages about the connection.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The path of all its commands, from the first slash on.
    pub(crate) fn path(&self) -> &str {
        &self.url[self.path_at..]
    }

    /// Whether it is reached through TLS.
    pub(crate) fn is_secure(&self) -> bool {
        self.secure
    }

    /// Whether it is this machine itself.
    pub(crate) fn is_loopback(&self) -> bool {
        self.loopback
    }

    /// The name or address that its certificate must bear.
    pub(crate) fn name(&self) -> &ServerName<'static> {
        &self.name
    }
}

/// Why a text is no [`Endpoint`]. None of them repeats it: there may be a password in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadUrl {
    /// No scheme, or another one.
    #[error("the URL begins neither with https:// nor with http://")]
    Scheme,
    /// `http://` to another machine.
    #[error(
        "http:// is for loopback hosts only: the token would travel in the clear; use https://"
    )]
    PlainHttp,
    /// A user name or password before the host.
    #[error("the URL holds a user name or password before the host")]
    UserInfo,
    /// No host, or one that is neither a name nor an address.
    #[error("the URL's host is neither a name nor an address")]
    Host,
    /// A port that is not a number from 1 to 65535.
    #[error("the URL's port is not a number from 1 to 65535")]
    Port,
    /// A character that no path may hold.
    #[error("the URL's path holds a character that must be written as %XX")]
    Path,
    /// A query: the commands bring their own.
    #[error("the URL holds a query ('?'), which belongs to the single command")]
    Query,
    /// A fragment, which is never sent.
    #[error("the URL holds a fragment ('#')")]
    Fragment,
}

/// The last segment of every endpoint, from the vendor's pages.
const COMMAND_SUBMIT: &str = "/command.submit";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Https,
    Http,
}

impl Scheme {
    fn of(text: &str) -> Result<Self, BadUrl> {
        if text.eq_ignore_ascii_case("https") {
            Ok(Self::Https)
        } else if text.eq_ignore_ascii_case("http") {
            Ok(Self::Http)
        } else {
            Err(BadUrl::Scheme)
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Http => "http",
        }
    }

    fn port(self) -> u16 {
        match self {
            Self::Https => 443,
            Self::Http => 80,
        }
    }
}

/// Host and port of `host`, `host:port`, `[v6]` or `[v6]:port`.
fn split_port(authority: &str) -> Result<(&str, Option<u16>), BadUrl> {
    let after_brackets = authority.rfind(']').map_or(0, |end| end + 1);
    let Some(colon) = authority[after_brackets..].find(':').map(|at| at + after_brackets) else {
        return Ok((authority, None));
    };
    let digits = &authority[colon + 1..];
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(BadUrl::Port);
    }
    match digits.parse::<u16>() {
        Ok(port) if port > 0 => Ok((&authority[..colon], Some(port))),
        _ => Err(BadUrl::Port),
    }
}

/// The host in lower case, an IPv6 address in its shortest form and in brackets; and as TLS looks
/// for it in a certificate.
fn normal_host(host: &str) -> Result<(String, ServerName<'static>), BadUrl> {
    if let Some(inside) = host.strip_prefix('[') {
        let address = inside.strip_suffix(']').ok_or(BadUrl::Host)?;
        let address: Ipv6Addr = address.parse().map_err(|_| BadUrl::Host)?;
        return Ok((format!("[{address}]"), ServerName::from(IpAddr::V6(address))));
    }
    let host = host.to_ascii_lowercase();
    let name = ServerName::try_from(host.clone()).map_err(|_| BadUrl::Host)?;
    Ok((host, name))
}

fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host == "[::1]"
        || host.parse().is_ok_and(|v4: Ipv4Addr| v4.is_loopback())
}

/// RFC 3986, section 3.3: `pchar` and the slash, with `%` taken on trust.
fn may_stand_in_path(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"/-._~%!$&'()*+,;=:@".contains(&b)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn spellings_of_one_endpoint_are_one() {
        for text in [
            "https://iga.example.com/aveksa",
            "https://iga.example.com/aveksa/",
            "https://iga.example.com:443/aveksa",
            "HTTPS://IGA.Example.com/aveksa/command.submit",
            "https://iga.example.com/aveksa/command.submit/",
        ] {
            let endpoint = Endpoint::parse(text).unwrap();
            assert_eq!(endpoint.url(), "https://iga.example.com/aveksa/command.submit", "{text}");
            assert_eq!(endpoint.origin(), "https://iga.example.com:443");
        }
    }

    #[test]
    fn other_addresses_are_others() {
        for (text, url, origin) in [
            ("https://h:8443/a", "https://h:8443/a/command.submit", "https://h:8443"),
            ("https://h", "https://h/command.submit", "https://h:443"),
            ("https://h/p/q/", "https://h/p/q/command.submit", "https://h:443"),
            (
                "https://h/my-command.submit",
                "https://h/my-command.submit/command.submit",
                "https://h:443",
            ),
            (
                "https://[2001:DB8::0:1]/a",
                "https://[2001:db8::1]/a/command.submit",
                "https://[2001:db8::1]:443",
            ),
            (
                "https://10.0.0.1:444/a",
                "https://10.0.0.1:444/a/command.submit",
                "https://10.0.0.1:444",
            ),
            ("http://127.9.9.9/a", "http://127.9.9.9/a/command.submit", "http://127.9.9.9:80"),
            ("http://[::1]:80/a", "http://[::1]/a/command.submit", "http://[::1]:80"),
            (
                "http://LocalHost:8080/a",
                "http://localhost:8080/a/command.submit",
                "http://localhost:8080",
            ),
        ] {
            let endpoint = Endpoint::parse(text).unwrap();
            assert_eq!((endpoint.url(), endpoint.origin()), (url, origin));
        }
    }

    #[test]
    fn each_refusal_is_its_own() {
        for (text, refusal) in [
            ("", BadUrl::Scheme),
            ("iga.example.com/aveksa", BadUrl::Scheme),
            ("ftp://h/aveksa", BadUrl::Scheme),
            (" https://h/aveksa", BadUrl::Scheme),
            ("http://iga.example.com/aveksa", BadUrl::PlainHttp),
            ("http://127.0.0.1.example.com/aveksa", BadUrl::PlainHttp),
            ("http://[::2]/aveksa", BadUrl::PlainHttp),
            ("http://128.0.0.1/aveksa", BadUrl::PlainHttp),
            ("https://me:secret@h/aveksa", BadUrl::UserInfo),
            ("http://127.0.0.1@evil.example/aveksa", BadUrl::UserInfo),
            ("https:///aveksa", BadUrl::Host),
            ("https://:8443/aveksa", BadUrl::Host),
            ("https://a b/aveksa", BadUrl::Host),
            ("https://h\\x/aveksa", BadUrl::Host),
            ("https://[::1/aveksa", BadUrl::Port),
            ("https://[::1]x/aveksa", BadUrl::Host),
            ("https://[fe80::1%25eth0]/aveksa", BadUrl::Host),
            ("https://müller.example/aveksa", BadUrl::Host),
            ("https://h:/aveksa", BadUrl::Port),
            ("https://h:0/aveksa", BadUrl::Port),
            ("https://h:+1/aveksa", BadUrl::Port),
            ("https://h:65536/aveksa", BadUrl::Port),
            ("https://h:1:2/aveksa", BadUrl::Port),
            ("https://h/ave ksa", BadUrl::Path),
            ("https://h/aveksa\r\nX: y", BadUrl::Path),
            ("https://h/ü", BadUrl::Path),
            ("https://h/aveksa?cmd=logoutUser", BadUrl::Query),
            ("https://h?x", BadUrl::Query),
            ("https://h/aveksa#x", BadUrl::Fragment),
        ] {
            assert_eq!(Endpoint::parse(text), Err(refusal), "{text:?}");
            assert!(!refusal.to_string().contains("secret"));
        }
    }

    proptest! {
        #[test]
        fn the_normal_form_is_its_own_normal_form(text in "https?://([a-z0-9.]{1,9}|\\[::1\\]|127\\.0\\.0\\.1)(:[0-9]{1,5})?(/[a-z.@%]{0,4}){0,3}/?") {
            if let Ok(endpoint) = Endpoint::parse(&text) {
                prop_assert_eq!(Endpoint::parse(endpoint.url()), Ok(endpoint.clone()));
                prop_assert!(endpoint.url().parse::<hyper::Uri>().is_ok());
            }
        }

        #[test]
        fn nothing_panics(text in "\\PC*|https://\\PC*|https://[:\\[\\]@/0-9]*") {
            let _ = Endpoint::parse(&text);
        }
    }
}
