//! What a file says, with the line of each value.

use std::path::Path;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::super::key::Table;
use super::super::keys;
use super::super::place::{Fault, Place, dotted};
use super::super::setting::Given;
use super::{Declared, ENFORCED, Layer, Whose, key_of, no_such_key};
use crate::words::MACHINES_FOLDER;

impl Layer {
    /// Understands the text of a file. With broken TOML it says nothing.
    pub(in crate::config) fn of_file(path: &Path, text: &str, whose: Whose) -> Self {
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
                reader.fault(place, String::new(), in_words(error.message()));
            }
        }
        reader.layer
    }
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
                    let problem = format!(
                        "only the machine's own files, in {MACHINES_FOLDER}, can enforce \
                         anything: take this table out (a draft for there is checked with \
                         --check-config FILE)"
                    );
                    self.fault(self.place_of(name), ENFORCED.to_owned(), problem);
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

/// What the parser finds. What it has for a text without quotes, the commonest of all, or for a path of Windows tells nobody
/// what to write.
fn in_words(message: &str) -> String {
    let begins = |beginnings: &[&str]| beginnings.iter().any(|it| message.starts_with(it));
    if begins(&["string values must be quoted"]) {
        "a text has to stand in quotes, as in on_lock = \"keep\"".to_owned()
    } else if begins(&["missing escaped value", "too few unicode value digits"]) {
        r"in double quotes a backslash makes something else of what follows: put a text with backslashes in single quotes, as 'CORP\me' or 'C:\ca.pem'".to_owned()
    } else {
        message.to_owned()
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
