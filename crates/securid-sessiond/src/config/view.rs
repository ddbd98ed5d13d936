//! What people are shown of the config: each value, where it stands, and whether it is enforced.

use securid_ipc::config_view::{ConfigKeyView, ConfigView, OverruledView};

use super::Config;
use super::key::{AnyKey, Table};
use super::keys;
use super::layer::Value;
use super::place::Fault;
use super::said::Said;

/// Each key at the top and in `[revocation]`, then those of each instance.
pub(super) fn view(said: &Said, config: &Config, warnings: &[Fault]) -> ConfigView {
    let instances = said.instances.keys().map(|name| Table::Instance(name.clone()));
    let tables = [Table::Top, Table::Revocation].into_iter().chain(instances);
    let mut keys: Vec<_> = tables.flat_map(|table| rows(said, table)).collect();
    // The one that is meant where none is named may be the only one.
    if let Some(row) = keys.iter_mut().find(|row| row.key == keys::DEFAULT_INSTANCE.name) {
        row.value.clone_from(&config.default_instance);
    }
    ConfigView { keys, warnings: warnings.iter().map(ToString::to_string).collect() }
}

fn rows(said: &Said, table: Table) -> impl Iterator<Item = ConfigKeyView> {
    let of_table = keys::ALL.iter().filter({
        let table = table.clone();
        move |key| table.has(key.scope())
    });
    of_table.map(move |key| row(said, &table, *key))
}

fn row(said: &Said, table: &Table, key: &dyn AnyKey) -> ConfigKeyView {
    let standing = said.standing(table, key.name(), key.scope());
    let place = |value: &Value| value.place.to_string();
    ConfigKeyView {
        key: table.names(key.name()).join("."),
        value: standing.value.map_or_else(|| key.default(), |it| Some(it.given.written())),
        from: standing.value.map_or_else(|| "built-in".to_owned(), place),
        enforced: standing.enforced,
        instead_of: standing
            .beaten
            .map(|value| OverruledView { value: value.given.written(), from: place(value) }),
    }
}
