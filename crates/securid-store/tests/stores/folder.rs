//! The folder for the demo and the tests, with its faults.

use std::process::Command;
use std::time::{Duration, Instant};

use securid_store::{KeyringError, StoreKind};

use crate::{Store, daemon, entry, inner_test, is_inner, must_succeed, suite};

const STORE: Store = Store { kind: StoreKind::Test, daemon, can_search: true };

#[test]
fn does_the_same_and_has_faults() {
    let store = tempfile::tempdir().unwrap();
    let arguments = inner_test("folder::inner");
    let mut command = Command::new(&arguments[0]);
    command.args(&arguments[1..]).env("SECURID_TEST_STORE", store.path());
    must_succeed(command);
    let left: Vec<_> = std::fs::read_dir(store.path()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
#[ignore = "run by the test above"]
async fn inner() {
    if !is_inner() {
        return;
    }
    suite(STORE).await;

    let folder = std::path::PathBuf::from(std::env::var_os("SECURID_TEST_STORE").unwrap());
    let fault = |text: &str| std::fs::write(folder.join("fault"), text).unwrap();
    let home = tempfile::tempdir().unwrap();
    let keyring = daemon(home.path());
    let (kind, kept) = (StoreKind::Test, entry(1, 9));
    keyring.put(kind, kept.clone()).await.unwrap();
    for (word, expected) in [
        ("locked", "the keyring (test) is locked: by the file `fault`"),
        ("unavailable", "the keyring (test) is unavailable: by the file `fault`"),
    ] {
        fault(word);
        assert_eq!(keyring.fetch(kind, &kept.key).await.unwrap_err().to_string(), expected);
    }
    for (word, expected) in [
        ("full", "the keyring (test) is full: by the file `fault`"),
        ("forget-writes", "the keyring (test) did not keep what was stored in it"),
    ] {
        fault(word);
        assert_eq!(keyring.put(kind, entry(2, 9)).await.unwrap_err().to_string(), expected);
        assert_eq!(keyring.fetch(kind, &kept.key).await, Ok(Some(kept.clone())));
    }
    fault("slow:300");
    let began = Instant::now();
    keyring.fetch(kind, &kept.key).await.unwrap();
    assert!(began.elapsed() >= Duration::from_millis(300));
    fault("hang");
    let began = Instant::now();
    let hung = keyring.fetch(kind, &kept.key).await;
    assert!(matches!(hung, Err(KeyringError::Unresponsive { .. })), "{hung:?}");
    assert!(began.elapsed() < Duration::from_secs(6));
    fault("");
    let keyring = daemon(home.path());
    assert_eq!(keyring.ids(kind).await, Ok(Some(vec![kept.key.id.clone()])));
    keyring.delete(kind, &kept.key.id).await.unwrap();
    std::fs::remove_file(folder.join("fault")).unwrap();
}
