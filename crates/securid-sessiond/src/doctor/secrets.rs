//! Whether records and secrets fit together. Of a store that can list its entries only names are asked for.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use securid_ipc::checks::CheckView;
use securid_ipc::messages::StatusView;
use securid_session::{Record, SessionId, Stage};
use securid_store::{
    DiskError, Identity, KeyPlace, Keyring, KeyringError, Namespace, SealedPlace, Sight, StoreKind,
};
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::keyring;
use crate::config::Config;
use crate::trouble;

/// How long after the first look, if something does not fit, a second one is taken: a daemon that runs may have been
/// at it just then, which takes some tenths of a second.
const AGAIN_AFTER: Duration = Duration::from_millis(700);

/// How many are told one by one.
const NAMED: usize = 5;

/// Looks at the keyring, the records, and both together.
pub(super) async fn look(
    config: Arc<Config>,
    state_dir: PathBuf,
    status: Option<StatusView>,
) -> Vec<CheckView> {
    let (sight, identity) = match (sight(&state_dir).await, Identity::read()) {
        (sight, Ok(identity)) => (sight, identity),
        (_, Err(error)) => return vec![unreadable(&error)],
    };
    let filed_under = match &sight {
        Ok(Some(sight)) => sight.filed_under.clone(),
        _ => state_dir.canonicalize().unwrap_or_else(|_| state_dir.clone()),
    };
    let key = KeyPlace::find(config.key_file.as_deref());
    let keyring = Keyring::system(
        Namespace::new(&identity.machine, &filed_under),
        SealedPlace::new(&state_dir, &identity, key.clone()),
    );
    let (mut checks, chosen) =
        keyring::look(&config, &keyring, key.as_ref(), status.as_ref()).await;
    let sight = match sight {
        Ok(Some(sight)) => sight,
        Ok(None) => {
            checks.push(CheckView::fine("records", "", "nothing is recorded yet"));
            return checks;
        }
        Err(error) => {
            checks.push(unreadable(&error));
            return checks;
        }
    };
    checks.extend(of_records(&sight));
    let mut stores: BTreeSet<&'static str> = chosen.iter().map(|kind| kind.name()).collect();
    stores.extend(key.iter().map(|_| StoreKind::SealedFile.name()));
    let mut seen = Seen::of(&keyring, &sight, &stores).await;
    if !seen.is_in_step() {
        sleep(AGAIN_AFTER).await;
        if let Ok(Some(later)) = self::sight(&state_dir).await {
            seen.keep_what_is_also_in(&Seen::of(&keyring, &later, &stores).await);
        }
    }
    checks.extend(seen.told(&sight, key.is_some(), status.as_ref()));
    checks
}

async fn sight(state_dir: &Path) -> Result<Option<Sight>, DiskError> {
    let folder = state_dir.to_owned();
    let looked = spawn_blocking(move || Sight::of(&folder, &Identity::read()?)).await;
    // It ends only with the program.
    looked.unwrap_or(Ok(None))
}

fn unreadable(error: &DiskError) -> CheckView {
    let hint = trouble::disk(error).data.hint.unwrap_or_default();
    CheckView::wrong("records", "", error.to_string()).then(hint)
}

/// The records by themselves.
fn of_records(sight: &Sight) -> Vec<CheckView> {
    let wrong = |message: String, next: &str| CheckView::wrong("records", "", message).then(next);
    let mut checks = Vec::new();
    for (path, why) in sight.damaged.iter().take(NAMED) {
        let message = format!("{} is damaged: {why}", path.display());
        let next =
            "securid-ctl restart: a start sets it aside, and revokes its token if it finds it.";
        checks.push(wrong(message, next));
    }
    for error in sight.unreadable.iter().take(NAMED) {
        checks.push(unreadable(error));
    }
    for path in sight.newer.iter().take(NAMED) {
        let message = format!("{} is of a newer version than this one", path.display());
        checks.push(wrong(message, "Start that version: this one leaves it alone."));
    }
    for path in sight.foreign.iter().take(NAMED) {
        let message = format!("{} is another machine's, in a home that both share", path.display());
        checks
            .push(wrong(message, "Run securid-ctl list on that machine: only it can revoke that."));
    }
    if sight.strange_lines > 0 {
        let message =
            format!("lines of the index of sessions are damaged: {}", sight.strange_lines);
        checks.push(wrong(message, "securid-ctl restart: a start sets a copy aside."));
    }
    if checks.is_empty() {
        let count = |which: fn(&Stage) -> bool| {
            sight.records.iter().filter(|record| which(&record.stage)).count()
        };
        let message = format!(
            "{} active, {} under revocation, all can be read",
            count(|stage| matches!(stage, Stage::Active)),
            count(|stage| matches!(stage, Stage::Revoking(_))),
        );
        checks.push(CheckView::fine("records", "", message));
    }
    checks
}

