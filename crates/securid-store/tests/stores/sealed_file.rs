//! The sealed file: what every store does, and what can be wrong with the file or its key.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use securid_store::{
    Entry, KeyPlace, Keyring, KeyringError, Namespace, Preference, Readiness, SealKey, SealedPlace,
    StoreKind,
};
use tempfile::TempDir;

use crate::{Store, entry, inner_test, is_inner, must_succeed, suite};

const KIND: StoreKind = StoreKind::SealedFile;

/// A state folder of which a sealed file and its key are known.
struct Home {
    folder: TempDir,
}

impl Home {
    fn new() -> Self {
        let home = Self { folder: tempfile::tempdir().unwrap() };
        SealKey::generate().unwrap().write_new(&home.key()).unwrap();
        home
    }

    /// One with entries in its sealed file.
    fn with(entries: &[Entry]) -> Self {
        let home = Self::new();
        home.run(|keyring| async move {
            for entry in entries {
                keyring.put(KIND, entry.clone()).await.unwrap();
            }
        });
        home
    }

    fn key(&self) -> PathBuf {
        self.folder.path().join("key")
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("secrets.sealed")
    }

    fn keyring(&self) -> Keyring {
        daemon(self.folder.path(), Some(KeyPlace::File(self.key())))
    }

    /// Does something with a fresh daemon's keyring.
    fn run<F: Future<Output = ()>>(&self, work: impl FnOnce(Keyring) -> F) {
        run(self.keyring(), work);
    }

    /// Puts something else into the place of the key.
    fn set_key(&self, text: &str, mode: u32) {
        let _ = fs::remove_file(self.key());
        fs::write(self.key(), text).unwrap();
        fs::set_permissions(self.key(), Permissions::from_mode(mode)).unwrap();
    }
}

fn daemon(home: &Path, key: Option<KeyPlace>) -> Keyring {
    let place = SealedPlace { file: home.join("secrets.sealed"), key };
    Keyring::system(Namespace::new("machine", home), place)
}

fn run<F: Future<Output = ()>>(keyring: Keyring, work: impl FnOnce(Keyring) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(work(keyring));
}

#[tokio::test]
async fn does_what_every_store_does() {
    fn daemon_with_key(home: &Path) -> Keyring {
        let key = home.join("key");
        if !key.exists() {
            SealKey::generate().unwrap().write_new(&key).unwrap();
        }
        daemon(home, Some(KeyPlace::File(key)))
    }
    suite(Store { kind: KIND, daemon: daemon_with_key, can_search: true }).await;
}

#[test]
fn shows_nothing_to_others() {
    let home = Home::with(&[entry(1, 30)]);
    assert_eq!(fs::metadata(home.file()).unwrap().mode() & 0o777, 0o600);
    let bytes = fs::read(home.file()).unwrap();
    for secret in [b"bbbb".as_slice(), b"igl.example"] {
        assert!(!bytes.windows(secret.len()).any(|part| part == secret));
    }
    assert_eq!(fs::metadata(home.key()).unwrap().mode() & 0o777, 0o600);
}

/// What a person is told, and that nothing else comes of it: nothing is absent, nothing is touched,
/// and all is well again when the cause has gone.
fn is_in_the_way(home: &Home, keyring: &Keyring, held: &Entry, cause: &str, hint: &str) {
    let before = fs::read(home.file()).unwrap();
    run(keyring.clone(), |keyring| async move {
        let told = [
            keyring.choose(Preference::Fixed(KIND), false).await.map(drop),
            keyring.choose(Preference::Fixed(KIND), true).await.map(drop),
            keyring.fetch(KIND, &held.key).await.map(drop),
            keyring.fetch(KIND, &entry(99, 1).key).await.map(drop),
            keyring.put(KIND, entry(98, 10)).await,
            keyring.put(KIND, held.clone()).await,
            keyring.delete(KIND, &held.key.id).await,
            keyring.delete(KIND, &entry(99, 1).key.id).await,
            keyring.ids(KIND).await.map(drop),
        ];
        for (number, told) in told.into_iter().enumerate() {
            let Err(error @ KeyringError::Unavailable { .. }) = told else {
                panic!("{cause}: call {number}: {told:?}")
            };
            assert!(error.to_string().contains(cause), "{error}");
            assert!(error.hint().contains(hint), "{cause}: {}", error.hint());
        }
        assert_eq!(keyring.state(KIND), Some(Readiness::Unavailable));
    });
    assert_eq!(fs::read(home.file()).unwrap(), before, "{cause}");
    assert_eq!(fs::read_dir(home.folder.path()).unwrap().count(), 2, "{cause}: it left something");
}

