//! Over a vault that fails, or dies, after any of its calls.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use super::set::PIECE;
use super::*;

/// What is in a vault outlives whoever has it open.
type Inside = Arc<Mutex<Credentials>>;

/// Secrets by their names.
type Credentials = BTreeMap<String, Vec<u8>>;

/// When a call fails, counted from 1, and what comes of it.
#[derive(Clone, Copy)]
enum Fault {
    Never,
    /// Just that one, before anything is done.
    Refused(u32),
    /// Just that one, though all is done.
    Done(u32),
    /// That one and all later ones: whoever calls has died before it.
    Dead(u32),
}

struct Fake {
    inside: Inside,
    fault: Fault,
    calls: u32,
    /// Done before the call of this number, by somebody else.
    meanwhile: Option<(u32, Box<dyn FnMut() + Send>)>,
    /// Left out when names are listed, though it is there.
    unlisted: Option<String>,
}

impl Fake {
    fn call<T>(&mut self, work: impl FnOnce(&mut Credentials) -> T) -> io::Result<T> {
        self.calls += 1;
        if let Some((at, act)) = &mut self.meanwhile
            && *at == self.calls
        {
            act();
        }
        let (before, after) = match self.fault {
            Fault::Never => (false, false),
            Fault::Refused(at) => (self.calls == at, false),
            Fault::Done(at) => (false, self.calls == at),
            Fault::Dead(at) => (self.calls >= at, false),
        };
        let refused = || Err(io::Error::other("the fault of the test"));
        if before {
            return refused();
        }
        let done = work(&mut self.inside.lock().unwrap());
        if after { refused() } else { Ok(done) }
    }
}

impl Vault for Fake {
    fn write(&mut self, name: &str, _: &str, secret: &[u8]) -> io::Result<()> {
        assert!(secret.len() <= 2_560, "{}", secret.len());
        self.call(|inside| drop(inside.insert(name.to_owned(), secret.to_vec())))
    }

    fn read(&mut self, name: &str) -> io::Result<Option<SecretBytes>> {
        self.call(|inside| inside.get(name).map(|bytes| SecretBytes::from(&bytes[..])))
    }

    fn delete(&mut self, name: &str) -> io::Result<()> {
        self.call(|inside| drop(inside.remove(name)))
    }

    fn names(&mut self, beginning: &str) -> io::Result<Vec<String>> {
        let unlisted = self.unlisted.clone();
        let ours = |name: &&String| name.starts_with(beginning) && Some(*name) != unlisted.as_ref();
        self.call(|inside| inside.keys().filter(ours).cloned().collect())
    }
}

fn open(inside: &Inside, fault: Fault) -> CredentialManager<Fake> {
    let inside = Arc::clone(inside);
    let (calls, meanwhile, unlisted) = (0, None, None);
    CredentialManager { vault: Fake { inside, fault, calls, meanwhile, unlisted } }
}

fn namespace() -> Namespace {
    Namespace::new("machine", Path::new("/state"))
}

fn id(bits: u64) -> SessionId {
    SessionId::from_bits(bits)
}

fn get(inside: &Inside, name: EntryName<'_>) -> Option<Vec<u8>> {
    open(inside, Fault::Never).get(name).unwrap().map(|secret| secret.to_vec())
}

/// Of every sort of length: one part, just one, two, several.
fn lengths() -> [usize; 7] {
    [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 4 * PIECE + 7]
}

#[test]
fn whatever_fails_leaves_the_old_one_or_the_new_one() {
    let (namespace, session) = (namespace(), id(1));
    let name = EntryName { namespace: &namespace, id: &session };
    for old in [None].into_iter().chain(lengths().map(Some)) {
        for new in lengths() {
            let (old, new) = (old.map(|length| vec![b'o'; length]), vec![b'n'; new]);
            for fault in [Fault::Refused, Fault::Done, Fault::Dead] {
                let mut at = 1;
                loop {
                    let inside = Inside::default();
                    if let Some(old) = &old {
                        open(&inside, Fault::Never).put(name, "label", old).unwrap();
                    }
                    let mut faulty = open(&inside, fault(at));
                    let told = faulty.put(name, "label", &new);
                    let found = get(&inside, name);
                    let is_new = found.as_ref() == Some(&new);
                    assert!(is_new || found == old, "{at}: a mixture");
                    assert!(is_new || told.is_err(), "{at}: it was not stored");

                    let over = faulty.vault.calls < at;
                    // Whatever was left over goes: if there is none, with the next search, else with the next change.
                    if found.is_none() {
                        open(&inside, Fault::Never).tidy(&namespace);
                        assert!(inside.lock().unwrap().is_empty(), "{at}: something stays");
                    }
                    open(&inside, Fault::Never).put(name, "label", b"last").unwrap();
                    assert_eq!(inside.lock().unwrap().len(), 1, "{at}: something stays");
                    if over {
                        break;
                    }
                    at += 1;
                }
            }
        }
    }
}

