//! The history on a real disk: pages from its end, each session once, and what goes.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod ours;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use securid_session::{Generation, Key, SessionId};
use securid_store::{Disk, Gaps, History, HistoryLine, Identity, Mark, Page, RecordFolder, Wanted};
use tempfile::TempDir;

use ours::{is_private_file, private_folder};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn file(state: &TempDir) -> PathBuf {
    state.path().join("history.jsonl")
}

fn ago(span: Duration) -> Timestamp {
    Timestamp::now() - SignedDuration::try_from(span).unwrap()
}

fn ended(id: u64, at: Timestamp) -> HistoryLine {
    HistoryLine {
        id: SessionId::from_bits(id).to_string(),
        generation: id,
        instance: if id.is_multiple_of(10) { "tenth" } else { "prod" }.to_owned(),
        url: "https://igl.example:8443/aveksa/command.submit".to_owned(),
        username: Some("ann".to_owned()),
        keyring: Some("test".to_owned()),
        created_at: at,
        requested_at: at,
        ended_at: at,
        reason: Some("request".to_owned()),
        outcome: "revoked".to_owned(),
        attempts: 1,
        evidence: "200 logoutUser".to_owned(),
    }
}

/// As an earlier daemon left it.
fn write(path: &Path, lines: impl Iterator<Item = HistoryLine>) {
    let mut text = Vec::new();
    for line in lines {
        serde_json::to_writer(&mut text, &line).unwrap();
        text.push(b'\n');
    }
    fs::write(path, text).unwrap();
}

fn add(path: &Path, bytes: &[u8]) {
    OpenOptions::new().append(true).open(path).unwrap().write_all(bytes).unwrap();
}

fn page(history: &History, wanted: &Wanted, after: Option<&Mark>, most: usize) -> Page {
    history.reader().page(wanted, after, most).unwrap().expect("the mark is good")
}

/// The numbers of the sessions, page by page.
fn pages(history: &History, wanted: &Wanted, most: usize) -> Vec<Vec<u64>> {
    let mut pages = Vec::new();
    let mut after = None;
    loop {
        let page = page(history, wanted, after.as_ref(), most);
        pages.push(page.lines.iter().map(|line| line.generation).collect());
        match page.next {
            Some(mark) => after = Some(mark.to_string().parse().unwrap()),
            None => return pages,
        }
    }
}

fn all(history: &History) -> Vec<u64> {
    pages(history, &Wanted::default(), 1_000_000).concat()
}

/// Starts a disk, which trims at once, and ends it.
fn start_disk(state: &TempDir, keep: Option<Duration>) {
    let identity = Identity { machine: "0123456789abcdef".repeat(2), boot: "boot-1".to_owned() };
    let records = RecordFolder::open(state.path(), identity).unwrap();
    let disk = Disk::start(records, History::open(state.path(), keep, []), || {});
    // It is answered when what came before is done.
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(disk.remove(SessionId::from_bits(u64::MAX))).unwrap();
}

#[test]
fn pages_come_from_the_end_and_each_session_in_one_of_them() {
    let state = private_folder();
    let mut history = History::open(state.path(), None, []);
    assert_eq!(all(&history), [0_u64; 0]);
    let now = Timestamp::now();
    for id in 1..=25 {
        history.append_batch(&[ended(id, now)]).unwrap();
    }
    assert!(is_private_file(&file(&state)));
    let newest_first: Vec<u64> = (1..=25).rev().collect();
    for most in [1, 7, 24, 25, 26, 500] {
        let pages = pages(&history, &Wanted::default(), most);
        assert_eq!(pages.concat(), newest_first);
        assert!(pages.iter().all(|page| (1..=most).contains(&page.len())), "{pages:?}");
    }
    let tenth = Wanted { instance: Some("tenth".to_owned()), ..Wanted::default() };
    assert_eq!(pages(&history, &tenth, 1), [[20], [10]]);
    let past = Wanted { until: Some(ago(DAY)), ..Wanted::default() };
    assert_eq!(all(&history).len(), 25);
    assert_eq!(pages(&history, &past, 5).concat(), [0_u64; 0]);

    // What is added while pages are read moves none of them.
    let first = page(&history, &Wanted::default(), None, 20);
    history.append_batch(&[ended(26, now)]).unwrap();
    let second = page(&history, &Wanted::default(), first.next.as_ref(), 20);
    let second: Vec<u64> = second.lines.iter().map(|line| line.generation).collect();
    assert_eq!(second, [5, 4, 3, 2, 1]);
}

