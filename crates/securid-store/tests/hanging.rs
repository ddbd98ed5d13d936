//! The keyring's thread against a store that does whatever the test wants, hanging included.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use securid_secret::SecretBytes;
use securid_session::{Generation, Key, SessionId};
use securid_store::{
    Backend, CALL_DEADLINE, Entry, EntryName, Keyring, KeyringError, Namespace, Preference,
    Readiness, StoreKind,
};

const SECRETS: StoreKind = StoreKind::SecretService;
const KERNEL: StoreKind = StoreKind::Keyutils;

/// What a fake store does at present.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mood {
    Well,
    Hangs,
    Locked,
    /// Locked, and a person who is asked thinks about it until the mood changes.
    Asks,
    Broken,
    Forgets,
}

#[derive(Clone)]
struct World(Arc<(Mutex<Inside>, Condvar)>);

struct Inside {
    moods: HashMap<StoreKind, Mood>,
    entries: HashMap<(StoreKind, String), Vec<u8>>,
    connections: u32,
    /// How many calls have been seen to begin.
    begun: u32,
}

impl World {
    fn new() -> (Self, Keyring) {
        let inside =
            Inside { moods: HashMap::new(), entries: HashMap::new(), connections: 0, begun: 0 };
        let world = Self(Arc::new((Mutex::new(inside), Condvar::new())));
        let connect = {
            let world = world.clone();
            move |kind| {
                world.0.0.lock().unwrap().connections += 1;
                Ok(Box::new(Fake { world: world.clone(), kind }) as Box<dyn Backend>)
            }
        };
        let namespace = Namespace::new("machine", &std::env::temp_dir());
        (world, Keyring::start(connect, namespace))
    }

    fn mood(&self, kind: StoreKind, mood: Mood) {
        self.0.0.lock().unwrap().moods.insert(kind, mood);
        self.0.1.notify_all();
    }

    fn entries(&self) -> usize {
        self.0.0.lock().unwrap().entries.len()
    }

    fn connections(&self) -> u32 {
        self.0.0.lock().unwrap().connections
    }

    /// Waits, for at most 10 s, until the fake's state is as wanted.
    fn until(&self, wanted: impl Fn(&Inside) -> bool) {
        let guard = self.0.0.lock().unwrap();
        let (_guard, waited) = self
            .0
            .1
            .wait_timeout_while(guard, Duration::from_secs(10), |inside| !wanted(inside))
            .unwrap();
        assert!(!waited.timed_out(), "the store never came to that");
    }
}

struct Fake {
    world: World,
    kind: StoreKind,
}

impl Fake {
    fn begin(&self, asked: bool) -> Result<std::sync::MutexGuard<'_, Inside>, KeyringError> {
        let (kind, cause) = (self.kind, "by the test".to_owned());
        let mut inside = self.world.0.0.lock().unwrap();
        inside.begun += 1;
        self.world.0.1.notify_all();
        let waits = |inside: &mut Inside| match inside.moods.get(&kind) {
            Some(Mood::Hangs) => true,
            Some(Mood::Asks) => asked,
            _ => false,
        };
        let inside = self.world.0.1.wait_while(inside, waits).unwrap();
        match inside.moods.get(&kind) {
            Some(Mood::Locked | Mood::Asks) => Err(KeyringError::Locked { kind, cause }),
            Some(Mood::Broken) => Err(KeyringError::Unavailable { kind, cause, hint: "" }),
            _ => Ok(inside),
        }
    }
}

impl Backend for Fake {
    fn check(&mut self, interactive: bool) -> Result<(), KeyringError> {
        self.begin(interactive).map(drop)
    }

    fn put(&mut self, name: EntryName<'_>, label: &str, secret: &[u8]) -> Result<(), KeyringError> {
        assert!(!label.contains("token"), "a label is no secret");
        let mut inside = self.begin(false)?;
        if inside.moods.get(&self.kind) != Some(&Mood::Forgets) {
            inside.entries.insert((self.kind, name.to_string()), secret.to_vec());
            self.world.0.1.notify_all();
        }
        Ok(())
    }

    fn get(&mut self, name: EntryName<'_>) -> Result<Option<SecretBytes>, KeyringError> {
        let inside = self.begin(false)?;
        Ok(inside.entries.get(&(self.kind, name.to_string())).cloned().map(SecretBytes::from))
    }

