//! What all that is said comes to.

use std::collections::BTreeMap;
use std::sync::Arc;

use securid_api::Access;
use securid_session::Limits;
use securid_text::mention;

use super::key::Table;
use super::keys;
use super::network::{client_files, proxy_settings, vain_words};
use super::place::{Fault, Place};
use super::said::Said;
use super::{Config, DesktopFates, Instance, RevocationSettings};

/// The complete config. What is missing, or names what is not there, is told besides the faults there are.
pub(super) fn merge(said: &Said, faults: &mut Vec<Fault>) -> Config {
    let (top, table) = (&Table::Top, &Table::Revocation);
    faults.extend(vain_words(said, top));
    let instances = instances(said, faults);
    Config {
        default_instance: default_instance(said, &instances, faults),
        keyring: said.get(top, &keys::KEYRING),
        key_file: said.get(top, &keys::KEY_FILE),
        require_durable: said.get(top, &keys::REQUIRE_DURABLE),
        on_exit: said.get(top, &keys::ON_EXIT),
        desktop: desktop_fates(said, top),
        notify: said.get(top, &keys::NOTIFY),
        audit: said.get(top, &keys::AUDIT),
        exit_when_empty: said.get(top, &keys::EXIT_WHEN_EMPTY).0,
        history_keep: said.get(top, &keys::HISTORY_KEEP).0,
        revocation: RevocationSettings {
            attempt_timeout: said.get(table, &keys::ATTEMPT_TIMEOUT).0,
            retry_initial: said.get(table, &keys::RETRY_INITIAL).0,
            retry_max: said.get(table, &keys::RETRY_MAX).0,
            concurrency: said.get(table, &keys::CONCURRENCY).0,
            shutdown_grace: said.get(table, &keys::SHUTDOWN_GRACE).0,
        },
        instances,
    }
}

fn default_instance(
    said: &Said,
    instances: &BTreeMap<String, Arc<Instance>>,
    faults: &mut Vec<Fault>,
) -> Option<String> {
    if let Some(name) = said.get(&Table::Top, &keys::DEFAULT_INSTANCE) {
        let place = said.place_of(&Table::Top, &keys::DEFAULT_INSTANCE);
        if let (Some(place), false) = (place, said.instances.contains_key(&name)) {
            let problem = format!("there is no table [instances.NAME] for {}", mention(&name));
            faults.push(Fault::new(place, keys::DEFAULT_INSTANCE.name.to_owned(), problem));
        }
        return Some(name);
    }
    let mut names = instances.keys();
    names.next().filter(|_| names.next().is_none()).cloned()
}

fn instances(said: &Said, faults: &mut Vec<Fault>) -> BTreeMap<String, Arc<Instance>> {
    let instance = |(name, place): (&String, &Place)| {
        let instance = instance(said, name, place, faults)?;
        Some((name.clone(), Arc::new(instance)))
    };
    said.instances.iter().filter_map(instance).collect()
}

fn instance(said: &Said, name: &str, place: &Place, faults: &mut Vec<Fault>) -> Option<Instance> {
    let table = &Table::Instance(name.to_owned());
    faults.extend(vain_words(said, table));
    let access = Access {
        ca_file: said.get(table, &keys::CA_FILE),
        client: client_files(said, table, faults),
        proxy: proxy_settings(said, table, faults),
    };
    let Some(endpoint) = said.get(table, &keys::URL) else {
        let problem = "is missing: write url = \"https://host:8443/aveksa\"";
        let key = table.key(keys::URL.name);
        // A bad one is told already.
        if !faults.iter().any(|fault| fault.is_about(&key)) {
            faults.push(Fault::new(place, key, problem));
        }
        return None;
    };
    Some(Instance {
        name: name.to_owned(),
        endpoint,
        username: said.get(table, &keys::USERNAME),
        auth_source: said.get(table, &keys::AUTH_SOURCE),
        access,
        format: said.get(table, &keys::FORMAT),
        limits: Limits {
            idle: said.get(table, &keys::IDLE_TIMEOUT).0,
            lifetime: said.get(table, &keys::MAX_LIFETIME).0,
        },
        desktop: desktop_fates(said, table),
    })
}

