//! What is said in one place: a file (`file`), the environment, the flags.

mod file;

use std::ffi::OsString;

use super::key::{AnyKey, Scope, Table};
use super::keys;
use super::place::{Fault, Place, dotted};
use super::setting::Given;

/// The table of a machine's file with what nobody after it can change.
const ENFORCED: &str = "enforced";

/// What one place says.
#[derive(Debug, Default)]
pub(super) struct Layer {
    pub(super) statements: Vec<Statement>,
    pub(super) instances: Vec<Declared>,
    pub(super) faults: Vec<Fault>,
    /// Keys that we do not know, which is an error in one file and a warning in another.
    pub(super) unknown: Vec<Fault>,
}

/// An instance that there is. One of which something is enforced, and no URL, need not be there.
#[derive(Debug)]
pub(super) struct Declared {
    pub(super) name: String,
    pub(super) enforced: bool,
    pub(super) place: Place,
}

/// One value, and a good one for its key.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) table: Table,
    pub(super) key: &'static str,
    pub(super) enforced: bool,
    pub(super) value: Value,
}

/// A value, and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Value {
    pub(super) given: Given,
    pub(super) place: Place,
}

/// Whose a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// Root's, for all users: it may enforce.
    Machines,
    Users,
}

/// `--set KEY=VALUE`. One without a value is told with all other faults, and not by the command line, which would
/// repeat it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Assignment {
    key: String,
    value: Option<String>,
}

impl From<String> for Assignment {
    fn from(text: String) -> Self {
        match text.split_once('=') {
            Some((key, value)) => Self { key: key.to_owned(), value: Some(value.to_owned()) },
            None => Self { key: text, value: None },
        }
    }
}

impl Layer {
    /// What the environment says, as `variable` tells its variables. An empty one counts as unset.
    pub(super) fn of_environment(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let mut layer = Self::default();
        for key in keys::ALL {
            let Some((table, name)) = variable_of(*key) else { continue };
            let Some(said) = variable(&name).filter(|said| !said.is_empty()) else { continue };
            let place = Place::Variable(name);
            match said.into_string() {
                Ok(text) => layer.add(table, *key, false, Given::Bare(text), place),
                Err(_) => layer.faults.push(Fault {
                    place,
                    key: table.key(key.name()),
                    problem: "is no UTF-8".to_owned(),
                }),
            }
        }
        layer
    }

    /// What flags say; of two about one key the later.
    pub(super) fn of_flags(flags: &[Assignment]) -> Self {
        let mut layer = Self::default();
        for Assignment { key, value } in flags {
            let Some(value) = value else {
                let problem = "has no value: write KEY=VALUE, as idle_timeout=5m".to_owned();
                layer.faults.push(Fault { place: Place::Flag, key: dotted(&[key]), problem });
                continue;
            };
            let (table, name) = match (key.strip_prefix("instances."), key.split_once('.')) {
                // The name of an instance may have dots in it.
                (Some(rest), _) => match rest.rsplit_once('.') {
                    Some((name, key)) => (Table::Instance(name.to_owned()), key),
                    None => (Table::Top, &**key),
                },
                (None, Some(("revocation", name))) => (Table::Revocation, name),
                _ => (Table::Top, &**key),
            };
            match key_of(&table, name) {
                Some(key) => {
                    if let Table::Instance(name) = &table {
                        let (name, place) = (name.clone(), Place::Flag);
                        layer.instances.push(Declared { name, enforced: false, place });
                    }
                    layer.add(table, key, false, Given::Bare(value.clone()), Place::Flag);
                }
                None => layer.faults.push(Fault {
                    place: Place::Flag,
                    key: table.key(name),
                    problem: no_such_key(name),
                }),
            }
        }
        layer
    }

    fn add(
        &mut self,
        table: Table,
        key: &'static dyn AnyKey,
        enforced: bool,
        given: Given,
        place: Place,
    ) {
        match key.problem(&given) {
            Some(problem) => {
                let mut names = table.names(key.name());
                if enforced {
                    names.insert(0, ENFORCED);
                }
                self.faults.push(Fault { place, key: dotted(&names), problem });
            }
            None => {
                let value = Value { given, place };
                self.statements.push(Statement { table, key: key.name(), enforced, value });
            }
        }
    }
}

/// The variable of the environment that says something about a key, and where that stands. There is none for
/// the keys of an instance.
pub(super) fn variable_of(key: &dyn AnyKey) -> Option<(Table, String)> {
    let name = key.name().to_uppercase();
    match key.scope() {
        Scope::Top | Scope::Both => Some((Table::Top, format!("SECURID_{name}"))),
        Scope::Revocation => Some((Table::Revocation, format!("SECURID_REVOCATION_{name}"))),
        Scope::Instance => None,
    }
}

fn key_of(table: &Table, name: &str) -> Option<&'static dyn AnyKey> {
    let key = keys::ALL.iter().find(|key| key.name() == name && table.has(key.scope()));
    key.copied()
}

fn no_such_key(name: &str) -> String {
    let elsewhere = keys::ALL.iter().find(|key| key.name() == name);
    let belongs = match elsewhere.map(|key| key.scope()) {
        None => {
            return "this version knows no such key; docs/configuration.md lists them".to_owned();
        }
        Some(Scope::Top) => "at the top, above all tables",
        Some(Scope::Both) => "at the top, above all tables, or into a table [instances.NAME]",
        Some(Scope::Revocation) => "into the table [revocation]",
        Some(Scope::Instance) => "into a table [instances.NAME]",
    };
    format!("is no key here: it belongs {belongs}")
}
