//! What is said in one place: a file, the environment, the flags.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

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
    /// Understands the text of a file. With broken TOML it says nothing.
    pub(super) fn of_file(path: &Path, text: &str, whose: Whose) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let mut reader = Reader {
            path: path.into(),
            line_ends: ends.map(|(at, _)| at).collect(),
            whose,
            enforced: false,
            layer: Self::default(),
        };
        match DeTable::parse(text) {
            Ok(document) => reader.document(document.get_ref()),
            Err(error) => {
                let place = reader.place(error.span().map_or(0, |span| span.start));
                reader.fault(place, String::new(), error.message().to_owned());
            }
        }
        reader.layer
    }

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

/// A file while it is read.
struct Reader {
    path: Arc<Path>,
    line_ends: Vec<usize>,
    whose: Whose,
    /// Whether it is below `[enforced]`.
    enforced: bool,
    layer: Layer,
}

type Name<'a> = Spanned<std::borrow::Cow<'a, str>>;

impl Reader {
    fn document(&mut self, document: &DeTable<'_>) {
        for (name, value) in document {
            match (&**name.get_ref(), self.whose) {
                (ENFORCED, Whose::Machines) => {
                    self.enforced = true;
                    if let Some(table) = self.table(&[ENFORCED], name, value) {
                        self.tables(table);
                    }
                    self.enforced = false;
                }
                (ENFORCED, Whose::Users) => {
                    let problem = "only the machine's own files, in /etc/securid, can enforce \
                                   anything: take this table out (a draft for there is checked with \
                                   --check-config FILE)";
                    self.fault(self.place_of(name), ENFORCED.to_owned(), problem.to_owned());
                }
                _ => self.entry(name, value),
            }
        }
        let line = |fault: &Fault| match fault.place {
            Place::File { line, .. } => line,
            _ => None,
        };
        self.layer.faults.sort_by_key(line);
        self.layer.unknown.sort_by_key(line);
    }

    fn tables(&mut self, tables: &DeTable<'_>) {
        for (name, value) in tables {
            self.entry(name, value);
        }
    }

    /// A key at the top, or one of the tables there.
    fn entry(&mut self, name: &Name<'_>, value: &Spanned<DeValue<'_>>) {
        match &**name.get_ref() {
            "revocation" => {
                if let Some(table) = self.table(&["revocation"], name, value) {
                    self.keys(&Table::Revocation, table);
                }
            }
            "instances" => {
                let Some(instances) = self.table(&["instances"], name, value) else { return };
                for (name, value) in instances {
                    let Some(table) = self.table(&["instances", name.get_ref()], name, value)
                    else {
                        continue;
                    };
                    let (place, enforced) = (self.place_of(name), self.enforced);
                    let name = name.get_ref().to_string();
                    if !enforced || table.contains_key(keys::URL.name) {
                        let name = name.clone();
                        self.layer.instances.push(Declared { name, enforced, place });
                    }
                    self.keys(&Table::Instance(name), table);
                }
            }
            _ => self.key(&Table::Top, name, value),
        }
    }

    fn keys(&mut self, table: &Table, keys: &DeTable<'_>) {
        for (name, value) in keys {
            self.key(table, name, value);
        }
    }

    fn key(&mut self, table: &Table, name: &Name<'_>, value: &Spanned<DeValue<'_>>) {
        let place = self.place_of(name);
        match key_of(table, name.get_ref()) {
            Some(key) => {
                let given = given(value.get_ref());
                self.layer.add(table.clone(), key, self.enforced, given, place);
            }
            None => {
                let key = self.named(&table.names(name.get_ref()));
                let problem = no_such_key(name.get_ref());
                self.layer.unknown.push(Fault { place, key, problem });
            }
        }
    }

    /// The table behind a name, which may be anything else.
    fn table<'v, 'i>(
        &mut self,
        names: &[&str],
        name: &Name<'_>,
        value: &'v Spanned<DeValue<'i>>,
    ) -> Option<&'v DeTable<'i>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            let problem = format!("is {}, and has to be a table", kind(value.get_ref()));
            self.fault(self.place_of(name), self.named(names), problem);
        }
        table
    }

    fn named(&self, names: &[&str]) -> String {
        let enforced = (self.enforced && names != [ENFORCED]).then_some(ENFORCED);
        let names: Vec<_> = enforced.into_iter().chain(names.iter().copied()).collect();
        dotted(&names)
    }

    fn place_of(&self, name: &Name<'_>) -> Place {
        self.place(name.span().start)
    }

    fn place(&self, at: usize) -> Place {
        let line = 1 + self.line_ends.partition_point(|end| *end < at);
        Place::File { path: Arc::clone(&self.path), line: Some(line) }
    }

    fn fault(&mut self, place: Place, key: String, problem: String) {
        self.layer.faults.push(Fault { place, key, problem });
    }
}

fn given(value: &DeValue<'_>) -> Given {
    match value {
        DeValue::String(text) => Given::Text(text.to_string()),
        DeValue::Boolean(is) => Given::Boolean(*is),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Given::Other("an integer beyond all bounds"), Given::Integer),
        other => Given::Other(kind(other)),
    }
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a number with a point",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
