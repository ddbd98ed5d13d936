//! How the later files win, key by key.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use securid_api::{Access, Endpoint, Format, ProxySettings};
use securid_session::Limits;
use securid_store::{Preference, StoreKind};
use securid_text::mention;
use toml::Spanned;

use super::file::Source;
use super::network::{client_files, proxy_settings};
use super::{AuditTarget, Config, DesktopFates, Fate, Fault, Instance, RevocationSettings};

/// The contract's default limits.
const LIMITS: Limits = Limits {
    idle: Some(Duration::from_secs(15 * 60)),
    lifetime: Some(Duration::from_secs(8 * 60 * 60)),
};

/// A year and a month: an auditor who comes once a year finds all of it.
const HISTORY_KEEP: Option<Duration> = Some(Duration::from_secs(400 * 86_400));

/// The last source that says something about a key wins, key by key.
pub(super) fn merge(sources: &[Source], faults: &mut Vec<Fault>) -> Config {
    macro_rules! last {
        ($($key:ident).+) => { sources.iter().rev().find_map(|s| s.says.$($key).+.as_ref()) };
    }
    let base = RevocationSettings::default();
    let revocation = RevocationSettings {
        attempt_timeout: last!(revocation.attempt_timeout).map_or(base.attempt_timeout, |s| s.0),
        retry_initial: last!(revocation.retry_initial).map_or(base.retry_initial, |s| s.0),
        retry_max: last!(revocation.retry_max).map_or(base.retry_max, |s| s.0),
        concurrency: last!(revocation.concurrency).map_or(base.concurrency, |c| c.0),
        shutdown_grace: last!(revocation.shutdown_grace).map_or(base.shutdown_grace, |s| s.0),
    };
    let limits = Limits {
        idle: last!(idle_timeout).map_or(LIMITS.idle, |l| l.0),
        lifetime: last!(max_lifetime).map_or(LIMITS.lifetime, |l| l.0),
    };
    let desktop = DesktopFates {
        on_lock: last!(on_lock).copied().unwrap_or(Fate::Keep),
        on_suspend: last!(on_suspend).copied().unwrap_or(Fate::Keep),
    };
    let proxy = proxy_settings(None, &ProxySettings::default(), sources, faults);
    let instances = instances(sources, limits, desktop, &proxy, faults);
    Config {
        default_instance: default_instance(sources, &instances, faults),
        keyring: keyring(sources, faults),
        key_file: absolute(said(sources, |s| s.says.key_file.as_ref()), "key_file", faults),
        require_durable: last!(require_durable).copied().unwrap_or(false),
        on_exit: last!(on_exit).copied().unwrap_or(Fate::Revoke),
        desktop,
        notify: last!(notify).copied().unwrap_or(false),
        audit: audit_target(sources, faults),
        exit_when_empty: last!(exit_when_empty).and_then(|empty| empty.0),
        history_keep: last!(history_keep).map_or(HISTORY_KEEP, |keep| keep.0),
        revocation,
        instances,
    }
}

/// The last source that says something, and what it says.
pub(super) fn said<T>(
    sources: &[Source],
    what: impl Fn(&Source) -> Option<&Spanned<T>>,
) -> Option<(&Source, &Spanned<T>)> {
    sources.iter().rev().find_map(|source| Some((source, what(source)?)))
}

/// A path, which must be a whole one: the daemon's own folder says nothing.
pub(super) fn absolute(
    said: Option<(&Source, &Spanned<PathBuf>)>,
    key: &str,
    faults: &mut Vec<Fault>,
) -> Option<PathBuf> {
    let (source, file) = said?;
    if file.get_ref().is_relative() {
        let problem = "is a relative path: write the whole one, from /";
        faults.push(source.fault(file, key, problem));
    }
    Some(file.get_ref().clone())
}