    fn delete(&mut self, name: EntryName<'_>) -> Result<(), KeyringError> {
        self.begin(false)?.entries.remove(&(self.kind, name.to_string()));
        self.world.0.1.notify_all();
        Ok(())
    }

    fn names(&mut self, _: &Namespace) -> Result<Option<Vec<SessionId>>, KeyringError> {
        Ok(None)
    }
}

fn entry(id: u64) -> Entry {
    Entry {
        key: Key { id: SessionId::from_bits(id), generation: Generation(1) },
        origin: "https://igl.example/aveksa/command.submit".to_owned(),
        token: SecretBytes::from(format!("token-{id}").into_bytes()),
    }
}

fn is_unresponsive<T>(result: &Result<T, KeyringError>) -> bool {
    matches!(result, Err(KeyringError::Unresponsive { .. }))
}

fn is_locked<T>(result: &Result<T, KeyringError>) -> bool {
    matches!(result, Err(KeyringError::Locked { .. }))
}

/// Hangs a call without waiting for it: on a stopped clock, which jumps to the deadline as soon as the
/// store has been called. (As long as a blocking task runs, tokio lets the clock stand.)
async fn in_no_time<T>(world: &World, call: impl Future<Output = T>) -> T {
    tokio::time::pause();
    let seen = world.0.0.lock().unwrap().begun;
    let hold = tokio::task::spawn_blocking({
        let world = world.clone();
        move || world.until(|inside| inside.begun > seen)
    });
    let began = tokio::time::Instant::now();
    let result = call.await;
    let waited = began.elapsed();
    hold.await.unwrap();
    tokio::time::resume();
    assert!(waited <= CALL_DEADLINE + Duration::from_millis(2), "took {waited:?}");
    result
}

#[tokio::test]
async fn a_hung_store_fails_in_time_and_disturbs_no_other() {
    let (world, keyring) = World::new();
    world.mood(SECRETS, Mood::Hangs);
    assert!(is_unresponsive(&in_no_time(&world, keyring.put(SECRETS, entry(1))).await));
    assert_eq!(keyring.state(SECRETS), Some(Readiness::Unavailable));

    let began = Instant::now();
    assert!(is_unresponsive(&keyring.fetch(SECRETS, &entry(1).key).await));
    keyring.put(KERNEL, entry(2)).await.unwrap();
    assert_eq!(keyring.fetch(KERNEL, &entry(2).key).await.unwrap(), Some(entry(2)));
    assert!(began.elapsed() < Duration::from_secs(2), "that should not have waited");
    assert_eq!(keyring.state(KERNEL), Some(Readiness::Ready));
}

#[tokio::test]
async fn a_put_that_completes_too_late_is_undone() {
    let (world, keyring) = World::new();
    world.mood(SECRETS, Mood::Hangs);
    assert!(is_unresponsive(&in_no_time(&world, keyring.put(SECRETS, entry(1))).await));
    world.mood(SECRETS, Mood::Well);
    // put, read back, read again before the undoing, delete.
    world.until(|inside| inside.begun == 4 && inside.entries.is_empty());
}

#[tokio::test]
async fn a_put_whose_caller_has_gone_is_undone() {
    let (world, keyring) = World::new();
    world.mood(SECRETS, Mood::Hangs);
    let call = tokio::spawn({
        let keyring = keyring.clone();
        async move { keyring.put(SECRETS, entry(1)).await }
    });
    tokio::task::yield_now().await;
    world.until(|inside| inside.begun == 1);
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    world.mood(SECRETS, Mood::Well);
    world.until(|inside| inside.begun == 4 && inside.entries.is_empty());
}

#[tokio::test]
async fn calls_behind_a_hung_one_move_to_the_fresh_thread() {
    let (world, keyring) = World::new();
    world.mood(SECRETS, Mood::Hangs);
    tokio::time::pause();
    let spawn = |kind, id| {
        let keyring = keyring.clone();
        tokio::spawn(async move { keyring.put(kind, entry(id)).await })
    };
    let hung = spawn(SECRETS, 1);
    tokio::task::yield_now().await;
    world.until(|inside| inside.begun == 1);
    tokio::time::advance(Duration::from_secs(3)).await;
    let (behind, elsewhere) = (spawn(SECRETS, 2), spawn(KERNEL, 3));
    tokio::task::yield_now().await;
    tokio::time::advance(Duration::from_secs(2)).await;
    tokio::time::resume();
    assert!(is_unresponsive(&hung.await.unwrap()));
    assert!(is_unresponsive(&behind.await.unwrap()), "the same store hangs");
    elsewhere.await.unwrap().unwrap();
    assert_eq!(world.entries(), 1);
}

