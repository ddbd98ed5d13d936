//! What a config asks for in vain: no screen that is locked is told of, say, or no bubble shown.

use super::key::{Key, Table};
use super::keys;
use super::place::Fault;
use super::said::Said;
use crate::desktop;

/// Each place that does. The rest of such a config counts: it may be the same on all machines of a house.
pub(super) fn wishes_in_vain(said: &Said) -> Vec<Fault> {
    let instances = said.instances.keys().map(|name| Table::Instance(name.clone()));
    let tables: Vec<Table> = std::iter::once(Table::Top).chain(instances).collect();
    let mut vain = Vec::new();
    for table in &tables {
        vain.extend(wish_in_vain(said, table, &keys::ON_LOCK));
        vain.extend(wish_in_vain(said, table, &keys::ON_SUSPEND));
        vain.extend(wish_in_vain(said, table, &keys::NOTIFY));
    }
    vain
}

fn wish_in_vain<T>(said: &Said, table: &Table, key: &Key<T>) -> Option<Fault> {
    let standing = said.standing(table, key.name, key.scope);
    let value = standing.value.filter(|_| standing.own)?;
    let why = desktop::in_vain(key.name, &value.given.written())?;
    Some(Fault::new(&value.place, table.key(key.name), why))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::layer::{Layer, Whose};
    use crate::config::said::Counting;

    #[test]
    fn each_place_is_named_that_asks_for_what_cannot_be_had_here() {
        let text = "on_lock = \"revoke\"\nnotify = true\n[instances.a]\nurl = \"https://a/aveksa\"\n\
            [instances.b]\nurl = \"https://b/aveksa\"\non_lock = \"keep\"\non_suspend = \"revoke\"\n";
        let mut said = Said::default();
        said.add(Layer::of_file(Path::new("c.toml"), text, Whose::Users), Counting::All);
        let told: Vec<String> = wishes_in_vain(&said).iter().map(ToString::to_string).collect();
        let asked = [
            ("on_lock", "revoke", "c.toml:1: on_lock: "),
            ("notify", "true", "c.toml:2: notify: "),
            ("on_suspend", "revoke", "c.toml:8: instances.b.on_suspend: "),
        ];
        let expected = asked.iter().filter_map(|(key, value, place)| {
            desktop::in_vain(key, value).map(|why| format!("{place}{why}"))
        });
        assert_eq!(told, expected.collect::<Vec<_>>());
    }
}