fn keyring(sources: &[Source], faults: &mut Vec<Fault>) -> Preference {
    let Some((source, name)) = said(sources, |s| s.says.keyring.as_ref()) else {
        return Preference::Auto;
    };
    if name.get_ref() == "auto" {
        return Preference::Auto;
    }
    StoreKind::from_name(name.get_ref()).map_or_else(
        || {
            let problem = format!(
                "{} is no keyring of this version: write auto, secret-service, sealed-file or \
                 keyutils",
                mention(name.get_ref())
            );
            faults.push(source.fault(name, "keyring", problem));
            Preference::Auto
        },
        Preference::Fixed,
    )
}

fn audit_target(sources: &[Source], faults: &mut Vec<Fault>) -> AuditTarget {
    let Some((source, target)) = said(sources, |s| s.says.audit.as_ref()) else {
        return AuditTarget::None;
    };
    match target.get_ref().as_str() {
        "none" => AuditTarget::None,
        "journal" => AuditTarget::Journal,
        path if Path::new(path).is_absolute() => AuditTarget::File(path.into()),
        other => {
            let problem = format!(
                "{} is no place for the audit: write none, journal, or the whole path of a \
                 file, from /",
                mention(other)
            );
            faults.push(source.fault(target, "audit", problem));
            AuditTarget::None
        }
    }
}

fn default_instance(
    sources: &[Source],
    instances: &BTreeMap<String, Arc<Instance>>,
    faults: &mut Vec<Fault>,
) -> Option<String> {
    if let Some((source, name)) = said(sources, |s| s.says.default_instance.as_ref()) {
        if !sources.iter().any(|s| s.says.instances.contains_key(name.get_ref())) {
            let problem =
                format!("there is no table [instances.NAME] for {}", mention(name.get_ref()));
            faults.push(source.fault(name, "default_instance", problem));
        }
        return Some(name.get_ref().clone());
    }
    let mut names = instances.keys();
    names.next().filter(|_| names.next().is_none()).cloned()
}

fn instances(
    sources: &[Source],
    limits: Limits,
    desktop: DesktopFates,
    proxy: &ProxySettings,
    faults: &mut Vec<Fault>,
) -> BTreeMap<String, Arc<Instance>> {
    let names: std::collections::BTreeSet<&String> =
        sources.iter().flat_map(|s| s.says.instances.keys()).collect();
    names
        .into_iter()
        .filter_map(|name| {
            let instance = instance(name, sources, limits, desktop, proxy, faults)?;
            Some((name.clone(), Arc::new(instance)))
        })
        .collect()
}