fn desktop_fates(said: &Said, table: &Table) -> DesktopFates {
    DesktopFates {
        on_lock: said.get(table, &keys::ON_LOCK),
        on_suspend: said.get(table, &keys::ON_SUSPEND),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::path::Path;
    use std::time::Duration;

    use std::path::PathBuf;

    use securid_api::{Format, ProxySettings};
    use securid_store::Preference;

    use super::super::layer::{Assignment, Layer, Whose};
    use super::super::said::Counting;
    use super::super::{AuditTarget, Fate};
    use super::*;

    /// Users' files, the later winning.
    fn merged(texts: &[&str]) -> Result<Config, Vec<String>> {
        let users = |text: &&str| Layer::of_file(Path::new("/c.toml"), text, Whose::Users);
        of_layers(texts.iter().map(users).collect())
    }

    fn of_layers(layers: Vec<Layer>) -> Result<Config, Vec<String>> {
        let (mut said, mut faults) = (Said::default(), Vec::new());
        for mut layer in layers {
            faults.append(&mut layer.faults);
            faults.append(&mut layer.unknown);
            said.add(layer, Counting::All);
        }
        let config = merge(&said, &mut faults);
        if faults.is_empty() {
            Ok(config)
        } else {
            Err(faults.iter().map(ToString::to_string).collect())
        }
    }

    /// What a person reads about this file.
    fn complaint(text: &str) -> String {
        merged(&[text]).unwrap_err().join("; ")
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
        let [idle, lifetime] = [900, 28_800].map(|s| Some(Duration::from_secs(s)));
        assert_eq!(prod.limits, Limits { idle, lifetime });
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
                "/c.toml:3: instances.prod.idle_timeout: is an integer: write a duration, or never, in quotes",
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
            (
                "on_suspend = true".into(),
                "/c.toml:1: on_suspend: is a boolean: write revoke or keep, in quotes",
            ),
            (
                "notify = \"yes\"".into(),
                "/c.toml:1: notify: is a string: write true or false, without quotes",
            ),
            ("audit = 5".into(), "/c.toml:1: audit: is an integer: write none"),
            (
                "[instances.a]\nurl = 5".into(),
                "/c.toml:2: instances.a.url: is an integer: write a URL",
            ),
            (
                "revocation = 5".into(),
                "/c.toml:1: revocation: is an integer, and has to be a table",
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
            ("instances.a = 1".into(), "/c.toml:1: instances.a: is an integer, and has to be"),
            (
                "retry_max = \"1m\"".into(),
                "/c.toml:1: retry_max: is no key here: it belongs into the table",
            ),
            (
                at("keyring = \"auto\""),
                "/c.toml:3: instances.prod.keyring: is no key here: it belongs at the top",
            ),
            (
                "\n[enforced]\nidle_timeout = 5".into(),
                "/c.toml:2: enforced: only the machine's own files",
            ),
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

    fn environment(variables: &[(&str, &str)]) -> Layer {
        Layer::of_environment(|name| {
            let of_the_name = variables.iter().find(|(known, _)| *known == name);
            of_the_name.map(|(_, value)| value.into())
        })
    }

    fn flags(flags: &[&str]) -> Layer {
        let flags: Vec<Assignment> =
            flags.iter().map(|flag| Assignment::from((*flag).to_owned())).collect();
        Layer::of_flags(&flags)
    }

    fn machines(text: &str) -> Layer {
        Layer::of_file(Path::new("/m.toml"), text, Whose::Machines)
    }

    fn users(text: &str) -> Layer {
        Layer::of_file(Path::new("/u.toml"), text, Whose::Users)
    }

    #[test]
    fn variables_win_over_files_and_flags_over_variables() {
        let file = format!("idle_timeout = \"1m\"\nnotify = true\n{PROD}");
        let variables = [
            ("SECURID_IDLE_TIMEOUT", "2m"),
            ("SECURID_NOTIFY", "false"),
            ("SECURID_MAX_LIFETIME", ""),
            ("SECURID_REVOCATION_CONCURRENCY", "7"),
            ("SECURID_REVOCATION_RETRY_MAX", "9s"),
            // No keys, and none of our business.
            ("SECURID_URL", "x"),
            ("SECURID_SESSION", "x"),
        ];
        let config = of_layers(vec![users(&file), environment(&variables)]).unwrap();
        assert_eq!(config.instances["prod"].limits.idle, Some(Duration::from_secs(120)));
        assert_eq!(config.instances["prod"].limits.lifetime, Some(Duration::from_secs(28_800)));
        assert_eq!((config.notify, config.revocation.concurrency), (false, 7));

        let said = flags(&[
            "idle_timeout=3m",
            "instances.prod.idle_timeout=3m",
            "instances.prod.idle_timeout=4m",
            "instances.a.b.url=https://a.b/c=d",
            "revocation.retry_max=8s",
            "default_instance=a.b",
        ]);
        let config = of_layers(vec![users(&file), environment(&variables), said]).unwrap();
        assert_eq!(config.instances["prod"].limits.idle, Some(Duration::from_secs(240)));
        assert_eq!(config.instances["a.b"].limits.idle, Some(Duration::from_secs(180)));
        assert_eq!(config.instance(None).unwrap().name, "a.b");
        assert_eq!(config.revocation.retry_max, Duration::from_secs(8));
    }

    #[test]
    fn what_a_variable_or_a_flag_says_wrongly_is_told_by_its_name() {
        for (layer, expected) in [
            (
                environment(&[("SECURID_IDLE_TIMEOUT", "15x")]),
                "SECURID_IDLE_TIMEOUT (environment): idle_timeout: \"15x\" is not a duration",
            ),
            (
                environment(&[("SECURID_REVOCATION_CONCURRENCY", "many")]),
                "SECURID_REVOCATION_CONCURRENCY (environment): revocation.concurrency: \"many\": write",
            ),
            (
                environment(&[("SECURID_NOTIFY", "yes")]),
                "SECURID_NOTIFY (environment): notify: \"yes\": write true",
            ),
            (
                environment(&[("SECURID_DEFAULT_INSTANCE", "x")]),
                "SECURID_DEFAULT_INSTANCE (environment): default_instance: there is no table",
            ),
            (flags(&["idle_timeout=15x"]), "--set: idle_timeout: \"15x\" is not a duration"),
            (flags(&["idle_timeout"]), "--set: idle_timeout: has no value: write KEY=VALUE"),
            (flags(&["correct horse"]), "--set: [not repeated: 13 characters]: has no value"),
            (flags(&["colour=1"]), "--set: colour: this version knows no such key"),
            (
                flags(&["concurrency=1"]),
                "--set: concurrency: is no key here: it belongs into the table",
            ),
            (flags(&["instances.prod.colour=1"]), "--set: instances.prod.colour: this version"),
            (flags(&["instances.prod=1"]), "--set: instances.prod: this version knows no such key"),
            (flags(&["enforced.idle_timeout=1m"]), "--set: enforced.idle_timeout: this version"),
            (flags(&["instances.prd.idle_timeout=1m"]), "--set: instances.prd.url: is missing"),
        ] {
            let told = of_layers(vec![layer]).unwrap_err().join("; ");
            assert!(told.starts_with(expected), "{told}\nexpected: {expected}");
        }
    }

    /// Whatever users, variables and flags say.
    fn tried_to_loosen(machines: Layer) -> Config {
        let user = format!(
            "idle_timeout = \"1d\"\nmax_lifetime = \"never\"\non_exit = \"keep\"\n\
             [revocation]\nretry_max = \"1d\"\n\
             {PROD}idle_timeout = \"2d\"\nmax_lifetime = \"never\"\n\
             [instances.own]\nurl = \"https://own/aveksa\"\nidle_timeout = \"3d\"\n"
        );
        let variables = [("SECURID_IDLE_TIMEOUT", "4d"), ("SECURID_REVOCATION_RETRY_MAX", "4d")];
        let said = flags(&["instances.prod.idle_timeout=5d", "idle_timeout=5d", "on_exit=keep"]);
        of_layers(vec![machines, users(&user), environment(&variables), said]).unwrap()
    }

    #[test]
    fn what_is_enforced_at_the_top_binds_all_instances() {
        let config = tried_to_loosen(machines(
            "idle_timeout = \"6d\"\n[instances.prod]\nidle_timeout = \"6d\"\n[enforced]\n\
             idle_timeout = \"5m\"\non_exit = \"revoke\"\n[enforced.revocation]\nretry_max = \"2m\"\n",
        ));
        for instance in ["prod", "own"] {
            assert_eq!(config.instances[instance].limits.idle, Some(Duration::from_secs(300)));
        }
        assert_eq!(config.instances["prod"].limits.lifetime, None);
        assert_eq!(config.on_exit, Fate::Revoke);
        assert_eq!(config.revocation.retry_max, Duration::from_secs(120));
    }

    #[test]
    fn what_is_enforced_for_an_instance_binds_that_one_before_the_top() {
        let text = "[enforced]\nidle_timeout = \"5m\"\n[enforced.instances.prod]\n\
                    idle_timeout = \"1m\"\nurl = \"https://right/aveksa\"\n\
                    [enforced.instances.absent]\nidle_timeout = \"1m\"\n";
        let config = tried_to_loosen(machines(text));
        let limits = |name: &str| config.instances[name].limits.idle.unwrap().as_secs();
        assert_eq!((limits("prod"), limits("own")), (60, 300));
        let url = config.instances["prod"].endpoint.url();
        assert_eq!(url, "https://right/aveksa/command.submit");
        // Something is said about it, but there is no such instance.
        assert!(!config.instances.contains_key("absent"));
        assert_eq!(config.instances.len(), 2);
    }

    #[test]
    fn of_two_files_of_the_machine_the_later_enforces() {
        let enforcing = |text: &str| machines(&format!("[enforced]\n{text}\n"));
        let layers = vec![
            enforcing("idle_timeout = \"5m\"\nmax_lifetime = \"1h\""),
            enforcing("idle_timeout = \"7m\""),
            users(PROD),
        ];
        let limits = of_layers(layers).unwrap().instances["prod"].limits;
        assert_eq!(limits.idle, Some(Duration::from_secs(420)));
        assert_eq!(limits.lifetime, Some(Duration::from_secs(3600)));
    }

    #[test]
    fn beside_a_file_alone_only_what_is_enforced_counts() {
        let machine = machines(
            "max_lifetime = \"1h\"\n[instances.old]\nurl = \"https://old/aveksa\"\n\
             [enforced]\nidle_timeout = \"5m\"\n",
        );
        let (mut said, mut faults) = (Said::default(), Vec::new());
        said.add(machine, Counting::Enforced);
        said.add(users(PROD), Counting::All);
        let config = merge(&said, &mut faults);
        assert_eq!(faults, []);
        assert_eq!(config.instances.keys().collect::<Vec<_>>(), ["prod"]);
        let limits = config.instances["prod"].limits;
        assert_eq!(limits.idle, Some(Duration::from_secs(300)));
        assert_eq!(limits.lifetime, Some(Duration::from_secs(28_800)));
    }

    #[test]
    fn a_bad_value_does_not_take_the_rest_of_its_file_along() {
        let text = "idle_timeout = 5\nkey_file = \"/k\"\n[revocation]\nshutdown_grace = \"7s\"\n";
        let (mut said, mut faults) = (Said::default(), Vec::new());
        said.add(users(text), Counting::All);
        let config = merge(&said, &mut faults);
        assert_eq!(config.key_file.as_deref(), Some(Path::new("/k")));
        assert_eq!(config.revocation.shutdown_grace, Duration::from_secs(7));
    }

    #[test]
    fn everything_enforced_is_named_so_in_faults() {
        let enforced =
            "[enforced.revocation]\nretry_max = 5\n[enforced.instances.prod]\ncolour = 1\n";
        let told = of_layers(vec![machines(enforced)]).unwrap_err().join("; ");
        assert!(told.contains("/m.toml:2: enforced.revocation.retry_max: is an integer"), "{told}");
        assert!(told.contains("/m.toml:4: enforced.instances.prod.colour: this version"), "{told}");
    }

    #[test]
    fn an_enforced_proxy_is_every_instances() {
        let machine = "[enforced]\nproxy = \"http://corp:1\"\nno_proxy = \"corp.example\"\n";
        let user = format!(
            "{PROD}proxy = \"http://own:1\"\nproxy_credentials_file = \"/own\"\nno_proxy = \"*\"\n"
        );
        let config = of_layers(vec![machines(machine), users(&user)]).unwrap();
        let expected = ProxySettings {
            proxy: Some("http://corp:1".to_owned()),
            no_proxy: Some("corp.example".to_owned()),
            credentials_file: Some("/own".into()),
        };
        assert_eq!(config.instances["prod"].access.proxy, expected);
        // What one layer says of a proxy is not in vain because another has none.
        let none = machines("[enforced]\nproxy = \"none\"\n");
        let config = of_layers(vec![none, users(&user)]).unwrap();
        assert_eq!(config.instances["prod"].access.proxy.proxy.as_deref(), Some("none"));
    }

    #[test]
    fn nothing_goes_around_a_bad_proxy() {
        for text in [
            format!("proxy = \"socks5://h:1\"\n{PROD}"),
            format!("{PROD}proxy = \"http://u:s3cret@h:1\"\n"),
        ] {
            let (mut said, layer) = (Said::default(), users(&text));
            let mut faults = layer.faults.clone();
            said.add(layer, Counting::All);
            let config = merge(&said, &mut faults);
            assert_eq!(config.instances["prod"].access.proxy.proxy.as_deref(), Some(""));
        }
    }
}
