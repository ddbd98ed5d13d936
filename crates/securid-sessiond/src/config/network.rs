//! What is said of proxies and of client certificates: keys that count together.

use securid_api::{ClientFiles, NO_PROXY, ProxySettings};

use super::key::{Key, Table};
use super::keys;
use super::place::Fault;
use super::said::Said;
use super::setting::Setting;

/// How an instance's server is reached. A table with a `proxy` of its own takes nothing from the top but what is
/// enforced: what is there, a password perhaps, is for another proxy.
pub(super) fn proxy_settings(said: &Said, table: &Table, faults: &[Fault]) -> ProxySettings {
    let standing = |table: &Table| said.standing(table, keys::PROXY.name, keys::PROXY.scope);
    let is_own = standing(table).own;
    let is_bad = |table: &Table| {
        let key = table.key(keys::PROXY.name);
        faults.iter().any(|fault| fault.is_about(&key))
    };
    let proxy = match said.get(table, &keys::PROXY) {
        // One that is bad is not kept, and nothing goes around it: this leads nowhere.
        _ if is_bad(table) || (!is_own && is_bad(&Table::Top)) => Some(String::new()),
        proxy => proxy.map(|url| url.0),
    };
    ProxySettings {
        proxy,
        no_proxy: beside_the_proxy(said, table, &keys::NO_PROXY, is_own),
        credentials_file: beside_the_proxy(said, table, &keys::PROXY_CREDENTIALS_FILE, is_own),
    }
}

fn beside_the_proxy<T: Setting>(
    said: &Said,
    table: &Table,
    key: &Key<Option<T>>,
    is_own_proxy: bool,
) -> Option<T> {
    let standing = said.standing(table, key.name, key.scope);
    let counts = standing.own || standing.enforced || !is_own_proxy;
    if counts { said.get(table, key) } else { None }
}

/// What is said for a proxy where the same layer says that there is none.
pub(super) fn vain_words(said: &Said, table: &Table) -> Vec<Fault> {
    let proxy = said.standing(table, keys::PROXY.name, keys::PROXY.scope);
    let Some(none) = proxy.value.filter(|value| proxy.own && value.given.written() == NO_PROXY)
    else {
        return Vec::new();
    };
    let others = [
        (keys::NO_PROXY.name, keys::NO_PROXY.scope),
        (keys::PROXY_CREDENTIALS_FILE.name, keys::PROXY_CREDENTIALS_FILE.scope),
    ];
    let vain = others.into_iter().filter_map(|(key, scope)| {
        let standing = said.standing(table, key, scope);
        let value =
            standing.value.filter(|value| standing.own && value.place.is_beside(&none.place))?;
        let problem =
            "is for a proxy, and proxy = \"none\" says that there is none: remove one of them";
        Some(Fault::new(&value.place, table.key(key), problem))
    });
    vain.collect()
}

/// The certificate that an instance's server wants to see, and its key: both or none.
pub(super) fn client_files(
    said: &Said,
    table: &Table,
    faults: &mut Vec<Fault>,
) -> Option<ClientFiles> {
    let cert = said.get(table, &keys::CLIENT_CERT);
    let its_key = said.get(table, &keys::CLIENT_KEY);
    let alone = match (&cert, &its_key) {
        (Some(_), None) => Some((
            &keys::CLIENT_CERT,
            &keys::CLIENT_KEY,
            "is of no use without its key: write client_key as well, the same file if it is in there",
        )),
        (None, Some(_)) => Some((
            &keys::CLIENT_KEY,
            &keys::CLIENT_CERT,
            "is of no use without its certificate: write client_cert as well",
        )),
        _ => None,
    };
    if let Some((key, missing, problem)) = alone
        && let Some(place) = said.place_of(table, key)
        // A bad one is told already.
        && !faults.iter().any(|fault| fault.is_about(&table.key(missing.name)))
    {
        faults.push(Fault::new(place, table.key(key.name), problem));
    }
    Some(ClientFiles { cert: cert?, key: its_key? })
}