#[test]
fn lines_of_any_length_are_read_from_the_end() {
    let state = private_folder();
    let now = Timestamp::now();
    let line = |id: u64| {
        let evidence = "e".repeat(usize::try_from(id * 997 % 60_000).unwrap());
        HistoryLine { evidence, ..ended(id, now) }
    };
    write(&file(&state), (1..300).map(line));
    let history = History::open(state.path(), None, []);
    assert_eq!(all(&history), (1..300).rev().collect::<Vec<_>>());
    let pages = pages(&history, &Wanted::default(), 500);
    assert!(pages.len() > 10, "a page has a bound in bytes as well: {}", pages.len());
}

#[test]
fn a_session_is_found_by_its_id_as_long_as_it_is_kept() {
    let state = private_folder();
    write(&file(&state), (1..1_000).map(|id| ended(id, ago(DAY * 3))));
    let mut history = History::open(state.path(), None, []);
    history.append_batch(&[ended(1_000, Timestamp::now())]).unwrap();
    let ids = [7, 1_000, 5_000].map(SessionId::from_bits);
    let find = |since| -> Vec<u64> {
        let found = history.reader().find(&ids, since).unwrap();
        found.iter().map(|line| line.generation).collect()
    };
    assert_eq!(find(None), [1_000, 7]);
    assert_eq!(find(Some(ago(DAY))), [1_000]);
}

#[test]
fn each_session_is_written_once() {
    let state = private_folder();
    let now = Timestamp::now();
    let mut history = History::open(state.path(), None, []);
    history.append_batch(&[ended(1, now), ended(2, now), ended(1, now)]).unwrap();
    // It counted as failed, and comes again.
    history.append_batch(&[ended(2, now), ended(3, now)]).unwrap();
    assert_eq!(all(&history), [3, 2, 1]);

    // The daemon dies before records are removed; the last one did not get as far as this.
    let key = |id| Key { id: SessionId::from_bits(id), generation: Generation(id) };
    let mut history = History::open(state.path(), None, [2, 3, 4].map(key));
    for id in [2, 3, 4, 4] {
        history.append_batch(&[ended(id, now)]).unwrap();
    }
    assert_eq!(all(&history), [4, 3, 2, 1]);
    // A name may be used again.
    history.removed(&SessionId::from_bits(4));
    history.append_batch(&[HistoryLine { generation: 9, ..ended(4, now) }]).unwrap();
    assert_eq!(all(&history), [9, 4, 3, 2, 1]);
}

#[test]
fn a_damaged_line_costs_only_itself() {
    let state = private_folder();
    let now = Timestamp::now();
    write(&file(&state), (1..=2).map(|id| ended(id, now)));
    let whole = fs::read(file(&state)).unwrap();
    let second = whole.iter().position(|&b| b == b'\n').unwrap() + 1;
    for end in second + 1..whole.len() - 1 {
        fs::write(file(&state), &whole[..end]).unwrap();
        let mut history = History::open(state.path(), None, []);
        assert_eq!(all(&history), [1], "cut at {end}");
        history.append_batch(&[ended(3, now)]).unwrap();
        assert_eq!(all(&history), [3, 1], "cut at {end}");
    }
    // One that is far too long is passed over, at either end of the file and between.
    let noise = vec![b'x'; 5_000_000];
    fs::write(file(&state), [&noise, &b"\n"[..], &whole, &noise, &b"\n"[..], &whole].concat())
        .unwrap();
    let history = History::open(state.path(), None, []);
    assert_eq!(all(&history), [2, 1, 2, 1]);
    add(&file(&state), &noise);
    assert_eq!(all(&history), [2, 1, 2, 1]);
}

