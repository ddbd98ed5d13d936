//! The same suite over every real store that this machine has.
//!
//! A store is found through the environment, which a test cannot change for itself. So each test
//! here runs this binary again, for one `…::inner…` test, in an environment of its own: a D-Bus and a
//! gnome-keyring that nobody else uses, another user, a folder.

#![allow(clippy::unwrap_used, clippy::expect_used)]
// Not each system needs all of it.
#![cfg_attr(not(target_os = "linux"), allow(dead_code))]

#[cfg(windows)]
mod credential_manager;
#[cfg(feature = "test-store")]
mod folder;
#[cfg(target_os = "linux")]
mod keyutils;
#[cfg(target_os = "linux")]
mod sealed_file;
#[cfg(target_os = "linux")]
mod secret_service;

use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use securid_secret::SecretBytes;
use securid_session::{Generation, Key, SessionId};
use securid_store::{
    Entry, Keyring, KeyringError, Namespace, Preference, Readiness, SealedPlace, StoreKind,
};

/// Set for the inner tests alone; run by hand they would use the person's own keyring.
const INNER: &str = "SECURID_STORE_TEST_INNER";

fn entry(id: u64, length: usize) -> Entry {
    Entry {
        key: Key { id: SessionId::from_bits(id), generation: Generation(id + 1) },
        origin: "https://igl.example:8443/aveksa/command.submit".to_owned(),
        token: SecretBytes::from(vec![b'a' + (id % 26) as u8; length]),
    }
}

/// What the suite has to know of a store.
#[derive(Clone, Copy)]
struct Store {
    kind: StoreKind,
    /// The keyring of a daemon with this state folder.
    daemon: fn(&Path) -> Keyring,
    can_search: bool,
}

/// The stores as the daemon with this state folder sees them, without a key to its sealed file.
fn daemon(home: &Path) -> Keyring {
    let place = SealedPlace { file: home.join("secrets.sealed"), key: None };
    Keyring::system(Namespace::new("machine", home), place)
}

/// What every store has to do.
async fn suite(store: Store) {
    keeps_what_it_is_given(store).await;
    keeps_generations_apart(store).await;
    keeps_daemons_apart(store).await;
    keeps_anything_that_a_token_may_be(store).await;
    serves_many_at_once(store).await;
}

async fn keeps_what_it_is_given(store: Store) {
    let (kind, home) = (store.kind, tempfile::tempdir().unwrap());
    let keyring = (store.daemon)(home.path());
    assert_eq!(keyring.state(kind), None);
    assert_eq!(keyring.choose(Preference::Fixed(kind), false).await, Ok(kind));
    assert_eq!(keyring.state(kind), Some(Readiness::Ready));

    let (one, two) = (entry(0x0123_4567_89ab_cdef, 40), entry(2, 1500));
    assert_eq!(keyring.fetch(kind, &one.key).await, Ok(None), "absent, and definitely so");
    keyring.delete(kind, &one.key.id).await.unwrap();
    keyring.put(kind, one.clone()).await.unwrap();
    keyring.put(kind, two.clone()).await.unwrap();
    // The next daemon with this state folder sees it as well.
    for daemon in [keyring.clone(), (store.daemon)(home.path())] {
        assert_eq!(daemon.fetch(kind, &one.key).await, Ok(Some(one.clone())));
        assert_eq!(daemon.fetch(kind, &two.key).await, Ok(Some(two.clone())));
        assert_eq!(
            ids(&daemon, store).await,
            store.can_search.then(|| vec![two.key.id.clone(), one.key.id.clone()])
        );
    }
    keyring.delete(kind, &one.key.id).await.unwrap();
    for daemon in [keyring.clone(), (store.daemon)(home.path())] {
        assert_eq!(daemon.fetch(kind, &one.key).await, Ok(None));
        assert_eq!(daemon.fetch(kind, &two.key).await, Ok(Some(two.clone())), "and no other");
    }
    keyring.delete(kind, &one.key.id).await.unwrap();
    keyring.delete(kind, &two.key.id).await.unwrap();
    assert_eq!(ids(&keyring, store).await, store.can_search.then(Vec::new));
}

async fn keeps_generations_apart(store: Store) {
    let (kind, home) = (store.kind, tempfile::tempdir().unwrap());
    let (keyring, old) = ((store.daemon)(home.path()), entry(1, 400));
    keyring.put(kind, old.clone()).await.unwrap();
    let key = Key { generation: Generation(99), ..old.key.clone() };
    let newer = Entry { key, token: SecretBytes::from(b"shorter".to_vec()), ..old.clone() };
    keyring.put(kind, newer.clone()).await.unwrap();
    assert_eq!(keyring.fetch(kind, &newer.key).await, Ok(Some(newer.clone())));
    let found = keyring.fetch(kind, &old.key).await;
    assert!(matches!(found, Err(KeyringError::Mismatch { .. })), "{found:?}");
    assert_eq!(keyring.entry(kind, &old.key.id).await, Ok(Some(newer)), "any generation");
    assert_eq!(ids(&keyring, store).await, store.can_search.then(|| vec![old.key.id.clone()]));
    keyring.delete(kind, &old.key.id).await.unwrap();
    assert_eq!(keyring.entry(kind, &old.key.id).await, Ok(None));
}

