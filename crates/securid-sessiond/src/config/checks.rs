//! Whether the files that a config names are of use.

use securid_api::{Client, Proxies};
use securid_store::KeyPlace;

use super::key::{Key, Table};
use super::keys;
use super::place::Fault;
use super::said::Said;
use super::{AuditTarget, Config, Instance};
use crate::audit;

/// All files that are of none.
pub(super) fn unusable_files(said: &Said, config: &Config) -> Vec<Fault> {
    let instances = config.instances.values();
    let mut faults: Vec<_> = instances.filter_map(|it| unusable_ca_file(said, it)).collect();
    faults.extend(unusable_key_file(said, config));
    faults.extend(unusable_audit_file(said, config));
    faults
}

fn unusable_ca_file(said: &Said, instance: &Instance) -> Option<Fault> {
    // The proxies are the environment's, and no part of the config.
    let (ca_file, none) = (Some(instance.ca_file.as_deref()?), Proxies::default());
    let made = Client::new(instance.endpoint.clone(), ca_file, instance.format, &none);
    let table = Table::Instance(instance.name.clone());
    fault(said, &table, &keys::CA_FILE, made.err()?.to_string())
}

fn unusable_key_file(said: &Said, config: &Config) -> Option<Fault> {
    let error = KeyPlace::find(Some(config.key_file.as_deref()?))?.check().err()?;
    let problem = format!("{error}. {}", error.hint());
    fault(said, &Table::Top, &keys::KEY_FILE, problem)
}

fn unusable_audit_file(said: &Said, config: &Config) -> Option<Fault> {
    let AuditTarget::File(path) = &config.audit else { return None };
    let problem = audit::check(path).err()?;
    fault(said, &Table::Top, &keys::AUDIT, problem.to_string())
}

fn fault<T>(said: &Said, table: &Table, key: &Key<T>, problem: String) -> Option<Fault> {
    let place = said.place_of(table, key)?.clone();
    Some(Fault { place, key: table.key(key.name), problem })
}