#[test]
fn the_oldest_go_when_there_are_too_many() {
    let state = private_folder();
    let now = Timestamp::now();
    write(&file(&state), (1..=110_000).map(|id| ended(id, now)));
    let before = fs::metadata(file(&state)).unwrap().len();
    start_disk(&state, None);
    assert_eq!(fs::metadata(file(&state)).unwrap().len(), before, "a tenth more is left alone");

    let mut text = Vec::new();
    serde_json::to_writer(&mut text, &ended(110_001, now)).unwrap();
    text.push(b'\n');
    add(&file(&state), &text);
    let history = History::open(state.path(), None, []);
    let mark = page(&history, &Wanted::default(), None, 5).next.unwrap();
    start_disk(&state, None);
    let left = fs::read_to_string(file(&state)).unwrap();
    assert_eq!(left.lines().count(), 100_000);
    assert!(left.ends_with(std::str::from_utf8(&text).unwrap()), "the newest stay");
    assert!(!state.path().join("damaged").exists());
    assert!(is_private_file(&file(&state)));
    // What comes after a page from before stands elsewhere now, and is found there.
    let next = page(&history, &Wanted::default(), Some(&mark), 2);
    assert_eq!(
        next.lines.iter().map(|line| line.generation).collect::<Vec<_>>(),
        [110_001 - 5, 110_001 - 6]
    );
    let gone: Mark = format!("0.5.{}", SessionId::from_bits(5)).parse().unwrap();
    let stale = history.reader().page(&Wanted::default(), Some(&gone), 5).unwrap();
    assert_eq!(stale, None, "its session went, and others may have gone with it");

    // Who takes it for proof is told since when it is whole.
    let after = now + SignedDuration::from_millis(1);
    assert_eq!(since(&history), Some(after));
    // As an earlier version left it.
    fs::remove_file(state.path().join("history-since")).unwrap();
    assert_eq!(since(&history), Some(now));
}

fn since(history: &History) -> Option<Timestamp> {
    let Gaps { whole_since, set_aside } = history.reader().gaps().unwrap();
    assert_eq!(set_aside, None);
    whole_since
}

#[test]
fn what_went_for_its_age_is_not_hidden_when_more_is_kept_later() {
    let state = private_folder();
    let [newest, old, new] = [50, 60, 20].map(|days| ago(DAY * days));
    let lines = || [ended(1, newest), ended(2, old), ended(3, new)].into_iter();
    write(&file(&state), lines());
    let history = History::open(state.path(), None, []);
    start_disk(&state, Some(DAY * 400));
    assert_eq!((all(&history), since(&history)), (vec![3, 2, 1], None));

    start_disk(&state, Some(DAY * 30));
    let after = newest + SignedDuration::from_millis(1);
    assert_eq!((all(&history), since(&history)), (vec![3], Some(after)));
    for keep in [None, Some(DAY * 400)] {
        start_disk(&state, keep);
        assert_eq!(since(&history), Some(after), "{keep:?}");
    }
    // Older ones that come back and go again change nothing; nor does a file that nobody can read hide anything.
    write(&file(&state), lines());
    start_disk(&state, Some(DAY * 55));
    assert_eq!((all(&history), since(&history)), (vec![3, 1], Some(after)));
    let note = state.path().join("history-since");
    assert_eq!(fs::read_to_string(&note).unwrap(), format!("{after}\n"));
    assert!(is_private_file(&note));
    for spoilt in [&b""[..], b"yesterday\n", &[0; 24], &[b'2'; 100]] {
        fs::write(&note, spoilt).unwrap();
        assert!(since(&history) > Some(ago(DAY)), "{spoilt:?}");
    }
    // All go, and the history is empty.
    start_disk(&state, Some(DAY));
    assert_eq!(all(&history), [0_u64; 0]);
    assert!(since(&history) > Some(ago(DAY)));
}

