//! A power cut at any instant, whatever it takes with it, forgets nothing.
//!
//! `abort` and `kill -9` leave the page cache as it was. So here the disk is laid out anew from what a
//! daemon did to it (its trace), without what was not synced.
//!
//! - `platter`: what a power cut leaves of a disk
//! - `facts`: what had been promised by then
//! - `cut`: one power cut, and what the next daemon makes of it
//! - `cuts`: all of them
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod cut;
mod cuts;
mod facts;
mod platter;

use std::path::Path;

use cuts::{Recording, all_cuts};
use platter::{Fate, Platter};
use securid_tests::lives::{self, Life};
use serde_json::{Value, json};

/// Four of them spoil files by hand, and one has a keyring that keeps nothing: no trace tells of it.
fn lives() -> Vec<Life> {
    let untold = ["orphan", "damaged", "damaged index", "damaged history", "refused"];
    lives::ALL.iter().copied().filter(|life| !untold.contains(&life.name)).collect()
}

#[test]
fn nothing_is_forgotten_whenever_the_power_goes() {
    all_cuts(&lives(), "test");
}

/// There the secrets are on the same disk, and lose what was not synced as everything else does.
#[test]
fn nor_with_a_sealed_file() {
    let names = ["login", "logout", "restart", "half-added", "keep"];
    let lives: Vec<_> = lives().into_iter().filter(|life| names.contains(&life.name)).collect();
    all_cuts(&lives, "sealed-file");
}

/// The disks that a daemon would leave which does not sync are told from those that it leaves.
#[test]
fn a_sync_that_is_left_out_is_noticed() {
    let logout = lives().into_iter().find(|life| life.name == "logout").unwrap();
    let told = ["add.acknowledged", "logout.answered"];
    for (left_out, fate) in
        [("sync-folder", Fate::Nothing), ("sync", Fate::NamesAlone), ("sync", Fate::Nothing)]
    {
        for point in told {
            let mut recording = Recording::of(&logout, "test");
            assert_eq!(
                recording.broken_after(point, fate.clone()),
                None,
                "{point}, nothing left out"
            );
            recording.leave_out(left_out);
            let broken = recording.broken_after(point, fate.clone());
            println!("no {left_out}, {fate:?}, after {point}: {broken:?}");
            assert!(broken.is_some(), "no {left_out}, {fate:?}, after {point}");
        }
    }
}

fn platter(lines: &[Value]) -> Platter {
    let mut platter = Platter::new(Path::new("/d"));
    lines.iter().for_each(|line| platter.apply(line));
    platter
}

fn left(lines: &[Value], mut fate: Fate) -> Vec<(String, Option<String>)> {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let image = platter(lines).left(&mut fate);
    image.into_iter().map(|(path, b)| (path.display().to_string(), b.map(text))).collect()
}

fn file(path: &str, text: &str) -> (String, Option<String>) {
    (path.to_owned(), Some(text.to_owned()))
}

#[test]
fn what_was_synced_is_there_and_the_rest_may_not_be() {
    let mut lines = vec![
        json!({"op": "create", "path": "/d/tmp"}),
        json!({"op": "append", "path": "/d/tmp", "bytes": b"new"}),
        json!({"op": "sync", "path": "/d/tmp"}),
        json!({"op": "rename", "from": "/d/tmp", "to": "/d/a"}),
    ];
    assert_eq!(left(&lines, Fate::Nothing), []);
    assert_eq!(left(&lines, Fate::Everything), [file("/d/a", "new")]);
    lines.push(json!({"op": "sync-folder", "path": "/d"}));
    assert_eq!(left(&lines, Fate::Nothing), [file("/d/a", "new")]);

    lines.push(json!({"op": "append", "path": "/d/a", "bytes": b"er"}));
    assert_eq!(left(&lines, Fate::Nothing), [file("/d/a", "new")]);
    assert_eq!(left(&lines, Fate::Everything), [file("/d/a", "newer")]);
    lines.push(json!({"op": "remove", "path": "/d/a"}));
    assert_eq!(left(&lines, Fate::Nothing), [file("/d/a", "new")]);
    assert_eq!(left(&lines, Fate::Everything), []);
}

#[test]
fn a_name_may_be_there_without_its_bytes() {
    let lines = [
        json!({"op": "create", "path": "/d/tmp"}),
        json!({"op": "append", "path": "/d/tmp", "bytes": b"new"}),
        json!({"op": "rename", "from": "/d/tmp", "to": "/d/a"}),
        json!({"op": "sync-folder", "path": "/d"}),
    ];
    assert_eq!(left(&lines, Fate::Nothing), [file("/d/a", "")]);
    let chance = |seed| left(&lines, Fate::Chance(fastrand::Rng::with_seed(seed)));
    let found: std::collections::BTreeSet<_> = (0..200).map(chance).collect();
    for (_, text) in found.iter().flatten() {
        let text = text.as_ref().unwrap();
        let kept = text.trim_end_matches('\0');
        assert!("new".starts_with(kept) && [kept.len(), 3].contains(&text.len()), "{text:?}");
    }
    // Each length from 0 to 3, and zeros after 0, 1 and 2 bytes.
    assert_eq!(found.len(), 7);
}

#[test]
fn a_folder_that_was_not_synced_takes_along_what_is_in_it() {
    let lines = [
        json!({"op": "make-folder", "path": "/d/f"}),
        json!({"op": "create", "path": "/d/f/a"}),
        json!({"op": "sync-folder", "path": "/d/f"}),
    ];
    assert_eq!(left(&lines, Fate::Nothing), []);
    let there = [("/d/f".to_owned(), None), file("/d/f/a", "")];
    assert_eq!(left(&lines, Fate::Everything), there);
}
