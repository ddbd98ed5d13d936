//! What a change of the sealed file costs: sessions are added one after the other, as `put` does it
//! (written, synced, read back), then all are read by a new daemon, then all are deleted.
//!
//! `cargo bench -p securid-store --bench sealed_file [-- SESSIONS…]`; 10,000 write some 20 GiB.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;
use std::time::{Duration, Instant};

use securid_secret::SecretBytes;
use securid_session::{Generation, Key, SessionId};
use securid_store::{Entry, KeyPlace, Keyring, Namespace, SealKey, SealedPlace, StoreKind};

const KIND: StoreKind = StoreKind::SealedFile;

/// The contract's shutdown goal, and the most that a daemon is meant to hold.
const SESSIONS: [usize; 2] = [1000, 10_000];

/// A token of the length that servers of today hand out.
const TOKEN: usize = 64;

fn main() {
    let asked: Vec<usize> = std::env::args().filter_map(|word| word.parse().ok()).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    for sessions in if asked.is_empty() { SESSIONS.to_vec() } else { asked } {
        // In the folder that cargo builds in: /tmp may be in memory, where a sync costs nothing.
        let home = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        SealKey::generate().unwrap().write_new(&home.path().join("key")).unwrap();
        runtime.block_on(round(home.path(), sessions));
    }
}

async fn round(home: &Path, sessions: usize) {
    let keyring = open(home);
    let written = bytes_written();
    let adding = Instant::now();
    let mut last = Duration::ZERO;
    for number in 0..sessions {
        let began = Instant::now();
        keyring.put(KIND, entry(number)).await.unwrap();
        last = began.elapsed();
    }
    let added = adding.elapsed();
    let written = bytes_written() - written;
    let size = std::fs::metadata(home.join("secrets.sealed")).unwrap().len();

    let reader = open(home);
    let reading = Instant::now();
    for number in 0..sessions {
        reader.fetch(KIND, &entry(number).key).await.unwrap().unwrap();
    }
    let read = reading.elapsed();

    let deleting = Instant::now();
    for number in 0..sessions {
        keyring.delete(KIND, &entry(number).key.id).await.unwrap();
    }
    println!(
        "{sessions} sessions: file {} KiB; added in {added:.2?} (the last in {last:.2?}, {} MiB \
         written in all); read in {read:.2?}; deleted in {:.2?}",
        size / 1024,
        written / 1024 / 1024,
        deleting.elapsed(),
    );
}

fn open(home: &Path) -> Keyring {
    let key = Some(KeyPlace::File(home.join("key")));
    let place = SealedPlace { file: home.join("secrets.sealed"), key };
    Keyring::system(Namespace::new("machine", home), place)
}

fn entry(number: usize) -> Entry {
    let id = SessionId::from_bits(number as u64);
    Entry {
        key: Key { id, generation: Generation(1) },
        origin: "https://igl.example.com:8443/aveksa/command.submit".to_owned(),
        token: SecretBytes::from(vec![b'x'; TOKEN]),
    }
}

/// What this process has written so far, as the kernel counts it.
fn bytes_written() -> u64 {
    let counts = std::fs::read_to_string("/proc/self/io").unwrap();
    let line = counts.lines().find_map(|line| line.strip_prefix("wchar: ")).unwrap();
    line.trim().parse().unwrap()
}