#[test]
fn no_key_is_never_no_secret() {
    let held = entry(1, 40);
    let home = Home::with(std::slice::from_ref(&held));
    let good = fs::read_to_string(home.key()).unwrap();
    let path = home.key().display().to_string();
    let keyring = home.keyring();
    let told = |cause: &str, hint: &str| is_in_the_way(&home, &keyring, &held, cause, hint);

    let without = daemon(home.folder.path(), None);
    let no_key = home.folder.path().join("key");
    is_in_the_way(&home, &without, &held, "it has no key", "--make-key");

    // Something else is in the folder, so that the count stays.
    fs::rename(&no_key, home.folder.path().join("elsewhere")).unwrap();
    told(&format!("its key file {path} is not there"), "Put it back");
    fs::remove_file(home.folder.path().join("elsewhere")).unwrap();

    home.set_key(&good, 0o640);
    told(&format!("its key file {path} is not safe: it is open to others (mode 640)"), "chmod 600");
    home.set_key(&good, 0o604);
    told("is not safe", "chmod 600");
    if rustix::process::geteuid().is_root() {
        home.set_key(&good, 0o600);
        chown(home.key(), Some(4711), None).unwrap();
        told("is not safe: it belongs to uid 4711", "Chown");
    }
    for text in ["", "hello\n", &good[..40], &good.replace("key-1", "key-2"), &"x".repeat(5000)] {
        home.set_key(text, 0o600);
        told(&format!("its key file {path} holds no key: it "), "securid-store-key-1");
    }
    home.set_key(SealKey::generate().unwrap().to_line().expose(), 0o600);
    let file = home.file().display().to_string();
    told(&format!("{file} was sealed with another key than that in {path}"), "the right key back");

    fs::remove_file(home.key()).unwrap();
    fs::create_dir(home.key()).unwrap();
    told(&format!("its key file {path} cannot be read: it is no regular file"), "read it");
    fs::remove_dir(home.key()).unwrap();

    home.set_key(&good, 0o400);
    run(keyring, |keyring| async move {
        assert_eq!(keyring.fetch(KIND, &held.key).await, Ok(Some(held.clone())));
        assert_eq!(keyring.fetch(KIND, &entry(99, 1).key).await, Ok(None));
        assert_eq!(keyring.state(KIND), Some(Readiness::Ready));
    });
}