fn instance(
    name: &str,
    sources: &[Source],
    limits: Limits,
    desktop: DesktopFates,
    proxy: &ProxySettings,
    faults: &mut Vec<Fault>,
) -> Option<Instance> {
    macro_rules! last {
        ($key:ident) => {
            sources.iter().rev().find_map(|s| s.says.instances.get(name)?.$key.as_ref())
        };
    }
    let key = |key: &str| format!("instances.{name}.{key}");
    let endpoint = match said(sources, |s| s.says.instances.get(name)?.url.as_ref()) {
        Some((source, url)) => Endpoint::parse(url.get_ref())
            .map_err(|error| faults.push(source.fault(url, &key("url"), error)))
            .ok(),
        None => {
            let file = sources.iter().rev().find(|s| s.says.instances.contains_key(name))?;
            let problem = "is missing: write url = \"https://host:8443/aveksa\"";
            faults.push(file.fault_in_table(&["instances", name], &key("url"), problem));
            None
        }
    };
    let ca_file = said(sources, |s| s.says.instances.get(name)?.ca_file.as_ref());
    let access = Access {
        ca_file: absolute(ca_file, &key("ca_file"), faults),
        client: client_files(name, sources, faults),
        proxy: proxy_settings(Some(name), proxy, sources, faults),
    };
    Some(Instance {
        name: name.to_owned(),
        endpoint: endpoint?,
        username: last!(username).cloned(),
        auth_source: last!(auth_source).cloned(),
        access,
        format: last!(format).map_or(Format::Json, |f| f.0),
        limits: Limits {
            idle: last!(idle_timeout).map_or(limits.idle, |l| l.0),
            lifetime: last!(max_lifetime).map_or(limits.lifetime, |l| l.0),
        },
        desktop: DesktopFates {
            on_lock: last!(on_lock).copied().unwrap_or(desktop.on_lock),
            on_suspend: last!(on_suspend).copied().unwrap_or(desktop.on_suspend),
        },
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn source(name: &str, text: &str) -> Source {
        Source::parse(Path::new(name), text.to_owned()).unwrap()
    }

    fn merged(texts: &[&str]) -> Result<Config, Vec<String>> {
        let sources: Vec<Source> = texts.iter().map(|text| source("/c.toml", text)).collect();
        let mut faults = Vec::new();
        let config = merge(&sources, &mut faults);
        faults.extend(sources.iter().flat_map(|source| source.unknown.clone()));
        if faults.is_empty() {
            Ok(config)
        } else {
            Err(faults.iter().map(ToString::to_string).collect())
        }
    }

    /// What a person reads about this file.
    fn complaint(text: &str) -> String {
        match Source::parse(Path::new("/c.toml"), text.to_owned()) {
            Err(fault) => fault.to_string(),
            Ok(_) => merged(&[text]).unwrap_err().join("; "),
        }
    }

    const KEPT: DesktopFates = DesktopFates { on_lock: Fate::Keep, on_suspend: Fate::Keep };
    const PROD: &str = "[instances.prod]\nurl = \"https://h:8443/aveksa\"\n";

    #[test]
    fn nothing_said_means_the_contracts_defaults() {
        let config = merged(&[PROD]).unwrap();
        let prod = config.instance(None).unwrap();
        assert_eq!(config.default_instance.as_deref(), Some("prod"));
        assert_eq!((prod.name.as_str(), prod.format), ("prod", Format::Json));
        assert_eq!(prod.endpoint.url(), "https://h:8443/aveksa/command.submit");
        assert_eq!(prod.limits, LIMITS);
        assert_eq!(config.keyring, Preference::Auto);
        assert_eq!((config.on_exit, config.require_durable), (Fate::Revoke, false));
        assert_eq!((config.desktop, prod.desktop), (KEPT, KEPT));
        assert!(!config.notify);
        assert_eq!(config.audit, AuditTarget::None);
        assert_eq!(config.history_keep, Some(Duration::from_secs(400 * 86_400)));
        assert_eq!(config.revocation.concurrency, 32);
        assert_eq!(config.revocation.shutdown_grace, Duration::from_secs(20));
    }

    #[test]
    fn later_layers_win_key_by_key() {
        let machine = "idle_timeout = \"5m\"\nmax_lifetime = \"never\"\non_exit = \"keep\"\n\
                       [revocation]\nconcurrency = 8\nretry_max = \"1m\"\n\
                       [instances.prod]\nurl = \"https://machine/aveksa\"\nusername = \"m\"\n";
        let user = "idle_timeout = \"never\"\n[revocation]\nconcurrency = 4\n\
                    [instances.prod]\nusername = \"u\"\nidle_timeout = \"90s\"\n";
        let config = merged(&[machine, user]).unwrap();
        let prod = config.instance(Some("prod")).unwrap();
        assert_eq!(prod.endpoint.url(), "https://machine/aveksa/command.submit");
        assert_eq!(prod.username.as_deref(), Some("u"));
        assert_eq!(prod.limits.idle, Some(Duration::from_secs(90)));
        assert_eq!(prod.limits.lifetime, None);
        assert_eq!(config.on_exit, Fate::Keep);
        assert_eq!(config.revocation.concurrency, 4);
        assert_eq!(config.revocation.retry_max, Duration::from_secs(60));
    }

    #[test]
    fn an_instance_has_its_own_say_about_the_desktop_and_one_that_is_gone_has_none() {
        let text = format!("on_suspend = \"revoke\"\nnotify = true\n{PROD}on_lock = \"revoke\"\n");
        let config = merged(&[&text, "[instances.prod]\non_suspend = \"keep\"\n"]).unwrap();
        assert!(config.notify);
        let prod = DesktopFates { on_lock: Fate::Revoke, on_suspend: Fate::Keep };
        assert_eq!(config.desktop_fates("prod"), prod);
        let top = DesktopFates { on_lock: Fate::Keep, on_suspend: Fate::Revoke };
        assert_eq!(config.desktop_fates("gone"), top);
    }

    #[test]
    fn a_proxy_of_an_instance_takes_no_password_from_the_top() {
        let top = "proxy = \"http://top:1\"\nno_proxy = \"t.example\"\n\
                   proxy_credentials_file = \"/top\"\n";
        let said = |proxy: &str, no_proxy: Option<&str>, file: Option<&str>| ProxySettings {
            proxy: Some(proxy.to_owned()),
            no_proxy: no_proxy.map(str::to_owned),
            credentials_file: file.map(PathBuf::from),
        };
        for (own, expected) in [
            ("", said("http://top:1", Some("t.example"), Some("/top"))),
            ("no_proxy = \"\"", said("http://top:1", Some(""), Some("/top"))),
            (
                "proxy_credentials_file = \"/own\"",
                said("http://top:1", Some("t.example"), Some("/own")),
            ),
            ("proxy = \"http://own:1\"", said("http://own:1", None, None)),
            ("proxy = \"none\"", said("none", None, None)),
        ] {
            let config = merged(&[&format!("{top}{PROD}{own}\n")]).unwrap();
            assert_eq!(config.instance(None).unwrap().access.proxy, expected, "{own}");
        }
        // Another file may name another proxy, with the password that is there.
        let config = merged(&[&format!("{top}{PROD}"), "proxy = \"http://other:1\"\n"]).unwrap();
        let expected = said("http://other:1", Some("t.example"), Some("/top"));
        assert_eq!(config.instance(None).unwrap().access.proxy, expected);
    }

    #[test]
    fn of_several_instances_none_is_the_default_unless_one_is_said_to_be() {
        let two = format!("{PROD}[instances.test]\nurl = \"https://t/aveksa\"\n");
        assert!(merged(&[&two]).unwrap().instance(None).is_none());
        let said = format!("default_instance = \"test\"\n{two}");
        assert_eq!(merged(&[&said]).unwrap().instance(None).unwrap().name, "test");
    }

    #[test]
    fn every_fault_names_file_line_key_and_what_was_expected() {
        let at = |line: &str| format!("{PROD}{line}\n");
        for (text, expected) in [
            (
                at("idle_timeout = \"15x\""),
                "/c.toml:3: instances.prod.idle_timeout: \"15x\" is not",
            ),
            (
                at("idle_timeout = \"0s\""),
                "/c.toml:3: instances.prod.idle_timeout: \"0s\" is no time",
            ),
            (
                at("idle_timeout = 15"),
                "/c.toml:3: instances.prod.idle_timeout: invalid type: integer",
            ),
            (
                at("format = \"xml\""),
                "/c.toml:3: instances.prod.format: \"xml\" is no reply format",
            ),
            (at("ca_file = \"ca.pem\""), "/c.toml:3: instances.prod.ca_file: is a relative path"),
            (at("colour = 1"), "/c.toml:3: instances.prod.colour: this version knows no such key"),
            (
                "\nidle_timout = \"5m\"".into(),
                "/c.toml:2: idle_timout: this version knows no such key",
            ),
            ("keyring = \"vault\"".into(), "/c.toml:1: keyring: \"vault\" is no keyring"),
            ("key_file = \"key\"".into(), "/c.toml:1: key_file: is a relative path"),
            ("audit = \"audit.jsonl\"".into(), "/c.toml:1: audit: \"audit.jsonl\" is no place"),
            ("on_exit = \"ask\"".into(), "/c.toml:1: on_exit: \"ask\": write revoke or keep"),
            (at("on_lock = \"lock\""), "/c.toml:3: instances.prod.on_lock: \"lock\": write"),
            ("on_suspend = true".into(), "/c.toml:1: on_suspend: invalid type: boolean"),
            (
                at("client_cert = \"/c.pem\""),
                "/c.toml:3: instances.prod.client_cert: is of no use without its key",
            ),
            (at("client_key = \"/k.pem\""), "/c.toml:3: instances.prod.client_key: is of no use"),
            (
                at("client_cert = \"/c.pem\"\nclient_key = \"k.pem\""),
                "/c.toml:4: instances.prod.client_key: is a relative path",
            ),
            (at("proxy = \"socks5://h:1\""), "/c.toml:3: instances.prod.proxy: names a proxy that"),
            (
                "proxy = \"https://h:1\"".into(),
                "/c.toml:1: proxy: names a proxy that is not an http",
            ),
            (
                "proxy = \"\"".into(),
                "/c.toml:1: proxy: is not a proxy's URL: it must be http://HOST",
            ),
            (
                "proxy = \"http://me:s3cret@h:1\"".into(),
                "/c.toml:1: proxy: has a user name or a password in it",
            ),
            (
                at("proxy = \"none\"\nno_proxy = \"x\""),
                "/c.toml:4: instances.prod.no_proxy: is for a proxy, and proxy = \"none\" says",
            ),
            (
                "proxy = \"none\"\nproxy_credentials_file = \"/p\"".into(),
                "/c.toml:2: proxy_credentials_file: is for a proxy, and",
            ),
            (
                "proxy_credentials_file = \"p\"".into(),
                "/c.toml:1: proxy_credentials_file: is a relative path",
            ),
            ("notify = \"yes\"".into(), "/c.toml:1: notify: invalid type: string"),
            ("audit = 5".into(), "/c.toml:1: audit: invalid type: integer"),
            ("[instances.a]\nurl = 5".into(), "/c.toml:2: instances.a.url: invalid type: integer"),
            (
                "revocation = 5".into(),
                "/c.toml:1: revocation: invalid type: integer `5`, expected a table",
            ),
            (
                "exit_when_empty = \"500ms\"".into(),
                "/c.toml:1: exit_when_empty: \"500ms\" is too short",
            ),
            (
                "history_keep = \"23h\"".into(),
                "/c.toml:1: history_keep: \"23h\" is too short: write at least 1d",
            ),
            ("exit_when_empty = \"soon\"".into(), "/c.toml:1: exit_when_empty: \"soon\" is not"),
            ("default_instance = \"x\"".into(), "/c.toml:1: default_instance: there is no table"),
            (
                "[revocation]\nconcurrency = 0".into(),
                "/c.toml:2: revocation.concurrency: 0 is out of",
            ),
            ("[instances.a]\nusername = \"u\"".into(), "/c.toml:1: instances.a.url: is missing"),
            ("[instances.a]\nurl = \"ftp://h\"".into(), "/c.toml:2: instances.a.url: "),
            ("[instances.a]\nurl = \"http://h/aveksa\"".into(), "/c.toml:2: instances.a.url: "),
            ("a = ".into(), "/c.toml:1: "),
            (
                "[instances.\"a.b\"]\ncolour = 1\nurl = \"https://h\"".into(),
                "/c.toml:2: instances.a.b.colour: this version knows",
            ),
            ("\n[instances.\"a.b\"]".into(), "/c.toml:2: instances.a.b.url: is missing"),
            ("\"a\\u001b[2J\" = 1".into(), "/c.toml:1: [not repeated: 5 characters]: this version"),
        ] {
            let told = complaint(&text);
            assert!(told.starts_with(expected), "{told}\nexpected: {expected}");
            assert!(!told.contains("s3cret"), "{told}");
        }
    }

    #[test]
    fn all_faults_are_told_at_once() {
        let told = complaint("keyring = \"x\"\nfoo = 1\n[instances.a]\nurl = \"ftp://h\"");
        assert_eq!(told.matches("/c.toml:").count(), 3, "{told}");
    }
}