#[test]
fn without_the_note_nothing_goes() {
    let state = private_folder();
    write(&file(&state), [ended(1, ago(DAY * 50))].into_iter());
    // It cannot be put there.
    fs::create_dir(state.path().join("history-since")).unwrap();
    start_disk(&state, Some(DAY));
    let history = History::open(state.path(), None, []);
    assert_eq!(all(&history), [1]);
    history.reader().gaps().expect_err("it cannot be read");
    fs::remove_dir(state.path().join("history-since")).unwrap();
    start_disk(&state, Some(DAY));
    assert_eq!(all(&history), [0_u64; 0]);
    assert!(since(&history).is_some());
}

#[test]
fn what_ended_without_the_servers_word_is_found_by_itself() {
    let state = private_folder();
    let now = Timestamp::now();
    let outcomes = ["revoked", "forgotten", "already-invalid", "something new"];
    let line = |id: u64| HistoryLine {
        outcome: outcomes[usize::try_from(id % 4).unwrap()].to_owned(),
        ..ended(id, now)
    };
    write(&file(&state), (0..1_000).map(line));
    let history = History::open(state.path(), None, []);
    let wanted = Wanted { unconfirmed: true, ..Wanted::default() };
    let found = pages(&history, &wanted, 7).concat();
    assert_eq!(found, (0..1_000).rev().filter(|id| id % 2 == 1).collect::<Vec<_>>());
}

/// So that no page takes long: where few are wanted of many, some pages have none.
#[test]
fn a_page_is_looked_for_in_a_part_of_the_file() {
    let state = private_folder();
    let now = Timestamp::now();
    let line = |id: u64| HistoryLine {
        outcome: if id == 5 { "forgotten" } else { "revoked" }.to_owned(),
        ..ended(id, now)
    };
    write(&file(&state), (0..30_000).map(line));
    let history = History::open(state.path(), None, []);
    let wanted = Wanted { unconfirmed: true, ..Wanted::default() };
    let pages = pages(&history, &wanted, 500);
    assert!((2..10).contains(&pages.len()), "{pages:?}");
    assert_eq!(pages.concat(), [5]);
}

