//! What must hold for any text in a config file.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use securid_api::{Access, ProxySettings};

use super::file::Source;
use super::merge::merge;
use super::{Config, Fault};

/// Every fault names a line that is there, in words that can be shown; and a file says the same as
/// often as it is read: alone, or as both layers.
pub fn config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let once = match read(text) {
        Err(fault) => return can_be_found(&fault, text),
        Ok(source) => source,
    };
    once.unknown.iter().for_each(|fault| can_be_found(fault, text));
    let (config, faults) = merged(&[once]);
    faults.iter().for_each(|fault| can_be_found(fault, text));
    let twice = [read(text).unwrap(), read(text).unwrap()];
    let (again, faults_again) = merged(&twice);
    assert_eq!(format!("{config:?}"), format!("{again:?}"));
    assert_eq!(faults, faults_again);
    if faults.is_empty() {
        is_complete(&config);
    }
}

fn read(text: &str) -> Result<Source, Fault> {
    Source::parse(Path::new("/config.toml"), text.to_owned())
}

fn merged(sources: &[Source]) -> (Config, Vec<Fault>) {
    let mut faults = Vec::new();
    let config = merge(sources, &mut faults);
    (config, faults)
}

fn can_be_found(fault: &Fault, text: &str) {
    let lines = 1 + text.matches('\n').count();
    assert!(fault.line.is_some_and(|line| (1..=lines).contains(&line)), "{fault:?}");
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
