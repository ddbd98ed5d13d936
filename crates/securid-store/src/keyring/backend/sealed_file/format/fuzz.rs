//! What must hold for any bytes in the place of the sealed file.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::keyring::backend::sealed_file::key::KEY_LEN;

/// What is in the file that somebody changes.
const SECRETS: [(u64, &[u8]); 3] = [(1, b"first secret"), (2, b"second"), (3, b"a third one")];

/// The first byte says how the others are meant.
///
/// - Bytes that nobody with the key has written, with our first line or without: never a file, and
///   nothing is found in them.
/// - Changes to a whole file, three bytes each (where, and what it becomes), and then what to cut off:
///   noticed, and only what was sealed under a name opens under it.
/// - What stands between first line and seal of a file that was sealed properly: it is understood as a
///   plain reading understands it.
pub fn sealed_file(bytes: &[u8]) {
    let Some((how, bytes)) = bytes.split_first() else { return };
    let namespace = Namespace::new("machine", std::path::Path::new("/"));
    let seal = Seal::new(SealKey::of([7; KEY_LEN]), &namespace);
    match how % 4 {
        0 => nobodys(&seal, bytes),
        1 => nobodys(&seal, &[seal.head().as_bytes(), bytes].concat()),
        2 => changed(&seal, bytes),
        _ => sealed(&seal, bytes),
    }
}

fn nobodys(seal: &Seal, bytes: &[u8]) {
    assert!(seal.index(bytes).is_err());
    for (bits, _) in SECRETS {
        assert_eq!(seal.salvage(bytes, &SessionId::from_bits(bits)), None);
    }
}

fn changed(seal: &Seal, changes: &[u8]) {
    let entries = SECRETS.map(|(bits, secret)| {
        seal.entry(&SessionId::from_bits(bits), secret).expect("random numbers")
    });
    let whole = seal.file(&entries.each_ref().map(Vec::as_slice)).expect("random numbers");
    let mut file = whole.clone();
    let (changes, cut) = changes.as_chunks::<3>();
    for [high, low, value] in changes {
        let at = usize::from(u16::from_be_bytes([*high, *low])) % file.len();
        file[at] = *value;
    }
    file.truncate(
        file.len() - cut.iter().map(|&byte| usize::from(byte)).sum::<usize>().min(file.len()),
    );
    let index = seal.index(&file);
    assert_eq!(index.is_ok(), file == whole);
    for (bits, secret) in SECRETS {
        let id = SessionId::from_bits(bits);
        let found = seal.salvage(&file, &id);
        assert!(found.as_ref().is_none_or(|found| **found == *secret), "another secret");
        assert!(found.is_some() || file != whole);
        if let Ok(index) = &index {
            assert_eq!(seal.open_entry(&id, &file[index[&id].clone()]), found);
        }
    }
}

fn sealed(seal: &Seal, body: &[u8]) {
    let file = seal.file(&[body]).expect("random numbers");
    // A name of 16 digits, a length in four bytes, and so many bytes; each name once.
    let (mut names, mut rest) = (std::collections::BTreeSet::new(), body);
    let sound = loop {
        if rest.is_empty() {
            break true;
        }
        let Some((head, tail)) = rest.split_at_checked(20) else { break false };
        let digits = head[..16].iter().all(|byte| b"0123456789abcdef".contains(byte));
        let len = head[16..].iter().rev().fold(0, |len, &byte| len * 256 + usize::from(byte));
        if !digits || tail.len() < len || !names.insert(&head[..16]) {
            break false;
        }
        rest = &tail[len..];
    };
    let index = seal.index(&file);
    assert_eq!(index.is_ok(), sound, "{index:?}");
    for (id, range) in index.unwrap_or_default() {
        assert!(names.contains(id.as_str().as_bytes()));
        // Nobody with the key has sealed what stands there.
        assert_eq!(seal.open_entry(&id, &file[range]), None);
    }
}