#[test]
fn each_damaged_line_is_counted_on_one_page() {
    let state = private_folder();
    let now = Timestamp::now();
    let mut text = Vec::new();
    for id in 0..100 {
        serde_json::to_writer(&mut text, &ended(id, now)).unwrap();
        text.push(b'\n');
        match id % 10 {
            1 => text.extend(b"{\"id\":\n"),
            // As a power cut leaves it.
            2 => text.extend([&[0; 4096][..], b"\n"].concat()),
            3 => text.extend([&[b'x'; 1 << 20][..], b"\n\n"].concat()),
            _ => {}
        }
    }
    fs::write(file(&state), text).unwrap();
    let history = History::open(state.path(), None, []);
    for most in [1, 7, 500] {
        let (mut damaged, mut lines, mut after) = (0, 0, None);
        loop {
            let page = page(&history, &Wanted::default(), after.as_ref(), most);
            (damaged, lines) = (damaged + page.damaged, lines + page.lines.len());
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!((damaged, lines), (30, 100), "{most} at a time");
    }
}

#[test]
fn a_line_without_an_end_goes_at_a_start() {
    let state = private_folder();
    let now = Timestamp::now();
    write(&file(&state), (1..=3).map(|id| ended(id, now)));
    let whole = fs::read(file(&state)).unwrap();
    for torn in [&b"{\"id\":\"00"[..], &[0; 5_000], &[b'x'; 200_000], b"{"] {
        fs::write(file(&state), [&whole, torn].concat()).unwrap();
        start_disk(&state, None);
        assert_eq!(fs::read(file(&state)).unwrap(), whole);
    }
    // A whole one stays, though somebody has left its newline out.
    let edited = &whole[..whole.len() - 1];
    fs::write(file(&state), edited).unwrap();
    start_disk(&state, None);
    assert_eq!(fs::read(file(&state)).unwrap(), edited);
    let mut history = History::open(state.path(), None, []);
    history.append_batch(&[ended(4, now)]).unwrap();
    assert_eq!(all(&history), [4, 3, 2, 1]);
}

#[test]
fn a_line_of_an_older_version_is_read() {
    let state = private_folder();
    let line = serde_json::to_value(ended(1, Timestamp::now())).unwrap();
    let mut old = line.clone();
    assert!(old.as_object_mut().unwrap().remove("keyring").is_some());
    let mut newer = line;
    newer["what a later one adds"] = true.into();
    fs::write(file(&state), format!("{old}\n{newer}\n")).unwrap();
    let page = page(&History::open(state.path(), None, []), &Wanted::default(), None, 5);
    let keyrings: Vec<_> = page.lines.iter().map(|line| line.keyring.as_deref()).collect();
    assert_eq!((keyrings, page.damaged), (vec![Some("test"), None], 0));
}

#[test]
fn what_is_too_old_goes_and_damage_is_set_aside() {
    let state = private_folder();
    let lines = [(1, DAY * 81 / 2), (2, DAY * 39), (3, DAY)];
    write(&file(&state), lines.into_iter().map(|(id, span)| ended(id, ago(span))));
    start_disk(&state, Some(DAY * 40));
    let history = History::open(state.path(), None, []);
    assert_eq!(all(&history), [3, 2, 1], "a day too old is left alone");

    let noise = [b"{\"id\":\n".to_vec(), vec![b'x'; 200_000], b"\n".to_vec()].concat();
    add(&file(&state), &noise);
    write(&state.path().join("later"), [ended(4, ago(DAY * 99)), ended(5, ago(DAY))].into_iter());
    add(&file(&state), &fs::read(state.path().join("later")).unwrap());
    fs::write(state.path().join(".tmp-history.jsonl"), "left behind").unwrap();
    start_disk(&state, Some(DAY * 30));
    assert_eq!(all(&history), [5, 3]);
    let aside = state.path().join("damaged");
    assert_eq!(fs::read(aside.join("history.jsonl")).unwrap(), noise);
    assert_eq!(fs::read_dir(&aside).unwrap().count(), 1);
    assert_eq!(history.reader().gaps().unwrap().set_aside, Some(aside));
    assert!(!state.path().join(".tmp-history.jsonl").exists());
    let text = fs::read(file(&state)).unwrap();
    start_disk(&state, Some(DAY * 30));
    assert_eq!(fs::read(file(&state)).unwrap(), text, "there is nothing more to do");
}

#[test]
fn another_span_counts_while_it_runs() {
    let state = private_folder();
    write(&file(&state), [ended(1, ago(DAY * 81 / 2)), ended(2, ago(DAY))].into_iter());
    let identity = Identity { machine: "0123456789abcdef".repeat(2), boot: "boot-1".to_owned() };
    let records = RecordFolder::open(state.path(), identity).unwrap();
    let disk = Disk::start(records, History::open(state.path(), None, []), || {});
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    disk.keep_history(Some(DAY * 40));
    // The first may share the batch with it, before which nothing is trimmed.
    for _ in 0..2 {
        runtime.block_on(disk.append(ended(3, Timestamp::now()))).unwrap();
    }
    let history = History::open(state.path(), None, []);
    assert_eq!(all(&history), [3, 2, 1], "a day too old is left alone");
    disk.keep_history(Some(DAY * 30));
    for _ in 0..2 {
        runtime.block_on(disk.append(ended(4, Timestamp::now()))).unwrap();
    }
    assert_eq!(all(&history), [4, 3, 2]);
}