#[test]
fn a_key_that_nobody_writes_hangs_nobody() {
    let home = Home::with(&[entry(1, 40)]);
    fs::remove_file(home.key()).unwrap();
    mknodat(CWD, home.key(), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let began = Instant::now();
    is_in_the_way(&home, &home.keyring(), &entry(1, 40), "cannot be read", "read it");
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}

#[test]
fn a_file_of_elsewhere_does_not_open() {
    let held = entry(1, 40);
    let (home, other) = (Home::with(std::slice::from_ref(&held)), Home::with(&[entry(2, 40)]));
    fs::copy(other.file(), home.file()).unwrap();
    let file = home.file().display().to_string();
    is_in_the_way(
        &home,
        &home.keyring(),
        &held,
        &format!("{file} was sealed with another"),
        "right",
    );
    // Even if somebody has the same key for both.
    fs::copy(other.key(), home.key()).unwrap();
    let cause = format!("{file} belongs to another state folder");
    is_in_the_way(&home, &home.keyring(), &held, &cause, "Bring it back");
    // Nor on another machine, the folder being the same.
    let place = SealedPlace { file: other.file(), key: Some(KeyPlace::File(other.key())) };
    let namespace = Namespace::new("another machine", other.folder.path());
    let keyring = Keyring::system(namespace, place);
    is_in_the_way(&other, &keyring, &held, "or to another machine", "Bring it back");
}

#[test]
fn damage_is_never_no_secret_and_costs_only_what_it_hits() {
    let (one, two) = (entry(1, 40), entry(2, 40));
    let home = Home::with(&[one.clone(), two.clone()]);
    let whole = fs::read(home.file()).unwrap();
    let keyring = home.keyring();
    // In the first line, in the first entry, in the second one, in the seal.
    for (at, readable) in
        [(20, [true; 2]), (100, [false, true]), (300, [true, false]), (whole.len() - 1, [true; 2])]
    {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        fs::write(home.file(), &changed).unwrap();
        run(keyring.clone(), |keyring| {
            let entries = [&one, &two];
            async move {
                for (entry, readable) in entries.into_iter().zip(readable) {
                    match keyring.fetch(KIND, &entry.key).await {
                        Ok(Some(found)) => assert!(readable && found == *entry, "{at}"),
                        Err(error @ KeyringError::Unavailable { .. }) => {
                            assert!(!readable, "{at}");
                            assert!(error.to_string().contains("secrets.sealed is damaged: "));
                            assert!(error.hint().contains("good copy"), "{}", error.hint());
                        }
                        other => panic!("{at}: {other:?}"),
                    }
                }
            }
        });
        is_in_the_way_of_all_but_reading(&home, &keyring, at);
    }
    for end in [0, 1, 79, 80, 100, whole.len() - 41, whole.len() - 40, whole.len() - 1] {
        fs::write(home.file(), &whole[..end]).unwrap();
        is_in_the_way_of_all_but_reading(&home, &keyring, end);
    }
    fs::write(home.file(), [whole.as_slice(), b"\n"].concat()).unwrap();
    is_in_the_way_of_all_but_reading(&home, &keyring, whole.len());

    fs::write(home.file(), &whole).unwrap();
    run(keyring, |keyring| async move {
        assert_eq!(keyring.fetch(KIND, &one.key).await, Ok(Some(one.clone())));
        keyring.put(KIND, entry(3, 40)).await.unwrap();
        assert_eq!(keyring.fetch(KIND, &two.key).await, Ok(Some(two.clone())));
    });
}

fn is_in_the_way_of_all_but_reading(home: &Home, keyring: &Keyring, at: usize) {
    let before = fs::read(home.file()).unwrap();
    run(keyring.clone(), |keyring| async move {
        for told in [
            keyring.choose(Preference::Fixed(KIND), false).await.map(drop),
            keyring.fetch(KIND, &entry(99, 1).key).await.map(drop),
            keyring.put(KIND, entry(98, 10)).await,
            keyring.delete(KIND, &entry(1, 40).key.id).await,
            keyring.delete(KIND, &entry(99, 1).key.id).await,
            keyring.ids(KIND).await.map(drop),
        ] {
            let Err(KeyringError::Unavailable { cause, .. }) = told else {
                panic!("{at}: {told:?}")
            };
            assert!(cause.contains("is damaged"), "{at}: {cause}");
        }
    });
    assert_eq!(fs::read(home.file()).unwrap(), before, "{at}: it was touched");
}

#[test]
fn a_file_that_cannot_be_read_or_is_none() {
    let home = Home::new();
    fs::create_dir(home.file()).unwrap();
    run(home.keyring(), |keyring| async move {
        let told = keyring.fetch(KIND, &entry(1, 1).key).await.unwrap_err().to_string();
        assert!(told.contains("cannot read") && told.contains("no regular file"), "{told}");
        assert!(keyring.put(KIND, entry(1, 1)).await.is_err());
    });
    assert!(home.file().is_dir());
}

#[test]
fn no_file_means_no_secret_only_where_it_would_be_and_with_a_key() {
    let held = entry(1, 40);
    let home = Home::with(std::slice::from_ref(&held));
    fs::remove_file(home.file()).unwrap();
    let absent = async |keyring: Keyring| keyring.fetch(KIND, &entry(1, 40).key).await;
    run(home.keyring(), |keyring| async move { assert_eq!(absent(keyring).await, Ok(None)) });
    let unavailable = |keyring| {
        run(keyring, |keyring| async move {
            let told = absent(keyring).await;
            assert!(matches!(told, Err(KeyringError::Unavailable { .. })), "{told:?}");
        });
    };
    unavailable(daemon(home.folder.path(), None));
    let key = Some(KeyPlace::File(home.folder.path().join("another")));
    unavailable(daemon(home.folder.path(), key));

    let keyring = home.keyring();
    run(keyring.clone(), |keyring| async move { assert_eq!(absent(keyring).await, Ok(None)) });
    fs::remove_dir_all(home.folder.path()).unwrap();
    unavailable(keyring);
}

/// Nothing outside of the file knows how new it has to be.
#[test]
fn an_older_version_of_the_file_is_not_noticed() {
    let (old, new) = (entry(1, 40), entry(2, 40));
    let home = Home::with(std::slice::from_ref(&old));
    let older = fs::read(home.file()).unwrap();
    home.run(|keyring| async move {
        keyring.put(KIND, entry(2, 40)).await.unwrap();
        keyring.delete(KIND, &entry(1, 40).key.id).await.unwrap();
    });
    fs::write(home.file(), older).unwrap();
    home.run(|keyring| async move {
        assert_eq!(keyring.fetch(KIND, &old.key).await, Ok(Some(old.clone())));
        assert_eq!(keyring.fetch(KIND, &new.key).await, Ok(None));
    });
}

#[test]
fn a_key_file_is_never_replaced() {
    let home = Home::new();
    let before = fs::read(home.key()).unwrap();
    let again = SealKey::generate().unwrap().write_new(&home.key());
    assert!(again.unwrap_err().to_string().contains("File exists"));
    assert_eq!(fs::read(home.key()).unwrap(), before);
}

#[test]
fn systemd_and_auto() {
    let home = Home::new();
    let credentials = tempfile::tempdir().unwrap();
    let credential = credentials.path().join("securid-store-key");
    fs::copy(home.key(), &credential).unwrap();
    // What systemd 254 and later give; for a file that the config names it is too open.
    fs::set_permissions(&credential, Permissions::from_mode(0o440)).unwrap();
    let arguments = inner_test("sealed_file::inner");
    let mut command = Command::new(&arguments[0]);
    command.args(&arguments[1..]).env("CREDENTIALS_DIRECTORY", credentials.path());
    // There is no bus.
    command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus");
    must_succeed(command);
}

#[tokio::test]
#[ignore = "run by the test above"]
async fn inner() {
    if !is_inner() {
        return;
    }
    let folder = PathBuf::from(std::env::var_os("CREDENTIALS_DIRECTORY").unwrap());
    let credential = folder.join("securid-store-key");
    let found = KeyPlace::find(None);
    assert_eq!(found, Some(KeyPlace::Credential(credential.clone())));
    let named = KeyPlace::find(Some(&credential));
    assert_eq!(named, Some(KeyPlace::File(credential.clone())), "the config goes first");
    found.as_ref().unwrap().check().unwrap();
    assert!(named.unwrap().check().unwrap_err().to_string().contains("open to others"));

    let home = tempfile::tempdir().unwrap();
    let keyring = daemon(home.path(), found.clone());
    assert_eq!(keyring.fallback(), KIND);
    assert_eq!(keyring.choose(Preference::Auto, false).await, Ok(KIND));
    keyring.put(KIND, entry(1, 40)).await.unwrap();
    // A key that is of no use is no reason to turn to a store that forgets.
    fs::set_permissions(&credential, Permissions::from_mode(0o444)).unwrap();
    let keyring = daemon(home.path(), found);
    let told = keyring.choose(Preference::Auto, false).await.unwrap_err();
    assert!(told.to_string().contains("open to others (mode 444)"), "{told}");

    fs::remove_file(&credential).unwrap();
    assert_eq!(KeyPlace::find(None), None);
    assert_eq!(daemon(home.path(), None).fallback(), StoreKind::Keyutils);
}
