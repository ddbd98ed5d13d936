//! What all that is said comes to.

use std::collections::BTreeMap;
use std::sync::Arc;

use securid_api::Access;
use securid_session::Limits;
use securid_text::mention;

use super::key::{Key, Table};
use super::keys;
use super::network::{client_files, proxy_settings, vain_words};
use super::place::{Fault, Place};
use super::said::Said;
use super::setting::Setting;
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
        enforced_idle: enforced(said, &keys::IDLE_TIMEOUT),
        enforced_lifetime: enforced(said, &keys::MAX_LIFETIME),
    }
}

/// What is enforced at the top.
fn enforced<T: Setting>(said: &Said, key: &Key<T>) -> Option<T> {
    let top = &Table::Top;
    said.standing(top, key.name, key.scope).enforced.then(|| said.get(top, key))
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