#[tokio::test]
async fn an_entry_with_a_change_in_limbo_is_not_written_again() {
    let (world, keyring) = World::new();
    world.mood(SECRETS, Mood::Hangs);
    assert!(is_unresponsive(&in_no_time(&world, keyring.delete(SECRETS, &entry(1).key.id)).await));
    // Only the cool-down of the store hides this rule, so wait it out.
    tokio::time::sleep(CALL_DEADLINE + Duration::from_millis(100)).await;
    let began = Instant::now();
    let refused = keyring.put(SECRETS, entry(1)).await.unwrap_err();
    assert!(refused.to_string().contains("an earlier change of this entry"), "{refused}");
    assert!(began.elapsed() < Duration::from_secs(2));
    world.mood(SECRETS, Mood::Well);
    world.until(|inside| inside.begun == 1);
    keyring.put(SECRETS, entry(2)).await.unwrap();
}

#[tokio::test]
async fn an_open_prompt_blocks_nobody() {
    let (world, keyring) = World::new();
    world.mood(SECRETS, Mood::Asks);
    let login = tokio::spawn({
        let keyring = keyring.clone();
        async move { keyring.choose(Preference::Auto, true).await }
    });
    let limit = Instant::now() + Duration::from_secs(10);
    while world.0.0.lock().unwrap().begun < 2 {
        assert!(Instant::now() < limit, "nobody was asked");
        tokio::task::yield_now().await;
    }
    let refused = keyring.fetch(SECRETS, &entry(1).key).await.unwrap_err();
    assert!(refused.to_string().ends_with("an unlock prompt is open"), "{refused}");
    assert!(
        is_locked(&keyring.choose(Preference::Auto, true).await),
        "there is one prompt at a time"
    );
    assert_eq!(keyring.state(SECRETS), Some(Readiness::Locked));
    keyring.put(KERNEL, entry(2)).await.unwrap();

    world.mood(SECRETS, Mood::Well);
    assert_eq!(login.await.unwrap(), Ok(SECRETS));
    keyring.put(SECRETS, entry(1)).await.unwrap();
    assert_eq!(keyring.state(SECRETS), Some(Readiness::Ready));
}

#[tokio::test]
async fn a_person_is_not_waited_for_without_limit() {
    let (world, keyring) = World::new();
    world.mood(SECRETS, Mood::Asks);
    tokio::time::pause();
    let began = tokio::time::Instant::now();
    // The first look is answered by the thread, for which a stopped clock does not wait.
    let hold = tokio::task::spawn_blocking({
        let world = world.clone();
        move || world.until(|inside| inside.begun == 2)
    });
    let refused = keyring.choose(Preference::Auto, true).await;
    assert!(is_locked(&refused), "{refused:?}");
    assert!(began.elapsed() <= Duration::from_secs(61), "{:?}", began.elapsed());
    hold.await.unwrap();
    tokio::time::resume();

    // The prompt stays, and there is no second one; but it keeps nobody from the store.
    let second = keyring.choose(Preference::Auto, true).await.unwrap_err();
    assert!(second.to_string().ends_with("an unlock prompt is open"), "{second}");
    let tried = keyring.fetch(SECRETS, &entry(1).key).await.unwrap_err();
    assert!(tried.to_string().ends_with("by the test"), "{tried}");

    // Answered late, it makes room for the next.
    world.mood(SECRETS, Mood::Locked);
    let limit = Instant::now() + Duration::from_secs(10);
    while !keyring
        .choose(Preference::Auto, true)
        .await
        .unwrap_err()
        .to_string()
        .ends_with("by the test")
    {
        assert!(Instant::now() < limit, "the first prompt never ends");
    }
}

