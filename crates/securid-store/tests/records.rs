//! Records and history on a real disk.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod ours;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use proptest::option::of;
use proptest::prelude::*;
use securid_session::{
    About, ClientFiles, Ending, Generation, Key, Limits, Moment, Network, Origin, Outcome, Reason,
    Record, Revocation, SessionId, Stage,
};
use securid_store::{
    Damage, Disk, DiskErrorKind, History, HistoryLine, Identity, Loaded, RecordFolder,
};
use tempfile::TempDir;

use ours::{is_private_file, is_private_folder, leftover, no_file, private_folder};

fn here() -> Identity {
    Identity { machine: "0123456789abcdef".repeat(2), boot: "boot-1".to_owned() }
}

fn folder(state: &Path) -> RecordFolder {
    RecordFolder::open(state, here()).unwrap()
}

fn history(state: &Path) -> History {
    History::open(state, None, [])
}

fn at(seconds: i64) -> Moment {
    Moment { since_boot: seconds.unsigned_abs() * 1000, unix: 1_795_000_000_000 + seconds * 1000 }
}

fn record(id: u64, stage: Stage) -> Record {
    Record {
        key: Key { id: SessionId::from_bits(id), generation: Generation(3) },
        about: Arc::new(About {
            instance: "prod".to_owned(),
            username: Some("ann".to_owned()),
            origin: Origin {
                url: "https://igl.example:8443/aveksa/command.submit".to_owned(),
                ca_file: None,
                format: "json".to_owned(),
                network: Network::default(),
            },
            keyring: "keyutils".to_owned(),
            limits: Limits { idle: Some(Duration::from_secs(900)), lifetime: None },
            tied: false,
        }),
        created: at(1),
        last_used: at(2),
        in_use_until: None,
        held: false,
        stage,
    }
}

fn ended(id: u64) -> Record {
    let ending = Ending {
        reason: Some(Reason::Request),
        requested: at(5),
        ended: at(6),
        attempts: 2,
        outcome: Outcome::Revoked,
        evidence: "200 logoutUser".to_owned(),
    };
    record(id, Stage::Ended(ending))
}

fn moments() -> impl Strategy<Value = Moment> {
    // The wall clock of a person: the years -9999 to 9999.
    (any::<u64>(), -300_000_000_000_000_i64..250_000_000_000_000)
        .prop_map(|(since_boot, unix)| Moment { since_boot, unix })
}

fn reasons() -> impl Strategy<Value = Reason> {
    use Reason::{Abandoned, Idle, Lifetime, Orphan, Request, Server, Shutdown};
    proptest::sample::select(vec![Request, Idle, Lifetime, Shutdown, Server, Orphan, Abandoned])
}

fn outcomes() -> impl Strategy<Value = Outcome> {
    use Outcome::{AlreadyInvalid, Forgotten, Revoked};
    proptest::sample::select(vec![Revoked, AlreadyInvalid, Forgotten])
}

fn stages() -> impl Strategy<Value = Stage> {
    let revoking = (reasons(), moments(), any::<u32>(), of(".*")).prop_map(
        |(reason, since, attempts, last_error)| {
            Stage::Revoking(Revocation { reason, since, attempts, last_error })
        },
    );
    let ended = (of(reasons()), moments(), moments(), any::<u32>(), outcomes(), ".*").prop_map(
        |(reason, requested, ended, attempts, outcome, evidence)| {
            Stage::Ended(Ending { reason, requested, ended, attempts, outcome, evidence })
        },
    );
    prop_oneof![Just(Stage::Adding), Just(Stage::Active), revoking, ended]
}

fn limits() -> impl Strategy<Value = Limits> {
    let span = || of(any::<u64>().prop_map(Duration::from_millis));
    (span(), span()).prop_map(|(idle, lifetime)| Limits { idle, lifetime })
}

fn origins() -> impl Strategy<Value = Origin> {
    (".+", of(".*"), ".*", networks()).prop_map(|(url, ca_file, format, network)| Origin {
        url,
        ca_file,
        format,
        network,
    })
}

