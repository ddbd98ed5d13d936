//! The table of all keys in `docs/configuration.md`, that page as a manual page, and that the list of them is right.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use securid_manual::{keep_all, keep_between, of_document};

use super::Config;
use super::key::{AnyKey, Counts, Scope, Table};
use super::keys;
use super::layer::{Assignment, Layer, Whose, variable_of};
use super::merge::merge;
use super::said::{Counting, Said};
use super::tests::{ROOT, SOME_FILE};

/// The table stands between these lines.
const MARKS: [&str; 2] = ["<!-- keys: begin -->\n", "<!-- keys: end -->\n"];

/// Our programs' variables that mean something else than a key.
const OTHER_VARIABLES: [&str; 12] = [
    "SECURID_CONFIG",
    "SECURID_SOCKET",
    "SECURID_STATE_DIR",
    "SECURID_LOG",
    "SECURID_SESSION",
    "SECURID_TOKEN",
    "SECURID_URL",
    "SECURID_INSTANCE",
    "SECURID_EXPIRES_AT",
    "SECURID_PANIC_AT",
    "SECURID_CRASH_AT",
    "SECURID_TEST_STORE",
];

#[test]
fn the_page_has_all_keys() {
    keep_between("docs/configuration.md", MARKS, &table());
    let about = "config of securid-sessiond";
    let others = ["securid-sessiond(8)", "securid-ctl-config-show(1)"];
    let manual = of_document("securid.toml", "5", about, &page(), &others);
    keep_all("securid.toml", &[manual]);
}

// It has the journal.
#[cfg(target_os = "linux")]
#[test]
fn its_example_is_a_good_file_of_the_machines() {
    let page = page();
    let (_, example) = page.split_once("```toml\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let layer = Layer::of_file(Path::new("/m.toml"), example, Whose::Machines);
    assert_eq!((&*layer.faults, &*layer.unknown), (&[][..], &[][..]));
    let (mut said, mut faults) = (Said::default(), Vec::new());
    said.add(layer, Counting::All);
    merge(&said, &mut faults);
    assert_eq!(faults, []);
}

fn page() -> String {
    fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md")).unwrap()
}

fn table() -> String {
    let head = "| key | what it says | it takes | without it | where | a change counts | variable |\n\
                |---|---|---|---|---|---|---|\n";
    keys::ALL.iter().fold(head.to_owned(), |table, key| table + &row(*key))
}

fn row(key: &dyn AnyKey) -> String {
    let code = |text: String| format!("`{text}`");
    let nothing = || "–".to_owned();
    let place = match key.scope() {
        Scope::Top => "top",
        Scope::Both => "top, instance",
        Scope::Revocation => "`[revocation]`",
        Scope::Instance => "instance",
    };
    let counts = match key.counts() {
        Counts::AtOnce => "at a reload",
        Counts::ForNewSessions => "at a reload, for new sessions",
        Counts::AtTheNextStart => "at the next start",
    };
    let variable = variable_of(key).map(|(_, name)| name);
    format!(
        "| `{}` |{} | {} | {} | {place} | {counts} | {} |\n",
        key.name(),
        key.about(),
        key.takes(),
        key.default().map_or_else(nothing, code),
        variable.map_or_else(nothing, code),
    )
}

/// The config of two instances with this set.
fn with(setting: Option<(Table, &str, &str)>) -> Config {
    // Of certificate and key neither counts alone.
    let file = format!(
        "[instances.one]\nurl = \"https://one/aveksa\"\n\
         client_cert = \"{ROOT}c\"\nclient_key = \"{ROOT}k\"\n\
         [instances.two]\nurl = \"https://two/aveksa\"\n"
    );
    let mut said = Said::default();
    said.add(Layer::of_file(Path::new("/c.toml"), &file, Whose::Users), Counting::All);
    if let Some((table, key, value)) = setting {
        let flag = format!("{}={value}", table.names(key).join("."));
        let layer = Layer::of_flags(&[Assignment::from(flag.clone())]);
        assert_eq!(layer.faults, [], "{flag}");
        said.add(layer, Counting::All);
    }
    merge(&said, &mut Vec::new())
}

/// Each key with a value that is not its default, in each table where it may stand.
fn all_settings() -> impl Iterator<Item = (&'static dyn AnyKey, Table, &'static str)> {
    let tables = [Table::Top, Table::Revocation, Table::Instance("one".to_owned())];
    keys::ALL.iter().flat_map(move |key| {
        let of_key = tables.clone().into_iter().filter(|table| table.has(key.scope()));
        of_key.map(|table| (*key, table, example(key.name())))
    })
}

fn example(key: &str) -> &'static str {
    match key {
        "default_instance" => "two",
        "keyring" => "sealed-file",
        "require_durable" | "notify" => "true",
        "on_exit" => "keep",
        "on_lock" | "on_suspend" => "revoke",
        "concurrency" => "7",
        "proxy" => "http://proxy:3128",
        "url" => "https://elsewhere/aveksa",
        "format" => "properties",
        "username" | "auth_source" | "no_proxy" => "somebody",
        "key_file"
        | "audit"
        | "ca_file"
        | "client_cert"
        | "client_key"
        | "proxy_credentials_file" => SOME_FILE,
        _ => "77d",
    }
}

#[test]
fn each_key_changes_what_the_daemon_goes_by() {
    let shown = |config: &Config| format!("{config:?}");
    let before = shown(&with(None));
    for (key, table, value) in all_settings() {
        let after = shown(&with(Some((table.clone(), key.name(), value))));
        assert_ne!(before, after, "{} in {table:?}", key.name());
    }
}

#[test]
fn what_waits_for_the_next_start_is_said_to() {
    let now = with(None);
    for (key, table, value) in all_settings() {
        let mut next = with(Some((table, key.name(), value)));
        let waits = next.put_off_from(&now).contains(&key.name());
        assert_eq!(waits, key.counts() == Counts::AtTheNextStart, "{}", key.name());
    }
}

#[test]
fn each_key_has_a_variable_of_its_own() {
    let mut seen: BTreeSet<_> = OTHER_VARIABLES.map(str::to_owned).into();
    for (_, name) in keys::ALL.iter().filter_map(|key| variable_of(*key)) {
        assert!(seen.insert(name.clone()), "{name} means two things");
    }
}