#[tokio::test]
async fn a_prompt_whose_asker_has_gone_keeps_nobody_from_the_store() {
    let (world, keyring) = World::new();
    world.mood(SECRETS, Mood::Asks);
    let login = tokio::spawn({
        let keyring = keyring.clone();
        async move { keyring.choose(Preference::Auto, true).await }
    });
    let limit = Instant::now() + Duration::from_secs(10);
    while world.0.0.lock().unwrap().begun < 2 {
        assert!(Instant::now() < limit, "nobody was asked");
        tokio::task::yield_now().await;
    }
    login.abort();
    assert!(login.await.unwrap_err().is_cancelled());
    let tried = keyring.fetch(SECRETS, &entry(1).key).await.unwrap_err();
    assert!(tried.to_string().ends_with("by the test"), "{tried}");
    world.mood(SECRETS, Mood::Well);
}

#[tokio::test]
async fn auto_prefers_a_secret_service_that_answers() {
    let (world, keyring) = World::new();
    assert_eq!(keyring.choose(Preference::Auto, false).await, Ok(SECRETS));
    world.mood(SECRETS, Mood::Locked);
    assert!(is_locked(&keyring.choose(Preference::Auto, false).await));
    assert!(is_locked(&keyring.choose(Preference::Auto, true).await));
    world.mood(SECRETS, Mood::Broken);
    assert_eq!(keyring.choose(Preference::Auto, false).await, Ok(KERNEL));
    let fixed = keyring.choose(Preference::Fixed(SECRETS), false).await;
    assert!(matches!(fixed, Err(KeyringError::Unavailable { .. })), "{fixed:?}");
    world.mood(KERNEL, Mood::Broken);
    let neither = keyring.choose(Preference::Auto, false).await.unwrap_err();
    assert_eq!(neither.kind(), KERNEL);
}

#[tokio::test]
async fn locked_and_broken_are_never_absent() {
    let (world, keyring) = World::new();
    keyring.put(SECRETS, entry(1)).await.unwrap();
    world.mood(SECRETS, Mood::Locked);
    assert!(is_locked(&keyring.fetch(SECRETS, &entry(1).key).await));
    assert!(is_locked(&keyring.delete(SECRETS, &entry(1).key.id).await));
    assert_eq!(keyring.state(SECRETS), Some(Readiness::Locked));
    world.mood(SECRETS, Mood::Broken);
    let broken = keyring.fetch(SECRETS, &entry(1).key).await;
    assert!(matches!(broken, Err(KeyringError::Unavailable { .. })));
    world.mood(SECRETS, Mood::Well);
    assert_eq!(keyring.fetch(SECRETS, &entry(1).key).await.unwrap(), Some(entry(1)));
}

#[tokio::test]
async fn a_failure_drops_the_connection_and_locking_does_not() {
    let (world, keyring) = World::new();
    keyring.put(SECRETS, entry(1)).await.unwrap();
    world.mood(SECRETS, Mood::Locked);
    let _ = keyring.fetch(SECRETS, &entry(1).key).await;
    assert_eq!(world.connections(), 1);
    world.mood(SECRETS, Mood::Broken);
    let _ = keyring.fetch(SECRETS, &entry(1).key).await;
    world.mood(SECRETS, Mood::Well);
    keyring.fetch(SECRETS, &entry(1).key).await.unwrap();
    assert_eq!(world.connections(), 2);
}

#[tokio::test]
async fn what_is_not_kept_is_not_acknowledged() {
    let (world, keyring) = World::new();
    world.mood(SECRETS, Mood::Forgets);
    let kept = keyring.put(SECRETS, entry(1)).await;
    assert_eq!(kept, Err(KeyringError::NotKept { kind: SECRETS }));
}

#[tokio::test]
async fn another_token_under_the_same_name_is_not_handed_out() {
    let (world, keyring) = World::new();
    keyring.put(SECRETS, entry(1)).await.unwrap();
    let asked = Key { generation: Generation(2), ..entry(1).key };
    let other = keyring.fetch(SECRETS, &asked).await.unwrap_err();
    assert_eq!(
        other,
        KeyringError::Mismatch { kind: SECRETS, asked: asked.clone(), found: entry(1).key }
    );
    assert!(!other.to_string().contains("token-1"));

    for bytes in world.0.0.lock().unwrap().entries.values_mut() {
        bytes.pop();
    }
    let damaged = keyring.fetch(SECRETS, &entry(1).key).await;
    assert!(matches!(damaged, Err(KeyringError::Damaged { .. })), "{damaged:?}");
}
