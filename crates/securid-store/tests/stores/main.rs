//! The same suite over every real store that this machine has.
//!
//! A store is found through the environment, which a test cannot change for itself. So each test
//! here runs this binary again, for one `…::inner…` test, in an environment of its own: a D-Bus and a
//! gnome-keyring that nobody else uses, another user, a folder.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[cfg(feature = "test-store")]
mod folder;
mod keyutils;
mod secret_service;

use std::io::{self, Write};
use std::process::{Command, Stdio};

use securid_session::{Generation, Key, SessionId};
use securid_store::{Entry, Keyring, KeyringError, Namespace, Preference, Readiness, StoreKind};
use zeroize::Zeroizing;

/// Set for the inner tests alone; run by hand they would use the person's own keyring.
const INNER: &str = "SECURID_STORE_TEST_INNER";

fn entry(id: u64, length: usize) -> Entry {
    Entry {
        key: Key { id: SessionId::from_bits(id), generation: Generation(id + 1) },
        origin: "https://igl.example:8443/aveksa/command.submit".to_owned(),
        token: Zeroizing::new(vec![b'a' + (id % 26) as u8; length]),
    }
}

/// What every store has to do.
async fn suite(kind: StoreKind) {
    let home = tempfile::tempdir().unwrap();
    let keyring = Keyring::system(Namespace::new("machine", home.path()).unwrap());
    assert_eq!(keyring.state(kind), None);
    assert_eq!(keyring.choose(Preference::Fixed(kind), false).await, Ok(kind));
    assert_eq!(keyring.state(kind), Some(Readiness::Ready));

    let (one, two) = (entry(0x0123_4567_89ab_cdef, 40), entry(2, 1500));
    assert_eq!(keyring.fetch(kind, &one.key).await, Ok(None), "absent, and definitely so");
    keyring.delete(kind, &one.key.id).await.unwrap();
    keyring.put(kind, one.clone()).await.unwrap();
    keyring.put(kind, two.clone()).await.unwrap();
    assert_eq!(keyring.fetch(kind, &one.key).await, Ok(Some(one.clone())));

    // Another daemon of the same user sees the same only from the same state folder.
    let again = Keyring::system(Namespace::new("machine", home.path()).unwrap());
    assert_eq!(again.fetch(kind, &two.key).await, Ok(Some(two.clone())));
    let other_home = tempfile::tempdir().unwrap();
    let stranger = Keyring::system(Namespace::new("machine", other_home.path()).unwrap());
    assert_eq!(stranger.fetch(kind, &one.key).await, Ok(None));

    let newer = Entry { key: Key { generation: Generation(99), ..one.key.clone() }, ..one.clone() };
    keyring.put(kind, newer.clone()).await.unwrap();
    assert_eq!(keyring.fetch(kind, &newer.key).await, Ok(Some(newer.clone())));
    let old = keyring.fetch(kind, &one.key).await;
    assert!(matches!(old, Err(KeyringError::Mismatch { .. })), "{old:?}");

    assert_eq!(keyring.entry(kind, &one.key.id).await, Ok(Some(newer.clone())), "any generation");
    if let Some(mut all) = keyring.ids(kind).await.unwrap() {
        all.sort();
        let mut ours = [two.key.id.clone(), newer.key.id.clone()];
        ours.sort();
        assert_eq!(all, ours);
        assert_eq!(stranger.ids(kind).await, Ok(Some(Vec::new())));
    } else {
        assert_eq!(kind, StoreKind::Keyutils, "the others can search");
    }
    for gone in [&newer, &two] {
        keyring.delete(kind, &gone.key.id).await.unwrap();
        assert_eq!(keyring.fetch(kind, &gone.key).await, Ok(None));
        keyring.delete(kind, &gone.key.id).await.unwrap();
    }
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