#[test]
fn what_is_deleted_is_whole_or_gone() {
    let (namespace, session) = (namespace(), id(1));
    let name = EntryName { namespace: &namespace, id: &session };
    for length in lengths() {
        let old = vec![b'o'; length];
        for fault in [Fault::Refused, Fault::Done, Fault::Dead] {
            let mut at = 1;
            loop {
                let inside = Inside::default();
                open(&inside, Fault::Never).put(name, "label", &old).unwrap();
                let mut faulty = open(&inside, fault(at));
                let told = faulty.delete(name);
                assert!(get(&inside, name).is_none_or(|found| found == old), "{at}: a mixture");
                assert!(told.is_err() || inside.lock().unwrap().is_empty(), "{at}: parts stay");
                open(&inside, Fault::Never).delete(name).unwrap();
                assert!(inside.lock().unwrap().is_empty());
                if faulty.vault.calls < at {
                    break;
                }
                at += 1;
            }
        }
    }
}

/// What is no name of ours, wherever it stands in the list, is neither touched nor does it have others taken for what they
/// are not.
#[test]
fn only_what_is_left_over_is_swept() {
    let (namespace, sessions) = (namespace(), [1, 2, 3].map(id));
    let [first, dead, last] = sessions.each_ref().map(|id| EntryName { namespace: &namespace, id });
    let inside = Inside::default();
    for name in [first, last] {
        open(&inside, Fault::Never).put(name, "label", &[b'x'; 6_000]).unwrap();
    }
    open(&inside, Fault::Dead(3)).put(dead, "label", &[b'x'; 6_000]).unwrap_err();
    let begin = beginning(&namespace);
    let foreign = [format!("{begin}!note"), format!("{first}!"), format!("{last}:note")];
    for name in &foreign {
        inside.lock().unwrap().insert(name.clone(), b"foreign".to_vec());
    }
    // A change of one entry does nothing to others; a search takes what is nobody's.
    open(&inside, Fault::Never).put(first, "label", &[b'x'; 6_000]).unwrap();
    assert!(inside.lock().unwrap().keys().any(|name| name.starts_with(&dead.to_string())));
    open(&inside, Fault::Never).tidy(&namespace);
    for name in [first, last] {
        assert_eq!(get(&inside, name), Some(vec![b'x'; 6_000]), "{name}");
    }
    let left = inside.lock().unwrap();
    assert!(foreign.iter().all(|name| left.contains_key(name)));
    assert!(!left.keys().any(|name| name.starts_with(&dead.to_string())), "something stays");
}

/// Lists have gaps where others change credentials meanwhile (Wine's do).
#[test]
fn what_is_not_listed_is_not_therefore_dead() {
    let (namespace, session) = (namespace(), id(1));
    let name = EntryName { namespace: &namespace, id: &session };
    let inside = Inside::default();
    open(&inside, Fault::Never).put(name, "label", &[b'x'; 6_000]).unwrap();
    let mut searching = open(&inside, Fault::Never);
    searching.vault.unlisted = Some(name.to_string());
    searching.tidy(&namespace);
    assert_eq!(get(&inside, name), Some(vec![b'x'; 6_000]));
}

/// What cannot be tidied stays, whole ones above all.
#[test]
fn whatever_fails_while_it_is_tidied_harms_none() {
    let (namespace, sessions) = (namespace(), [1, 2].map(id));
    let [whole, dead] = sessions.each_ref().map(|id| EntryName { namespace: &namespace, id });
    for fault in [Fault::Refused, Fault::Done, Fault::Dead] {
        for at in 1..=6 {
            let inside = Inside::default();
            open(&inside, Fault::Never).put(whole, "label", &[b'x'; 6_000]).unwrap();
            open(&inside, Fault::Dead(3)).put(dead, "label", &[b'x'; 9_000]).unwrap_err();
            let mut faulty = open(&inside, fault(at));
            faulty.tidy(&namespace);
            assert_eq!(get(&inside, whole), Some(vec![b'x'; 6_000]), "{at}");
            open(&inside, Fault::Never).tidy(&namespace);
            assert_eq!(inside.lock().unwrap().len(), 3, "{at}: something stays");
        }
    }
}

