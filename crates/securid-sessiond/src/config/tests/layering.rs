//! Who wins, and what holds where nobody says anything.

use std::time::Duration;

use securid_api::{Format, ProxySettings};
use securid_session::Limits;
use securid_store::Preference;

use super::super::{AuditTarget, DesktopFates, Fate};
use super::*;

const KEPT: DesktopFates = DesktopFates { on_lock: Fate::Keep, on_suspend: Fate::Keep };

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
    let top = format!(
        "proxy = \"http://top:1\"\nno_proxy = \"t.example\"\nproxy_credentials_file = \"{ROOT}top\"\n"
    );
    let said = |proxy: &str, no_proxy: Option<&str>, file: Option<&str>| ProxySettings {
        proxy: Some(proxy.to_owned()),
        no_proxy: no_proxy.map(str::to_owned),
        credentials_file: file.map(|name| format!("{ROOT}{name}").into()),
    };
    for (own, expected) in [
        ("", said("http://top:1", Some("t.example"), Some("top"))),
        ("no_proxy = \"\"", said("http://top:1", Some(""), Some("top"))),
        (
            &format!("proxy_credentials_file = \"{ROOT}own\""),
            said("http://top:1", Some("t.example"), Some("own")),
        ),
        ("proxy = \"http://own:1\"", said("http://own:1", None, None)),
        ("proxy = \"none\"", said("none", None, None)),
    ] {
        let config = merged(&[&format!("{top}{PROD}{own}\n")]).unwrap();
        assert_eq!(config.instance(None).unwrap().access.proxy, expected, "{own}");
    }
    // Another file may name another proxy, with the password that is there.
    let config = merged(&[&format!("{top}{PROD}"), "proxy = \"http://other:1\"\n"]).unwrap();
    let expected = said("http://other:1", Some("t.example"), Some("top"));
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