/// A session, and the store that is meant.
type At = (SessionId, &'static str);

/// What was found in the stores.
#[derive(Default)]
struct Seen {
    /// Recorded as alive, and not there.
    missing: BTreeSet<At>,
    /// There, and not recorded.
    orphans: BTreeSet<At>,
    /// Stores that did not say.
    mute: Vec<KeyringError>,
    /// Stores that the records name, and this build does not know.
    strange: BTreeSet<String>,
    /// Whether any store has said anything.
    has_looked: bool,
}

impl Seen {
    /// Looks into these stores, and into those that records or index name.
    async fn of(keyring: &Keyring, sight: &Sight, stores: &BTreeSet<&'static str>) -> Self {
        let mut seen = Self::default();
        let recorded = sight.records.iter().map(|record| record.about.keyring.as_str());
        let indexed = sight.unrecorded.iter().map(|(_, store)| store.as_str());
        let named: BTreeSet<&str> = recorded.chain(indexed).chain(stores.iter().copied()).collect();
        for name in named {
            match StoreKind::from_name(name) {
                Some(kind) => seen.look_into(keyring, kind, sight).await,
                None => drop(seen.strange.insert(name.to_owned())),
            }
        }
        seen
    }

    async fn look_into(&mut self, keyring: &Keyring, kind: StoreKind, sight: &Sight) {
        let name = kind.name();
        let alive = sight.records.iter().filter(|record| is_alive(record, name));
        let alive = alive.map(|record| &record.key.id);
        let indexed = sight.unrecorded.iter().filter(|(_, store)| store == name);
        let indexed = indexed.map(|(id, _)| id);
        let listed = keyring.ids(kind).await;
        self.has_looked |= listed.is_ok();
        match listed {
            Ok(Some(there)) => {
                let there: BTreeSet<_> = there.into_iter().collect();
                let missing = alive.filter(|id| !there.contains(*id));
                self.missing.extend(missing.map(|id| (id.clone(), name)));
                let orphans = there.iter().filter(|id| !sight.filed.contains(*id));
                self.orphans.extend(orphans.map(|id| (id.clone(), name)));
            }
            // It cannot list them: each is asked for.
            Ok(None) => {
                let asked = alive.map(|id| (id, true)).chain(indexed.map(|id| (id, false)));
                for (id, is_alive) in asked {
                    match keyring.entry(kind, id).await {
                        Ok(Some(_)) if !is_alive => drop(self.orphans.insert((id.clone(), name))),
                        Ok(None) if is_alive => drop(self.missing.insert((id.clone(), name))),
                        Ok(_) => {}
                        Err(error) => return self.mute.push(error),
                    }
                }
            }
            Err(error) => self.mute.push(error),
        }
    }

    fn is_in_step(&self) -> bool {
        self.missing.is_empty() && self.orphans.is_empty()
    }

    fn keep_what_is_also_in(&mut self, later: &Self) {
        self.missing.retain(|at| later.missing.contains(at));
        self.orphans.retain(|at| later.orphans.contains(at));
    }

    fn told(&self, sight: &Sight, has_key: bool, status: Option<&StatusView>) -> Vec<CheckView> {
        let mut checks = Vec::new();
        for (id, store) in self.missing.iter().take(NAMED) {
            let record = sight.records.iter().find(|record| record.key.id == *id);
            let instance = record.map_or("", |record| &record.about.instance);
            let message =
                format!("session {id} ({instance}) is recorded, and its token is not there");
            checks.push(CheckView::wrong("secrets", store, message).then(match status {
                // It may be out of this shell's sight only, and what is lent is in the daemon's memory: nobody may be
                // told to give up what can still be revoked.
                Some(status) if status.sessions.lost == 0 => format!(
                    "The daemon that runs misses none so far: securid-ctl logout {id} revokes it while that may have it."
                ),
                _ => format!(
                    "securid-ctl retry looks for it again; securid-ctl forget {id} --yes gives it up."
                ),
            }));
        }
        for (id, store) in self.orphans.iter().take(NAMED) {
            let message = format!("the token of session {id} is there, and no record of it");
            let next = match status {
                Some(_) => "securid-ctl restart: a start revokes it.",
                None => "securid-ctl start: a start revokes it.",
            };
            checks.push(CheckView::wrong("secrets", store, message).then(next));
        }
        let more =
            (self.missing.len().saturating_sub(NAMED)) + (self.orphans.len().saturating_sub(NAMED));
        if more > 0 {
            let message = format!("and {more} more that do not fit together");
            checks.push(CheckView::wrong("secrets", "", message).then("securid-ctl status"));
        }
        for error in &self.mute {
            let store = error.kind().name();
            // That of a unit of the system's is a credential, which nobody else sees.
            let is_the_daemon_s = !has_key && error.kind() == StoreKind::SealedFile;
            checks.push(match status.filter(|_| is_the_daemon_s) {
                Some(status) if status.sessions.lost == 0 && status.undecided == 0 => {
                    let message = "only the daemon has its key, and misses nothing";
                    CheckView::fine("secrets", store, message)
                }
                _ => CheckView::unknown("secrets", store, error.to_string()).then(error.hint()),
            });
        }
        for name in &self.strange {
            let message = "this version knows no such store, and records name it";
            checks.push(
                CheckView::wrong("secrets", name, message)
                    .then("Start the version that the sessions were made with."),
            );
        }
        if checks.is_empty() && self.has_looked {
            let message = "each record has its token, and each token its record";
            checks.push(CheckView::fine("secrets", "", message));
        }
        checks
    }
}

/// Whether it says that its token is in this store. What is on its way in or out need not be.
fn is_alive(record: &Record, store: &str) -> bool {
    record.about.keyring == store && matches!(record.stage, Stage::Active | Stage::Revoking(_))
}
