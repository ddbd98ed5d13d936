//! What it costs to open a sealed file, and to change it: `cargo bench -p securid-store --bench open`. What a change waits
//! for is the disk, twice; `sealed_file` tells how that adds up.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use divan::{AllocProfiler, Bencher};
use securid_secret::SecretBytes;
use securid_session::{Generation, Key, SessionId};
use securid_store::{Entry, KeyPlace, Keyring, Namespace, SealKey, SealedPlace, StoreKind};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

const KIND: StoreKind = StoreKind::SealedFile;

/// One secret, and more than anybody has.
const SECRETS: [u64; 2] = [1, 100];

fn main() {
    divan::main();
}

/// A daemon's first look: the file is read, checked and opened.
#[divan::bench(args = SECRETS)]
fn opening(bencher: Bencher<'_, '_>, secrets: u64) {
    let (home, runtime) = (sealed(secrets), runtime());
    let key = entry(0).key;
    bencher.with_inputs(|| open(home.path())).bench_local_values(|keyring| {
        assert!(runtime.block_on(keyring.fetch(KIND, &key)).unwrap().is_some());
        keyring
    });
}

/// Another secret in the place of one: sealed, written, synced, read back.
#[divan::bench(args = SECRETS)]
fn changing(bencher: Bencher<'_, '_>, secrets: u64) {
    let (home, runtime) = (sealed(secrets), runtime());
    let keyring = open(home.path());
    bencher.bench_local(|| runtime.block_on(keyring.put(KIND, entry(0))).unwrap());
}

/// A home with a file of so many.
fn sealed(secrets: u64) -> TempDir {
    // In the folder that cargo builds in: /tmp may be in memory, where a sync costs nothing.
    let home = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    SealKey::generate().unwrap().write_new(&home.path().join("key")).unwrap();
    let keyring = open(home.path());
    let runtime = runtime();
    for number in 0..secrets {
        runtime.block_on(keyring.put(KIND, entry(number))).unwrap();
    }
    home
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().build().unwrap()
}

fn open(home: &Path) -> Keyring {
    let key = Some(KeyPlace::File(home.join("key")));
    let place = SealedPlace { file: home.join("secrets.sealed"), key };
    Keyring::system(Namespace::new("machine", home), place)
}

fn entry(number: u64) -> Entry {
    Entry {
        key: Key { id: SessionId::from_bits(number), generation: Generation(1) },
        origin: "https://igl.example.com:8443/aveksa/command.submit".to_owned(),
        // As long as the tokens that servers of today hand out.
        token: SecretBytes::from(vec![b'x'; 64]),
    }
}
