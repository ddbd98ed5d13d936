#![allow(clippy::unwrap_used)]

use std::fs;
use std::thread;

use super::*;

struct Place {
    folder: tempfile::TempDir,
    sealed: Arc<SealedFile>,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("key");
        SealKey::generate().unwrap().write_new(&key).unwrap();
        let file = folder.path().join("secrets.sealed");
        let place = SealedPlace { file, key: Some(KeyPlace::File(key)) };
        let namespace = Namespace::new("machine", folder.path());
        Self { sealed: SealedFile::new(place, namespace), folder }
    }

    fn connect(&self) -> Connection {
        SealedFile::connect(&self.sealed).unwrap()
    }

    fn put(&self, connection: &mut Connection, bits: u64, secret: &[u8]) {
        let id = SessionId::from_bits(bits);
        connection
            .put(EntryName { namespace: &self.sealed.namespace, id: &id }, "", secret)
            .unwrap();
    }

    fn get(&self, connection: &mut Connection, bits: u64) -> Option<Vec<u8>> {
        let id = SessionId::from_bits(bits);
        let found =
            connection.get(EntryName { namespace: &self.sealed.namespace, id: &id }).unwrap();
        found.map(|secret| secret.to_vec())
    }
}

/// As a thread that was written off and the one that serves in its stead.
#[test]
fn connections_that_change_it_at_the_same_time_undo_nothing_of_each_other() {
    const EACH: u64 = 40;
    let place = Place::new();
    thread::scope(|scope| {
        for first in [0, EACH, 2 * EACH] {
            let place = &place;
            scope.spawn(move || {
                let mut connection = place.connect();
                (first..first + EACH).for_each(|n| place.put(&mut connection, n, &n.to_be_bytes()));
            });
        }
    });
    let mut connection = place.connect();
    for n in 0..3 * EACH {
        assert_eq!(place.get(&mut connection, n), Some(n.to_be_bytes().to_vec()));
    }
    let mut left: Vec<_> = fs::read_dir(place.folder.path()).unwrap().flatten().collect();
    left.retain(|file| file.file_name() != "key" && file.file_name() != "secrets.sealed");
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn what_another_connection_wrote_is_seen() {
    let place = Place::new();
    let (mut one, mut other) = (place.connect(), place.connect());
    for n in 0..50_u64 {
        place.put(&mut one, 1, &n.to_be_bytes());
        assert_eq!(place.get(&mut other, 1), Some(n.to_be_bytes().to_vec()));
    }
    place.put(&mut other, 2, b"other");
    assert_eq!(place.get(&mut one, 1), Some(49_u64.to_be_bytes().to_vec()));
    assert_eq!(place.get(&mut one, 2), Some(b"other".to_vec()));
}
