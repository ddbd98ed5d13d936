//! What people are told.

use std::{fs, time::Duration};

use securid_ipc::paths::{ConfigFiles, OwnFile};

use super::*;
use crate::config::Sources;

#[test]
fn every_fault_names_file_line_key_and_what_was_expected() {
    let at = |line: &str| format!("{PROD}{line}\n");
    for (text, expected) in [
        (at("idle_timeout = \"15x\""), "/c.toml:3: instances.prod.idle_timeout: \"15x\" is not"),
        (at("idle_timeout = \"0s\""), "/c.toml:3: instances.prod.idle_timeout: \"0s\" is no time"),
        (
            at("idle_timeout = 15"),
            "/c.toml:3: instances.prod.idle_timeout: is an integer: write a duration, or never, in quotes",
        ),
        (at("format = \"xml\""), "/c.toml:3: instances.prod.format: \"xml\" is no reply format"),
        (at("ca_file = \"ca.pem\""), "/c.toml:3: instances.prod.ca_file: is a relative path"),
        (at("colour = 1"), "/c.toml:3: instances.prod.colour: this version knows no such key"),
        ("\nidle_timout = \"5m\"".into(), "/c.toml:2: idle_timout: this version knows no such key"),
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
        ("[instances.a]\nurl = 5".into(), "/c.toml:2: instances.a.url: is an integer: write a URL"),
        ("revocation = 5".into(), "/c.toml:1: revocation: is an integer, and has to be a table"),
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
        ("[revocation]\nconcurrency = 0".into(), "/c.toml:2: revocation.concurrency: 0 is out of"),
        ("[instances.a]\nusername = \"u\"".into(), "/c.toml:1: instances.a.url: is missing"),
        ("[instances.a]\nurl = \"ftp://h\"".into(), "/c.toml:2: instances.a.url: "),
        ("[instances.a]\nurl = \"http://h/aveksa\"".into(), "/c.toml:2: instances.a.url: "),
        ("a = ".into(), "/c.toml:1: "),
        (
            "on_lock = keep".into(),
            "/c.toml:1: a text has to stand in quotes, as in on_lock = \"keep\"",
        ),
        (at(r#"ca_file = "C:\Users\me\ca.pem""#), "/c.toml:3: in double quotes a backslash makes"),
        (at(r#"ca_file = "D:\certs\ca.pem""#), "/c.toml:3: in double quotes a backslash makes"),
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

#[test]
fn everything_enforced_is_named_so_in_faults() {
    let enforced = "[enforced.revocation]\nretry_max = 5\n[enforced.instances.prod]\ncolour = 1\n";
    let told = of_layers(vec![machines(enforced)]).unwrap_err().join("; ");
    assert!(told.contains("/m.toml:2: enforced.revocation.retry_max: is an integer"), "{told}");
    assert!(told.contains("/m.toml:4: enforced.instances.prod.colour: this version"), "{told}");
}

#[test]
fn a_bad_value_does_not_take_the_rest_of_its_file_along() {
    let text = format!(
        "idle_timeout = 5\nkey_file = \"{ROOT}k\"\n[revocation]\nshutdown_grace = \"7s\"\n"
    );
    let (mut said, mut faults) = (Said::default(), Vec::new());
    said.add(users(&text), Counting::All);
    let config = merge(&said, &mut faults);
    assert_eq!(config.key_file, Some(format!("{ROOT}k").into()));
    assert_eq!(config.revocation.shutdown_grace, Duration::from_secs(7));
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

#[test]
fn a_file_in_another_encoding_is_told_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    let own = OwnFile::Alone(file.clone());
    let [machine, additions] = ["machine.toml", "config.d"].map(|name| folder.path().join(name));
    let sources = Sources { files: ConfigFiles { machine, additions, own }, flags: Vec::new() };
    for (text, expected) in [
        (&b"\xff\xfea\0=\x001\0"[..], "is UTF-16: save it as UTF-8"),
        (b"\xfe\xff\0a\0=\x001", "is UTF-16: save it as UTF-8"),
        (b"# gr\xf6\xdfer\n", "is no UTF-8: save it as UTF-8"),
    ] {
        fs::write(&file, text).unwrap();
        let faults = sources.load(false).faults;
        let expected = format!("{}: {expected}", file.display());
        assert!(faults.iter().any(|fault| fault.to_string() == expected), "{faults:?}");
    }
    // Editors of Windows begin a file so.
    fs::write(&file, format!("\u{feff}{PROD}")).unwrap();
    let loaded = sources.load(false);
    assert_eq!(loaded.config.instances.len(), 1, "{:?}", loaded.faults);
}

#[test]
fn a_place_for_the_audit_that_this_system_has_not_is_not_advised() {
    for value in ["\"syslog\"", "5"] {
        let told = complaint(&format!("audit = {value}"));
        assert_eq!(told.contains("journal"), cfg!(target_os = "linux"), "{told}");
    }
}

/// Whatever system this is, it has not both of them.
#[test]
fn a_keyring_of_another_system_is_told_from_one_that_nobody_knows() {
    let faults = ["keychain", "credential-manager"].map(|name| {
        let faults = merged(&[&format!("keyring = \"{name}\"\n{PROD}")]).err().unwrap_or_default();
        let expected = format!(
            "/c.toml:1: keyring: \"{name}\" is a keyring that this system has not: write auto, "
        );
        assert!(faults.iter().all(|fault| fault.starts_with(&expected)), "{faults:?}");
        faults.len()
    });
    assert_ne!(faults, [0, 0]);
}