fn networks() -> impl Strategy<Value = Network> {
    let client = (".*", ".*").prop_map(|(cert, key)| ClientFiles { cert, key });
    (of(client), of(".*"), of(".*"), of(".*")).prop_map(
        |(client, proxy, no_proxy, proxy_credentials_file)| Network {
            client,
            proxy,
            no_proxy,
            proxy_credentials_file,
        },
    )
}

prop_compose! {
    fn records()(
        id: u64, generation: u64,
        instance in ".*", username in of(".*"), origin in origins(), keyring in ".+",
        limits in limits(), tied: bool, created in moments(), last_used in moments(),
        in_use_until in of(moments()), held: bool, stage in stages(),
    ) -> Record {
        let about = About { instance, username, origin, keyring, limits, tied };
        let key = Key { id: SessionId::from_bits(id), generation: Generation(generation) };
        Record { key, about: Arc::new(about), created, last_used, in_use_until, held, stage }
    }
}

fn loaded(record: Record) -> Loaded {
    Loaded::Record { record, same_boot: true }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_record_comes_back_as_it_was(record in records()) {
        let state = private_folder();
        for done in folder(state.path()).write_batch(std::slice::from_ref(&record)) {
            done.unwrap();
        }
        prop_assert_eq!(folder(state.path()).load().unwrap(), [loaded(record)]);
    }
}

/// A state folder with one record, and where it is.
fn one(record: &Record) -> (TempDir, std::path::PathBuf) {
    let state = private_folder();
    folder(state.path()).write_batch(std::slice::from_ref(record)).remove(0).unwrap();
    let path = state.path().join("sessions").join(format!("{}.json", record.key.id));
    (state, path)
}

/// The one damaged file, whose session the index knows.
fn damage(found: Vec<Loaded>) -> Damage {
    let [damaged, unrecorded]: [Loaded; 2] = found.try_into().unwrap();
    assert_eq!(unrecorded, missing(1));
    let Loaded::Damaged(damage) = damaged else { panic!("it was taken for {damaged:?}") };
    damage
}

fn missing(id: u64) -> Loaded {
    Loaded::Unrecorded { id: SessionId::from_bits(id), keyring: "keyutils".to_owned() }
}

#[test]
fn a_file_is_private_and_can_be_read_by_a_person() {
    let (state, path) = one(&ended(0x0123));
    assert!(is_private_file(&path));
    assert!(is_private_folder(&state.path().join("sessions")));
    let text = fs::read_to_string(&path).unwrap();
    for line in [
        "\n  \"version\": 1,\n",
        "\n  \"id\": \"0000000000000123\",\n",
        "\n    \"idle_ms\": 900000,\n",
        "\"at\": \"2026-11-18T11:06:46Z\"",
        "\n    \"name\": \"ended\",\n",
        "\n    \"outcome\": \"revoked\",\n",
    ] {
        assert!(text.contains(line), "no {line:?} in {text}");
    }
}

const NOTHING_IN_IT: &str = "\"network\": {\"client\": null, \"proxy\": null, \"no_proxy\": null, \
                             \"proxy_credentials_file\": null}, \"ca_file\"";

/// An earlier program knows nothing of them, and leaves them alone.
#[test]
fn only_a_tied_one_is_of_the_second_version() {
    let mut record = record(1, Stage::Active);
    record.about = Arc::new(About { tied: true, ..About::clone(&record.about) });
    let (state, path) = one(&record);
    let whole = fs::read_to_string(&path).unwrap();
    assert_eq!(folder(state.path()).load().unwrap(), [loaded(record)]);
    for (from, to) in [
        ("\"version\": 2", "\"version\": 1"),
        ("\"tied\": true", "\"tied\": false"),
        ("\"tied\": true", "\"tied\": null"),
        ("  \"tied\": true,\n", ""),
        ("\"ca_file\"", "\"network\": null,\n    \"ca_file\""),
        ("\"ca_file\"", NOTHING_IN_IT),
    ] {
        assert!(whole.contains(from), "{from} in {whole}");
        fs::write(&path, whole.replace(from, to)).unwrap();
        damage(folder(state.path()).load().unwrap());
    }
}

