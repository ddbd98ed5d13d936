//! What must hold for any text in a config file.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use securid_api::{Access, ProxySettings};

use super::key::{Scope, Table};
use super::keys;
use super::layer::{Layer, Whose};
use super::merge::merge;
use super::place::Place;
use super::said::{Counting, Said};
use super::{Config, Fault};

/// Every fault names a line that is there, in words that can be shown; a file says the same as
/// often as it is read: alone, or as two layers; and what the machine's file enforces stays, whatever the
/// user's says.
pub fn config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for whose in [Whose::Users, Whose::Machines] {
        let read = || Layer::of_file(Path::new("/config.toml"), text, whose);
        let once = read();
        let is_good = once.faults.is_empty();
        once.faults.iter().chain(&once.unknown).for_each(|fault| can_be_found(fault, text));
        let (said, config, faults) = merged([once]);
        faults.iter().for_each(|fault| can_be_found(fault, text));
        let (_, again, faults_again) = merged([read(), read()]);
        assert_eq!(format!("{config:?}"), format!("{again:?}"));
        assert_eq!(faults, faults_again);
        if is_good && faults.is_empty() {
            is_complete(&config);
        }
        stays_enforced(&said, read());
    }
}

fn merged(layers: impl IntoIterator<Item = Layer>) -> (Said, Config, Vec<Fault>) {
    let (mut said, mut faults) = (Said::default(), Vec::new());
    layers.into_iter().for_each(|layer| said.add(layer, Counting::All));
    let config = merge(&said, &mut faults);
    (said, config, faults)
}

/// A user who says everything that he can cannot change what is enforced.
fn stays_enforced(alone: &Said, machines: Layer) {
    let loosened = "idle_timeout = \"99d\"\nmax_lifetime = \"never\"\non_lock = \"keep\"\nnotify = true\n\
                    [revocation]\nretry_max = \"98d\"\n";
    let mut text = loosened.to_owned();
    for name in
        alone.instances.keys().filter(|name| name.chars().all(|c| c.is_ascii_alphanumeric()))
    {
        text += &format!("[instances.\"{name}\"]\nidle_timeout = \"97d\"\non_lock = \"keep\"\n");
    }
    let users = Layer::of_file(Path::new("/user.toml"), &text, Whose::Users);
    assert_eq!(users.faults, []);
    let (both, ..) = merged([machines, users]);
    let instances = alone.instances.keys().map(|name| Table::Instance(name.clone()));
    for table in [Table::Top, Table::Revocation].into_iter().chain(instances) {
        for key in keys::ALL.iter().filter(|key| table.has(key.scope())) {
            let [before, after] =
                [alone, &both].map(|said| said.standing(&table, key.name(), key.scope()));
            assert_eq!(before.enforced, after.enforced);
            if before.enforced {
                let [before, after] = [before, after].map(|it| &it.value.unwrap().place);
                assert_eq!(before, after, "{table:?}: {}", key.name());
            } else if key.scope() == Scope::Both {
                assert!(after.beaten.is_none());
            }
        }
    }
}

fn can_be_found(fault: &Fault, text: &str) {
    let lines = 1 + text.matches('\n').count();
    let is_there = |line| (1..=lines).contains(&line);
    assert!(
        matches!(fault.place, Place::File { line: Some(line), .. } if is_there(line)),
        "{fault:?}"
    );
    assert!(!fault.problem.is_empty());
    assert!(!fault.to_string().contains(char::is_control), "{fault:?}");
}

/// A config without faults can be gone by.
fn is_complete(config: &Config) {
    let settings = &config.revocation;
    assert!((1..=256).contains(&settings.concurrency));
    let spans = [
        settings.attempt_timeout,
        settings.retry_initial,
        settings.retry_max,
        settings.shutdown_grace,
    ];
    assert!(spans.iter().all(|span| !span.is_zero()));
    assert!(config.key_file.as_ref().is_none_or(|file| file.is_absolute()));
    for (name, instance) in &config.instances {
        assert_eq!(name, &instance.name);
        let Access { ca_file, client, proxy } = &instance.access;
        let client = client.iter().flat_map(|files| [&files.cert, &files.key]);
        let files = client.chain(ca_file).chain(&proxy.credentials_file);
        assert!({ files }.all(|file| file.is_absolute()));
        let named = proxy.proxy.as_deref();
        assert!(named.is_none_or(|proxy| ProxySettings::check(proxy).is_ok()));
        let limits = [instance.limits.idle, instance.limits.lifetime];
        assert!(limits.iter().flatten().all(|span| !span.is_zero()));
    }
    if let Some(name) = &config.default_instance {
        assert!(config.instances.contains_key(name));
    }
}
