//! Whether the files that a config names are of use.

use securid_api::{Access, BadFile, Client, Proxies, SetupError};
use securid_store::KeyPlace;

use super::key::Table;
use super::keys;
use super::place::Fault;
use super::said::Said;
use super::{AuditTarget, Config, Instance};
use crate::audit;

/// All files that are of none.
pub(super) fn unusable_files(said: &Said, config: &Config) -> Vec<Fault> {
    let mut faults = Vec::new();
    for instance in config.instances.values() {
        for fault in files_of(said, instance) {
            // What is said at the top is found with each instance.
            if !faults.contains(&fault) {
                faults.push(fault);
            }
        }
    }
    faults.extend(key_file(said, config));
    faults.extend(audit_file(said, config));
    faults
}

/// Those that an instance needs.
fn files_of(said: &Said, instance: &Instance) -> Vec<Fault> {
    let Access { ca_file, client, proxy } = instance.access.clone();
    // One at a time: the first that is wrong would hide the others. The proxy itself is looked at already.
    let trust = Access { ca_file, ..Access::default() };
    let identity = Access { client, ..Access::default() };
    let unusable = |access| {
        let none = Proxies::default();
        match Client::new(instance.endpoint.clone(), access, instance.format, &none) {
            Err(SetupError::File(bad)) => Some(bad),
            _ => None,
        }
    };
    let password = Proxies::default().as_set(&proxy).check_password().err();
    let bad = [unusable(&trust), unusable(&identity), password];
    let table = Table::Instance(instance.name.clone());
    let fault = |bad: BadFile| fault(said, &table, bad.setting(), bad.to_string());
    bad.into_iter().flatten().filter_map(fault).collect()
}

fn key_file(said: &Said, config: &Config) -> Option<Fault> {
    let error = KeyPlace::find(Some(config.key_file.as_deref()?))?.check().err()?;
    let problem = format!("{error}. {}", error.hint());
    fault(said, &Table::Top, keys::KEY_FILE.name, problem)
}

fn audit_file(said: &Said, config: &Config) -> Option<Fault> {
    let AuditTarget::File(path) = &config.audit else { return None };
    let problem = audit::check(path).err()?;
    fault(said, &Table::Top, keys::AUDIT.name, problem.to_string())
}

/// Where the file is named: in this table, or at the top.
fn fault(said: &Said, table: &Table, key: &str, problem: String) -> Option<Fault> {
    let key = keys::ALL.iter().find(|known| known.name() == key)?;
    let standing = said.standing(table, key.name(), key.scope());
    let table = if standing.own { table } else { &Table::Top };
    Some(Fault::new(&standing.value?.place, table.key(key.name()), problem))
}