/// A session is told once, however many parts its secret has, and parts alone are no session.
#[test]
fn only_whole_ones_have_names() {
    let (ours, other) = (namespace(), Namespace::new("another", Path::new("/state")));
    let inside = Inside::default();
    for (namespace, bits, length) in [(&ours, 1, 10), (&ours, 2, 9_000), (&other, 3, 9_000)] {
        let name = EntryName { namespace, id: &id(bits) };
        open(&inside, Fault::Never).put(name, "label", &vec![b'x'; length]).unwrap();
    }
    let unfinished = EntryName { namespace: &ours, id: &id(4) };
    open(&inside, Fault::Dead(3)).put(unfinished, "label", &[b'x'; 9_000]).unwrap_err();
    for (namespace, expected) in [(&ours, vec![id(1), id(2)]), (&other, vec![id(3)])] {
        assert_eq!(open(&inside, Fault::Never).names(namespace).unwrap(), Some(expected));
    }
    assert_eq!(get(&inside, unfinished), None);
}

#[test]
fn what_is_missing_or_changed_is_never_a_secret() {
    let (namespace, session) = (namespace(), id(1));
    let name = EntryName { namespace: &namespace, id: &session };
    let inside = Inside::default();
    open(&inside, Fault::Never).put(name, "label", &[b'x'; 6_000]).unwrap();
    let whole = inside.lock().unwrap().clone();
    for (part, bytes) in &whole {
        let broken = |change: &dyn Fn(&mut Credentials)| {
            let mut changed = whole.clone();
            change(&mut changed);
            let inside = Arc::new(Mutex::new(changed));
            open(&inside, Fault::Never).get(name).map(|found| found.map(|secret| secret.len()))
        };
        let is_damaged = |told: Result<_, KeyringError>| {
            assert!(matches!(told, Err(KeyringError::Damaged { .. })), "{part}: {told:?}");
        };
        if *part != name.to_string() {
            is_damaged(broken(&|inside| drop(inside.remove(part))));
        }
        for at in (0..100).chain([bytes.len() - 1]) {
            is_damaged(broken(&|inside| inside.get_mut(part).unwrap()[at] ^= 1));
            is_damaged(broken(&|inside| inside.get_mut(part).unwrap().truncate(at)));
        }
        let another = whole.values().find(|other| *other != bytes).unwrap();
        is_damaged(broken(&|inside| drop(inside.insert(part.clone(), another.clone()))));
    }
}

/// Whoever reads while it is replaced, or deleted, gets one of the two.
#[test]
fn a_set_that_is_replaced_while_it_is_read_is_read_again() {
    let (namespace, session) = (namespace(), id(1));
    let inside = Inside::default();
    for at in 1..=4 {
        for replaced in [true, false] {
            let name = EntryName { namespace: &namespace, id: &session };
            open(&inside, Fault::Never).put(name, "label", &[b'o'; 6_000]).unwrap();
            let mut reader = open(&inside, Fault::Never);
            let (there, namespace, session) =
                (Arc::clone(&inside), namespace.clone(), session.clone());
            let change = move || {
                let name = EntryName { namespace: &namespace, id: &session };
                let mut writer = open(&there, Fault::Never);
                if replaced {
                    writer.put(name, "label", &[b'n'; 7_000]).unwrap();
                } else {
                    writer.delete(name).unwrap();
                }
            };
            reader.vault.meanwhile = Some((at, Box::new(change)));
            let found = reader.get(name).unwrap().map(|secret| secret.to_vec());
            let one_of = [Some(vec![b'o'; 6_000]), replaced.then(|| vec![b'n'; 7_000])];
            assert!(one_of.contains(&found), "{at}");
        }
    }
}

#[test]
fn only_what_is_not_there_is_absent() {
    let (namespace, session) = (namespace(), id(1));
    let name = EntryName { namespace: &namespace, id: &session };
    let told = open(&Inside::default(), Fault::Refused(1)).get(name);
    assert!(matches!(told, Err(KeyringError::Unavailable { .. })), "{told:?}");
    let error = failure(&io::Error::from_raw_os_error(NO_LOGON));
    assert!(error.to_string().contains("this logon has no credentials"), "{error}");
    assert!(error.hint().contains("sealed-file"), "{}", error.hint());
    for code in FULL {
        let full = failure(&io::Error::from_raw_os_error(code));
        assert!(matches!(full, KeyringError::Full { .. }), "{full:?}");
    }
}
