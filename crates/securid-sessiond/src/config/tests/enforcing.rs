//! What the machine enforces, whatever others say.

use std::time::Duration;

use securid_api::ProxySettings;

use super::super::Fate;
use super::*;

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
fn an_enforced_proxy_is_every_instances() {
    let machine = "[enforced]\nproxy = \"http://corp:1\"\nno_proxy = \"corp.example\"\n";
    let user = format!(
        "{PROD}proxy = \"http://own:1\"\nproxy_credentials_file = \"{ROOT}own\"\nno_proxy = \"*\"\n"
    );
    let config = of_layers(vec![machines(machine), users(&user)]).unwrap();
    let expected = ProxySettings {
        proxy: Some("http://corp:1".to_owned()),
        no_proxy: Some("corp.example".to_owned()),
        credentials_file: Some(format!("{ROOT}own").into()),
    };
    assert_eq!(config.instances["prod"].access.proxy, expected);
    // What one layer says of a proxy is not in vain because another has none.
    let none = machines("[enforced]\nproxy = \"none\"\n");
    let config = of_layers(vec![none, users(&user)]).unwrap();
    assert_eq!(config.instances["prod"].access.proxy.proxy.as_deref(), Some("none"));
}
