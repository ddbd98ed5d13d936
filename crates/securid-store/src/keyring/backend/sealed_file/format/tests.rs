#![allow(clippy::unwrap_used)]

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::*;
use crate::keyring::backend::sealed_file::key::KEY_LEN;

fn namespace(machine: &str) -> Namespace {
    Namespace::new(machine, std::path::Path::new("/"))
}

fn seal() -> Seal {
    Seal::new(SealKey::of([7; KEY_LEN]), &namespace("machine"))
}

fn id(bits: u64) -> SessionId {
    SessionId::from_bits(bits)
}

fn file(seal: &Seal, secrets: &[(SessionId, Vec<u8>)]) -> Vec<u8> {
    let entries: Vec<_> =
        secrets.iter().map(|(id, secret)| seal.entry(id, secret).unwrap()).collect();
    seal.file(&entries.iter().map(Vec::as_slice).collect::<Vec<_>>()).unwrap()
}

fn secret(seal: &Seal, bytes: &[u8], id: &SessionId) -> Option<Vec<u8>> {
    let range = seal.index(bytes).unwrap().get(id)?.clone();
    Some(seal.open_entry(id, &bytes[range]).unwrap().to_vec())
}

fn two() -> [(SessionId, Vec<u8>); 2] {
    [(id(1), b"AAAA-first".to_vec()), (id(2), b"BBBB-second".to_vec())]
}

proptest! {
    #[test]
    fn what_was_sealed_opens_again(secrets in btree_map(any::<u64>(), vec(any::<u8>(), 0..300), 0..20)) {
        let seal = seal();
        let secrets: Vec<_> = secrets.into_iter().map(|(bits, secret)| (id(bits), secret)).collect();
        let bytes = file(&seal, &secrets);
        let index = seal.index(&bytes).unwrap();
        let ids: Vec<_> = secrets.iter().map(|(id, _)| id.clone()).collect();
        prop_assert_eq!(index.into_keys().collect::<Vec<_>>(), ids);
        for (id, held) in &secrets {
            prop_assert_eq!(secret(&seal, &bytes, id), Some(held.clone()));
        }
    }

    #[test]
    fn no_bytes_make_it_panic_and_none_are_taken_for_ours(tail in vec(any::<u8>(), 0..400), whole: bool) {
        let seal = seal();
        let head = if whole { seal.head() } else { String::new() };
        let bytes = [head.as_bytes(), &tail].concat();
        prop_assert!(seal.index(&bytes).is_err());
        prop_assert_eq!(seal.salvage(&bytes, &id(1)), None);
    }

    #[test]
    fn whatever_is_cut_out_or_put_in_is_noticed(at in 0..400_usize, cut in 0..60_usize,
            put in vec(any::<u8>(), 0..60), name_it: bool) {
        let seal = seal();
        let whole = file(&seal, &two());
        let (at, mut put) = (at.min(whole.len()), put);
        if name_it {
            // Something that looks like an entry's beginning is worth the search.
            put.splice(0..0, *b"0000000000000001\x20\0\0\0");
        }
        let end = (at + cut).min(whole.len());
        let mut changed = whole.clone();
        changed.splice(at..end, put);
        prop_assume!(changed != whole);
        prop_assert!(seal.index(&changed).is_err());
        for (id, held) in two() {
            let found = seal.salvage(&changed, &id);
            prop_assert!(found.is_none_or(|found| *found == held));
        }
    }
}

#[test]
fn every_truncation_and_every_changed_bit_is_noticed_and_costs_only_what_it_hits() {
    let seal = seal();
    let whole = file(&seal, &two());
    let index = seal.index(&whole).unwrap();
    for end in 0..whole.len() {
        let cut = &whole[..end];
        assert!(matches!(seal.index(cut), Err(Fault::Damaged(_))), "cut at {end}");
        for (id, held) in two() {
            let found = seal.salvage(cut, &id).map(|found| found.to_vec());
            assert_eq!(found, (end >= index[&id].end).then_some(held), "{id}, cut at {end}");
        }
        for bit in 0..8 {
            let mut changed = whole.clone();
            changed[end] ^= 1 << bit;
            assert!(
                matches!(seal.index(&changed), Err(Fault::Damaged(_))),
                "changed at {end}.{bit}"
            );
            for (id, held) in two() {
                let found = seal.salvage(&changed, &id).map(|found| found.to_vec());
                let hit = index[&id].contains(&end);
                assert_eq!(found, (!hit).then_some(held), "{id}, changed at {end}.{bit}");
            }
        }
    }
}