async fn keeps_daemons_apart(store: Store) {
    let (kind, mine) = (store.kind, entry(1, 40));
    let homes = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [keyring, stranger] = homes.each_ref().map(|home| (store.daemon)(home.path()));
    keyring.put(kind, mine.clone()).await.unwrap();
    assert_eq!(stranger.fetch(kind, &mine.key).await, Ok(None));
    assert_eq!(ids(&stranger, store).await, store.can_search.then(Vec::new));
    stranger.put(kind, entry(1, 50)).await.unwrap();
    assert_eq!(keyring.fetch(kind, &mine.key).await, Ok(Some(mine.clone())));
    stranger.delete(kind, &mine.key.id).await.unwrap();
    assert_eq!(keyring.fetch(kind, &mine.key).await, Ok(Some(mine.clone())));
    keyring.delete(kind, &mine.key.id).await.unwrap();
}

async fn keeps_anything_that_a_token_may_be(store: Store) {
    let (kind, home) = (store.kind, tempfile::tempdir().unwrap());
    let keyring = (store.daemon)(home.path());
    let every_byte: Vec<u8> = (0..=255).collect();
    for token in [every_byte, b"\n".to_vec(), vec![0; 3], "\u{fffd} ü".into(), vec![b'x'; 6000]] {
        let odd = Entry { token: SecretBytes::from(token), ..entry(7, 1) };
        keyring.put(kind, odd.clone()).await.unwrap();
        assert_eq!(keyring.fetch(kind, &odd.key).await, Ok(Some(odd.clone())));
    }
    keyring.delete(kind, &entry(7, 1).key.id).await.unwrap();
}

/// As many as the daemon has at the keyring at once, and then some.
async fn serves_many_at_once(store: Store) {
    let (kind, home) = (store.kind, tempfile::tempdir().unwrap());
    let keyring = (store.daemon)(home.path());
    let all: Vec<_> = (0..24).map(|id| entry(id, 30)).collect();
    let calls = all.iter().cloned().map(|entry| {
        let keyring = keyring.clone();
        tokio::spawn(async move {
            keyring.put(kind, entry.clone()).await.unwrap();
            if entry.key.generation.0 % 3 == 0 {
                keyring.delete(kind, &entry.key.id).await.unwrap();
            }
        })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap();
    }
    for entry in &all {
        let kept = (entry.key.generation.0 % 3 != 0).then(|| entry.clone());
        assert_eq!(keyring.fetch(kind, &entry.key).await, Ok(kept));
        keyring.delete(kind, &entry.key.id).await.unwrap();
    }
}

/// No system has both of them; what another one has is never taken for empty.
#[tokio::test]
async fn a_store_of_another_system_has_nothing_to_say() {
    let home = tempfile::tempdir().unwrap();
    let keyring = daemon(home.path());
    for kind in [StoreKind::Keychain, StoreKind::CredentialManager] {
        if kind.is_of_this_system() {
            continue;
        }
        let key = entry(1, 40).key;
        for told in [
            keyring.fetch(kind, &key).await.map(drop),
            keyring.put(kind, entry(1, 40)).await,
            keyring.delete(kind, &key.id).await,
            keyring.ids(kind).await.map(drop),
            keyring.choose(Preference::Fixed(kind), false).await.map(drop),
        ] {
            let error = told.unwrap_err();
            let expected =
                format!("the keyring ({kind}) is unavailable: this system has no such store");
            assert_eq!(error.to_string(), expected);
            assert!(error.hint().contains("another store"), "{}", error.hint());
        }
    }
    let here: Vec<_> = StoreKind::of_this_system().collect();
    let both = [StoreKind::Keychain, StoreKind::CredentialManager];
    assert!(here.contains(&StoreKind::SealedFile) && !both.iter().all(|kind| here.contains(kind)));
}

/// The ids in order; `None` for a store that cannot search, and it alone.
async fn ids(keyring: &Keyring, store: Store) -> Option<Vec<SessionId>> {
    let mut ids = keyring.ids(store.kind).await.unwrap();
    ids.iter_mut().for_each(|ids| ids.sort());
    assert_eq!(ids.is_some(), store.can_search);
    ids
}

/// This binary again, for one inner test.
fn inner_test(test: &str) -> Vec<String> {
    let me = std::env::current_exe().unwrap().to_str().unwrap().to_owned();
    [&me, "--ignored", "--exact", "--nocapture", "--test-threads=1", test].map(str::to_owned).into()
}

fn must_succeed(mut command: Command) {
    let output = command.env(INNER, "1").stdin(Stdio::null()).output().unwrap();
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    assert!(out.contains("1 passed"), "the inner test did not run:\n{out}\n{err}");
    eprint!("{err}");
}

fn is_inner() -> bool {
    let inner = std::env::var_os(INNER).is_some();
    if !inner {
        eprintln!("SKIPPED: it is run by the outer test of the same name");
    }
    inner
}

fn skipped(why: &str) {
    let in_ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
    assert!(!in_ci, "in CI every store has to be tested: {why}");
    // Not `eprintln!`, which cargo keeps to itself as long as a test passes.
    let _ = writeln!(io::stderr(), "SKIPPED: {why}");
}
