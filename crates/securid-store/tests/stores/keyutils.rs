//! The kernel's keyring: this user's for the suite, another user's to fill it up.

use std::os::unix::process::CommandExt;
use std::process::Command;

use securid_store::{KeyringError, Preference, StoreKind};

use crate::{Store, daemon, entry, inner_test, is_inner, must_succeed, skipped, suite};

const STORE: Store = Store { kind: StoreKind::Keyutils, daemon, can_search: false };

#[tokio::test]
async fn does_what_every_store_does() {
    let home = tempfile::tempdir().unwrap();
    let keyring = daemon(home.path());
    if let Err(e) = keyring.choose(Preference::Fixed(StoreKind::Keyutils), false).await {
        return skipped(&format!("{e}"));
    }
    suite(STORE).await;
}

/// Root has a quota of its own that is a thousand times larger, so this takes another user.
#[test]
fn says_when_it_is_full() {
    if !rustix::process::geteuid().is_root() {
        return skipped("only root can become a user whose quota nobody else needs");
    }
    // A copy, because the folder that cargo builds in may be closed to others.
    let folder = tempfile::Builder::new()
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .tempdir_in("/tmp")
        .unwrap();
    let copy = folder.path().join("stores");
    // Copied by another process: a fork of a test beside this one would inherit a file that we
    // write, and the kernel runs no program that is open for writing.
    let me = std::env::current_exe().unwrap();
    assert!(Command::new("cp").arg(me).arg(&copy).status().unwrap().success());
    let mut command = Command::new(&copy);
    // No account of any machine has these numbers.
    command.args(&inner_test("keyutils::inner_full")[1..]).uid(987_654_321).gid(987_654_321);
    command.env("TMPDIR", "/tmp");
    must_succeed(command);
}

#[tokio::test]
#[ignore = "run by the test above"]
async fn inner_full() {
    if !is_inner() {
        return;
    }
    let kind = StoreKind::Keyutils;
    let home = tempfile::tempdir().unwrap();
    let keyring = daemon(home.path());
    if let Err(e) = keyring.choose(Preference::Fixed(kind), false).await {
        return skipped(&format!("{e}"));
    }
    let mut stored = Vec::new();
    let refused = loop {
        let next = entry(stored.len() as u64, 1000);
        match keyring.put(kind, next.clone()).await {
            Ok(()) => stored.push(next),
            Err(e) => break (next, e),
        }
        assert!(stored.len() < 20, "20,000 bytes cannot hold that");
    };
    let (rejected, error) = refused;
    assert!(matches!(error, KeyringError::Full { .. }), "{error}");
    assert!(error.to_string().contains("200 keys and 20,000 bytes"), "{error}");
    assert!(stored.len() > 10, "only {} fitted", stored.len());
    assert_eq!(keyring.fetch(kind, &rejected.key).await, Ok(None), "nothing half stored");
    for kept in stored {
        assert_eq!(keyring.fetch(kind, &kept.key).await, Ok(Some(kept.clone())));
        keyring.delete(kind, &kept.key.id).await.unwrap();
    }
}
