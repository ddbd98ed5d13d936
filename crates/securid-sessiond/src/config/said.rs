//! All that is said, and which of it counts.

use std::collections::BTreeMap;

use super::key::{Key, Scope, Table};
use super::layer::{Layer, Value};
use super::place::Place;
use super::setting::Setting;

/// What all layers say. For each key the last statement is kept, and the last that is enforced.
#[derive(Debug, Default)]
pub(super) struct Said {
    values: BTreeMap<(Table, &'static str), Statements>,
    /// Where each instance's table stands, in the last place that has one.
    pub(super) instances: BTreeMap<String, Place>,
}

#[derive(Debug, Default)]
struct Statements {
    plain: Option<Value>,
    enforced: Option<Value>,
}

/// What of a layer counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counting {
    All,
    /// Only what it enforces.
    Enforced,
}

/// What counts for one key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing<'a> {
    /// None where nobody says anything.
    pub(super) value: Option<&'a Value>,
    pub(super) enforced: bool,
    /// Whether it stands in the table itself, and not at the top.
    pub(super) own: bool,
    /// What would count if nothing was enforced, where that is something else.
    pub(super) beaten: Option<&'a Value>,
}

impl Said {
    /// Adds a layer on top of those there are.
    pub(super) fn add(&mut self, layer: Layer, counting: Counting) {
        let counts = |enforced: bool| enforced || counting == Counting::All;
        for statement in layer.statements {
            if counts(statement.enforced) {
                let of_the_key = self.values.entry((statement.table, statement.key)).or_default();
                let last = match statement.enforced {
                    true => &mut of_the_key.enforced,
                    false => &mut of_the_key.plain,
                };
                *last = Some(statement.value);
            }
        }
        let declared = layer.instances.into_iter().filter(|instance| counts(instance.enforced));
        self.instances.extend(declared.map(|instance| (instance.name, instance.place)));
    }

    /// What counts for a key in a table. What is enforced at the top goes before what an instance says for
    /// itself, else nobody would be bound by it.
    pub(super) fn standing(&self, table: &Table, key: &'static str, scope: Scope) -> Standing<'_> {
        let own = self.values.get(&(table.clone(), key));
        let above = match (table, scope) {
            (Table::Instance(_), Scope::Both) => self.values.get(&(Table::Top, key)),
            _ => None,
        };
        // The value, and whether it is the table's own.
        let first = |of: fn(&Statements) -> Option<&Value>| {
            let own = own.and_then(of).map(|value| (value, true));
            own.or(above.and_then(of).map(|value| (value, false)))
        };
        let enforced = first(|statements| statements.enforced.as_ref());
        let plain = first(|statements| statements.plain.as_ref());
        let is_beaten = |value: &&Value| {
            enforced.is_some_and(|(wins, _)| wins.given.written() != value.given.written())
        };
        let (value, own) = enforced.or(plain).unzip();
        Standing {
            value,
            own: own.unwrap_or(false),
            enforced: enforced.is_some(),
            beaten: plain.map(|(value, _)| value).filter(is_beaten),
        }
    }

    /// The value of a key in a table.
    pub(super) fn get<T: Setting>(&self, table: &Table, key: &Key<T>) -> T {
        let value = self.standing(table, key.name, key.scope).value;
        // What its key does not take was left out when it was read.
        let read = value.and_then(|value| T::read(&value.given).ok());
        read.unwrap_or_else(|| key.default.clone())
    }

    /// Where the value of a key stands, if anybody says something.
    pub(super) fn place_of<T>(&self, table: &Table, key: &Key<T>) -> Option<&Place> {
        self.standing(table, key.name, key.scope).value.map(|value| &value.place)
    }
}