#[test]
fn a_wrong_key_and_another_folder_are_told_from_damage() {
    let whole = file(&seal(), &two());
    let other_key = Seal::new(SealKey::of([8; KEY_LEN]), &namespace("machine"));
    assert_eq!(other_key.index(&whole), Err(Fault::WrongKey));
    assert_eq!(other_key.salvage(&whole, &id(1)), None);
    let elsewhere = Seal::new(SealKey::of([7; KEY_LEN]), &namespace("another"));
    assert_eq!(elsewhere.index(&whole), Err(Fault::Elsewhere));
    assert_eq!(elsewhere.salvage(&whole, &id(1)), None);

    let line = |text: &str| format!("{text} {}\nrest", check(text)).into_bytes();
    assert_eq!(seal().index(&line("securid-sealed-2 of a later kind")), Err(Fault::Newer(2)));
    let head = seal().head();
    for (text, sound) in [
        (head.replace('\n', "  \n").into_bytes(), false),
        (line("securid-sealed-0 a b"), false),
        (line("securid-sealed-x a b"), false),
        (line("another file"), false),
        (line(&format!("{} more", head.rsplit_once(' ').unwrap().0)), false),
        (head.into_bytes(), true),
    ] {
        let Err(Fault::Damaged(cause)) = seal().index(&text) else { panic!("{text:?}") };
        assert_eq!(cause.contains("first line"), !sound, "{cause}");
    }
}

#[test]
fn an_entry_opens_under_its_own_name_only() {
    let seal = seal();
    let entry = seal.entry(&id(1), b"AAAA").unwrap();
    assert!(seal.open_entry(&id(1), &entry).is_some());
    assert_eq!(seal.open_entry(&id(2), &entry), None);
    // As if somebody had put it where the other's is.
    let renamed = [id(2).as_str().as_bytes(), &entry[SessionId::LEN..]].concat();
    assert_eq!(seal.salvage(&renamed, &id(2)), None);
    let twice = seal.file(&[&entry, &entry]).unwrap();
    assert_eq!(seal.index(&twice), Err(Fault::Damaged("an entry is there twice")));
}

#[test]
fn nothing_of_a_secret_is_in_the_file_and_no_nonce_comes_twice() {
    let seal = seal();
    let (first, second) = (file(&seal, &two()), file(&seal, &two()));
    for (id, held) in two() {
        assert!(!first.windows(4).any(|part| part == &held[..4]));
        let range = seal.index(&first).unwrap()[&id].clone();
        assert_ne!(first[range.clone()], second[range]);
    }
}

/// A file of version 1 must open for ever.
#[test]
fn the_first_file_of_this_version_still_opens() {
    let digits: String = FIRST.split_whitespace().collect();
    let bytes: Vec<u8> = (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap())
        .collect();
    for (id, held) in two() {
        assert_eq!(secret(&seal(), &bytes, &id), Some(held));
    }
}

const FIRST: &str = "
    736563757269642d7365616c65642d31203934383762343031316466643832323620736563757269642d31376362
    32353033353939613135663320643663383731323338363939306635320a30303030303030303030303030303031
    320000002b424ef8f7ee3b5e74c94c38a50b297fff97d13f26d31ad374f4b5719cc089ee43cc931503e978a3b9ed
    2f6f315a3a1cf48730303030303030303030303030303032330000003b7bc06c80a8102313c85b57f1393a47caa1
    1d9f20d97e845fcbf35cf13630c9daee2b2bf890ba1f84f1abd7388d144bed5b0437955a9a810bbfb9418274a1b7
    ea04d562845f3322d30d194d5126e1ec936e8626c672629ec85526";
