//! Credential Manager, as it is for whoever runs the tests; and the sealed file, as Windows has it.

use std::path::Path;

use securid_secret::SecretBytes;
use securid_store::{KeyPlace, Keyring, Namespace, Preference, SealKey, SealedPlace, StoreKind};
use securid_windows::credentials;
use tokio::sync::Mutex;

use crate::{Store, daemon, entry, suite};

const KIND: StoreKind = StoreKind::CredentialManager;

/// One test at a time: Wine lists what somebody else is changing with gaps, or not at all.
static ALONE: Mutex<()> = Mutex::const_new(());

#[tokio::test]
async fn does_what_every_store_does() {
    let _alone = ALONE.lock().await;
    suite(Store { kind: KIND, daemon, can_search: true }).await;
}

#[tokio::test]
async fn the_sealed_file_does_what_every_store_does() {
    fn daemon_with_key(home: &Path) -> Keyring {
        let key = home.join("key");
        if !key.exists() {
            SealKey::generate().unwrap().write_new(&key).unwrap();
        }
        let key = Some(KeyPlace::File(key));
        Keyring::system(
            Namespace::new("machine", home),
            SealedPlace { file: home.join("sealed"), key },
        )
    }
    suite(Store { kind: StoreKind::SealedFile, daemon: daemon_with_key, can_search: true }).await;
}

/// A token of any length that there can be, from another one's place; and nothing stays of it.
#[tokio::test]
async fn long_ones_take_several_credentials_and_leave_none() {
    let _alone = ALONE.lock().await;
    let home = tempfile::tempdir().unwrap();
    let namespace = Namespace::new("machine", home.path());
    let credentials = || credentials::names(namespace.as_str()).unwrap().len();
    let keyring = daemon(home.path());
    for (length, expected) in [(16 * 1024, 7), (10, 1), (5_000, 3), (2_400, 2), (2_000, 1)] {
        let mut kept = entry(5, length);
        // Not the same everywhere, so that parts could not change their places.
        kept.token = SecretBytes::from((0..length).map(|at| (at % 251) as u8).collect::<Vec<_>>());
        keyring.put(KIND, kept.clone()).await.unwrap();
        assert_eq!(credentials(), expected, "{length}");
        assert_eq!(daemon(home.path()).fetch(KIND, &kept.key).await, Ok(Some(kept.clone())));
        assert_eq!(keyring.ids(KIND).await, Ok(Some(vec![kept.key.id])), "it counts once");
    }
    keyring.delete(KIND, &entry(5, 1).key.id).await.unwrap();
    assert_eq!(credentials(), 0);
}

#[tokio::test]
async fn it_is_what_auto_takes() {
    let _alone = ALONE.lock().await;
    let home = tempfile::tempdir().unwrap();
    assert_eq!(daemon(home.path()).choose(Preference::Auto, false).await, Ok(KIND));
}