/// So many that several threads read them.
#[test]
fn of_very_many_each_is_found_in_the_order_of_their_names() {
    const MANY: u64 = 2_000;
    let state = private_folder();
    let records: Vec<_> = (0..MANY).map(|id| record(id, Stage::Active)).collect();
    let done = folder(state.path()).write_batch(&records);
    assert!(done.iter().all(Result::is_ok));
    let damaged =
        state.path().join("sessions").join(format!("{}.json", SessionId::from_bits(1_500)));
    fs::write(&damaged, "{").unwrap();

    let found = folder(state.path()).load().unwrap();
    let (mut expected, mut broken) = ((0..MANY).map(SessionId::from_bits).collect::<Vec<_>>(), 0);
    // Behind them all, the index tells of the one that is damaged.
    expected.push(SessionId::from_bits(1_500));
    assert_eq!(found.iter().map(|loaded| loaded.id().unwrap()).collect::<Vec<_>>(), expected);
    for loaded in found {
        match loaded {
            Loaded::Record { record: found, .. } => {
                assert_eq!(
                    found,
                    record(u64::from_str_radix(found.key.id.as_str(), 16).unwrap(), Stage::Active)
                );
            }
            Loaded::Damaged(Damage { path, .. }) => {
                assert_eq!(path, damaged);
                broken += 1;
            }
            Loaded::Unrecorded { .. } => broken += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(broken, 2);
}

/// A record of a known version says nothing but that version's things.
#[test]
fn a_good_record_of_another_version_is_newer_or_damaged() {
    let (state, path) = one(&record(1, Stage::Active));
    let whole = fs::read_to_string(&path).unwrap();
    fs::write(&path, whole.replace("\"version\": 1", "\"version\": 3")).unwrap();
    let found = folder(state.path()).load().unwrap();
    assert!(matches!(&found[..], [Loaded::Newer { version: 3, .. }]), "{found:?}");
    fs::write(&path, whole.replace("\"version\": 1", "\"version\": 0")).unwrap();
    assert_eq!(damage(folder(state.path()).load().unwrap()).why, "there is no version 0");
}

#[test]
fn a_truncated_record_is_damaged_wherever_it_was_cut() {
    let (state, path) = one(&ended(1));
    let whole = fs::read(&path).unwrap();
    for end in 0..whole.len() {
        fs::write(&path, &whole[..end]).unwrap();
        let damage = damage(folder(state.path()).load().unwrap());
        assert_eq!(damage.path, path, "cut at {end}");
        let kept = damage.moved_to.unwrap();
        assert_eq!(fs::read(&kept).unwrap(), &whole[..end], "it was changed");
        assert!(!path.exists());
        // Only the first few stay, or finding a free name takes the square of their number.
        if end > 5 {
            fs::remove_file(kept).unwrap();
        }
    }
    assert_eq!(fs::read_dir(state.path().join("damaged")).unwrap().count(), 6, "none overwritten");
}

#[test]
fn what_does_not_fit_is_damaged() {
    let (state, path) = one(&ended(1));
    let whole = fs::read_to_string(&path).unwrap();
    for (from, to) in [
        ("\"version\": 1", "\"version\": 0"),
        ("\"version\": 1", "\"version\": 2"),
        ("\"ca_file\"", "\"network\": {},\n    \"ca_file\""),
        ("\"id\": \"0000000000000001\"", "\"id\": \"0000000000000002\""),
        ("\"generation\": 3", "\"generation\": -3"),
        ("\"instance\"", "\"extra\": 1,\n  \"instance\""),
        ("\"ca_file\"", "\"client_cert\": null,\n    \"ca_file\""),
        ("  \"username\": \"ann\",\n", ""),
        ("\"reason\": \"request\"", "\"reason\": \"moon\""),
        ("\"outcome\": \"revoked\"", "\"outcome\": \"perhaps\""),
        ("\"name\": \"ended\"", "\"name\": \"lost\""),
    ] {
        assert!(whole.contains(from), "{from}");
        fs::write(&path, whole.replace(from, to)).unwrap();
        let damage = damage(folder(state.path()).load().unwrap());
        assert!(damage.moved_to.is_ok(), "{to}: {damage:?}");
    }
    let link = state.path().join("sessions/00000000000000aa.json");
    no_file(&link);
    damage(folder(state.path()).load().unwrap());
}

#[test]
fn what_cannot_be_set_aside_stays_and_is_reported() {
    let (state, path) = one(&ended(1));
    fs::write(&path, "{").unwrap();
    fs::write(state.path().join("damaged"), "a file where the folder should be").unwrap();
    let damage = damage(folder(state.path()).load().unwrap());
    assert!(damage.moved_to.is_err());
    assert!(path.exists());
}

#[test]
fn another_machine_another_boot_and_another_version() {
    let (state, path) = one(&record(1, Stage::Active));
    let stranger = Identity { machine: "f".repeat(32), ..here() };
    let found = RecordFolder::open(state.path(), stranger).unwrap().load().unwrap();
    assert_eq!(found, [Loaded::Foreign { path: path.clone() }]);

    let rebooted = Identity { boot: "boot-2".to_owned(), ..here() };
    let found = RecordFolder::open(state.path(), rebooted).unwrap().load().unwrap();
    let expected = Loaded::Record { record: record(1, Stage::Active), same_boot: false };
    assert_eq!(found, [expected]);

    let newer = fs::read_to_string(&path).unwrap().replace("\"version\": 1", "\"version\": 3");
    fs::write(&path, newer.replace("\"stage\"", "\"new\": true, \"stage\"")).unwrap();
    let found = folder(state.path()).load().unwrap();
    assert_eq!(found, [Loaded::Newer { path: path.clone(), version: 3 }]);
    assert!(path.exists());
}

#[test]
fn leftovers_of_a_crash_are_cleared_and_those_of_another_machine_are_not() {
    let (state, path) = one(&record(1, Stage::Active));
    let sessions = state.path().join("sessions");
    let ours = sessions.join(".tmp-01234567-0000000000000002");
    let theirs = sessions.join(".tmp-ffffffff-0000000000000002");
    for leftover in [&ours, &theirs] {
        fs::write(leftover, "{").unwrap();
    }
    assert_eq!(folder(state.path()).load().unwrap(), [loaded(record(1, Stage::Active))]);
    assert!(path.exists() && theirs.exists() && !ours.exists());

    // One that could not be cleared is no obstacle, whatever it is.
    leftover(&path, &sessions.join(".tmp-01234567-0000000000000003"));
    folder(state.path()).write_batch(&[record(3, Stage::Adding)]).remove(0).unwrap();
    let found = folder(state.path()).load().unwrap();
    assert_eq!(found, [loaded(record(1, Stage::Active)), loaded(record(3, Stage::Adding))]);
}

#[test]
fn one_failing_record_does_not_fail_the_others() {
    let state = private_folder();
    let mut records = folder(state.path());
    // A folder in the place of the second record's file.
    fs::create_dir_all(state.path().join("sessions/0000000000000002.json/x")).unwrap();
    let batch = [record(1, Stage::Active), record(2, Stage::Active), record(3, Stage::Active)];
    let done = records.write_batch(&batch);
    assert!(done[0].is_ok() && done[1].is_err() && done[2].is_ok(), "{done:?}");
    let left: Vec<_> = fs::read_dir(state.path().join("sessions")).unwrap().collect();
    assert_eq!(left.len(), 3, "no temporary file is left: {left:?}");
}

#[test]
fn the_last_of_a_batch_wins_and_removing_is_idempotent() {
    let state = private_folder();
    let mut records = folder(state.path());
    let batch = [record(1, Stage::Adding), record(1, Stage::Active)];
    assert!(records.write_batch(&batch).iter().all(Result::is_ok));
    assert_eq!(records.load().unwrap(), [loaded(record(1, Stage::Active))]);
    let id = SessionId::from_bits(1);
    records.remove(&id).unwrap();
    records.remove(&id).unwrap();
    assert_eq!(records.load().unwrap(), []);
}

#[test]
fn a_removed_folder_is_made_anew() {
    let state = private_folder();
    let mut records = folder(state.path());
    fs::remove_dir_all(state.path().join("sessions")).unwrap();
    records.write_batch(&[record(1, Stage::Active)]).remove(0).unwrap();
    assert_eq!(records.load().unwrap(), [loaded(record(1, Stage::Active))]);
}

#[test]
fn a_session_without_a_record_is_known_until_it_is_removed() {
    let state = private_folder();
    let mut records = folder(state.path());
    for stage in [Stage::Adding, Stage::Active] {
        let done = records.write_batch(&[record(1, stage.clone()), record(2, stage)]);
        assert!(done.iter().all(Result::is_ok), "{done:?}");
    }
    assert_eq!(records.load().unwrap().len(), 2);
    let sessions = state.path().join("sessions");
    fs::remove_dir_all(&sessions).unwrap();
    assert_eq!(folder(state.path()).load().unwrap(), [missing(1), missing(2)]);

    let mut records = folder(state.path());
    records.remove(&SessionId::from_bits(1)).unwrap();
    assert_eq!(folder(state.path()).load().unwrap(), [missing(2)]);
}

#[test]
fn what_the_index_does_not_know_it_learns_from_the_records() {
    let (state, path) = one(&record(1, Stage::Active));
    let index = state.path().join("index-01234567");
    fs::remove_file(&index).unwrap();
    assert_eq!(folder(state.path()).load().unwrap(), [loaded(record(1, Stage::Active))]);
    fs::remove_file(path).unwrap();
    assert_eq!(folder(state.path()).load().unwrap(), [missing(1)]);

    fs::write(&index, b"{\"id\":\"0000000000000001\",\"keyring\":\"keyutils\"}\n\xff\xfe\n{\"id\"")
        .unwrap();
    let damaged = state.path().join("damaged");
    let found = folder(state.path()).load().unwrap();
    assert!(
        matches!(&found[0], Loaded::DamagedIndex { problem } if problem.starts_with("a line "))
    );
    assert_eq!(found[1..], [missing(1)]);
    assert!(damaged.join("index-01234567").is_file());
    assert_eq!(folder(state.path()).load().unwrap(), [missing(1)]);
}

#[test]
fn nothing_is_announced_that_the_index_does_not_know() {
    let state = private_folder();
    let mut records = folder(state.path());
    // It cannot be read.
    fs::create_dir(state.path().join("index-01234567")).unwrap();
    let done = records.write_batch(&[record(1, Stage::Adding), record(2, Stage::Active)]);
    assert!(done[0].is_err(), "{done:?}");
    assert!(done[1].is_ok(), "its secret is there already: {done:?}");
}

#[tokio::test]
async fn the_disk_answers_a_thousand_writes_and_keeps_their_order() {
    let state = private_folder();
    let disk = Disk::start(folder(state.path()), history(state.path()), || {});
    let mut calls = tokio::task::JoinSet::new();
    for id in 0..1000 {
        let disk = disk.clone();
        calls.spawn(async move { disk.write(record(id, Stage::Active)).await });
    }
    while let Some(done) = calls.join_next().await {
        done.unwrap().unwrap();
    }
    assert_eq!(folder(state.path()).load().unwrap().len(), 1000);

    // Without waiting in between: the removal comes last, so the record is gone and in the history.
    let line = HistoryLine::of(&ended(7)).unwrap();
    let id = SessionId::from_bits(7);
    let (written, added, removed) = tokio::join!(
        biased;
        disk.write(ended(7)),
        disk.append(line.clone()),
        disk.remove(id.clone())
    );
    written.unwrap();
    added.unwrap();
    removed.unwrap();
    assert_eq!(disk.past().find(&[id], None).unwrap(), [line]);
    assert_eq!(folder(state.path()).load().unwrap().len(), 999);
}

#[tokio::test]
async fn a_vanished_state_folder_is_a_typed_error() {
    let home = private_folder();
    let state = home.path().join("state");
    let disk = Disk::start(folder(&state), history(&state), || {});
    fs::remove_dir_all(&state).unwrap();
    let line = HistoryLine::of(&ended(1)).unwrap();
    let error = disk.append(line).await.unwrap_err();
    assert_eq!(error.kind, DiskErrorKind::Gone);
    assert_eq!(error.path, state.join("history.jsonl"));
    let error = disk.write(ended(1)).await.unwrap_err();
    assert_eq!(error.kind, DiskErrorKind::Gone);
    assert!(!state.exists(), "its lock is gone, so it is no longer ours to make");
}
