//! The daemon with or without a socket: a keeper that has taken up all that is recorded.

use std::sync::Arc;
use std::time::Duration;

use securid_ipc::messages::{Call, Reply};
use securid_ipc::server::{ConnectionId, Listener, serve};
use securid_session::Stage;
use securid_store::{
    Disk, History, KeyPlace, Keyring, Preference, SealedPlace, StateLock, StoreKind, crash,
};
use tokio::sync::{mpsc, oneshot};
use tracing::info;

use crate::audit::Audit;
use crate::config::{Config, LiveConfig, Sources};
use crate::descriptors;
use crate::desktop;
use crate::errands::Errands;
use crate::failure::Failure;
use crate::keeper::{End, Findings, Keeper, Message};
use crate::network;
use crate::relay::Relays;
use crate::reload::Reloading;
use crate::service::Desk;
use crate::signals::Signals;
use crate::state::{Found, State};
use crate::watchdog;

/// How long the audit may take for what waits at the end. Every end that it has not got then, the
/// next start tells it from the records.
const AUDIT_WITHIN: Duration = Duration::from_secs(2);

/// The same for an end that has no time left: `--drain` has to be over 3 s after its timeout, and 2 s of
/// these are the intents'.
const AUDIT_IN_HASTE: Duration = Duration::from_millis(500);

/// Everything that works on the sessions of one state folder.
pub(crate) struct Works {
    pub(crate) keeper: Keeper,
    pub(crate) config: LiveConfig,
    errands: Errands,
    incoming: mpsc::UnboundedReceiver<Message>,
    _lock: StateLock,
}

impl Works {
    /// Takes up what was found; `problems` are what is odd in the config, for people.
    ///
    /// # Errors
    /// If there are no random numbers, or no thread for the disk.
    pub(crate) fn take_up(
        state: State,
        config: Config,
        mut problems: Vec<String>,
    ) -> Result<Self, Failure> {
        let State { namespace, sealed, records, folder, found, lock } = state;
        let (inbox, incoming) = mpsc::unbounded_channel();
        let tell = inbox.clone();
        let ended =
            found.records.iter().filter(|(record, _)| matches!(record.stage, Stage::Ended(_)));
        let ended = ended.map(|(record, _)| record.key.clone());
        let history = History::open(&folder, config.history_keep, ended);
        let disk = Disk::start(records, history, move || {
            // The keeper is gone only when the daemon is.
            let _ = tell.send(Message::RecordsGone);
        });
        let key = KeyPlace::find(config.key_file.as_deref());
        let keyring = Keyring::system(namespace, SealedPlace { key, ..sealed });
        let audit = Audit::new(&config.audit);
        let errands = Errands::new(keyring, disk, audit, inbox);
        let live = LiveConfig::new(config);
        let config = live.now();
        let config_warnings = problems.clone();
        problems.extend(found.problems.iter().cloned());
        let (left_alone, unreadable) = (found.left_alone.clone(), found.unreadable);
        let findings = Findings { problems, config_warnings, left_alone, unreadable };
        let seed = getrandom::u64().map_err(Failure::Random)?;
        let mut keeper = Keeper::new(live.clone(), errands.clone(), findings, seed);
        restore(&mut keeper, found, config.keyring, &errands.keyring);
        errands.look_at_keyring(config.keyring);
        Ok(Self { keeper, config: live, errands, incoming, _lock: lock })
    }

    /// Asks how many sessions may be alive, from any other thread.
    pub(crate) fn count_alive(&self) -> impl Fn() -> Option<u32> + Send + use<> {
        let inbox = self.errands.inbox.clone();
        move || {
            let (reply, answer) = oneshot::channel();
            // It holds nothing, so it may have any client's number.
            let connection = ConnectionId(0);
            inbox.send(Message::Call { connection, call: Call::Status, reply }).ok()?;
            match answer.blocking_recv().ok()? {
                Ok(Reply::Status(status)) => Some(status.sessions.alive()),
                _ => None,
            }
        }
    }

    /// Works until the end, and serves clients where there is a listener. `reload_from`: where the
    /// config may be read anew; without it nothing new is taken in, for the daemon only drains.
    ///
    /// # Errors
    /// If the alarm clock or the server fails.
    pub(crate) async fn run(
        &mut self,
        mut signals: Signals,
        listener: Option<Listener>,
        reload_from: Option<Sources>,
    ) -> Result<End, Failure> {
        let (config, errands) = (self.config.clone(), self.errands.clone());
        let inbox = errands.inbox.clone();
        tokio::spawn(desktop::mind(self.keeper.wants_of_desktop(), inbox.clone()));
        tokio::spawn(network::mind(self.keeper.wants_of_network(), inbox.clone()));
        tokio::spawn(desktop::show(self.keeper.board()));
        let reloading = reload_from
            .map(|sources| Reloading::new(sources, inbox.clone(), self.keeper.manager()));
        let relays = Relays::default();
        let (reloads, calls) = (reloading.clone(), relays.clone());
        let desk = Arc::new(Desk { config, errands, reloading: reloads, relays: calls });
        let socket = listener.as_ref().map(|listener| listener.path().to_owned());
        let watchdog =
            socket.map(|socket| tokio::spawn(watchdog::feed(self.keeper.manager(), socket)));
        let wanted = self.keeper.server_wanted();
        let mut closed = listener.is_none();
        let mut server = tokio::spawn(async {
            if let Some(listener) = listener {
                serve(listener, desk, wanted, descriptors::for_clients()).await;
            }
        });
        let end = loop {
            tokio::select! {
                end = self.keeper.run(&mut self.incoming) => break end?,
                left = signals.end(|| reload_beside(reloading.as_ref())) => {
                    let _ = inbox.send(Message::Signal(left));
                }
                served = &mut server, if !closed => match served {
                    Ok(()) => {
                        closed = true;
                        self.keeper.leave();
                    }
                    // A call panicked: a half-dead daemon helps nobody.
                    Err(panicked) => {
                        let error = format!("the socket's task has ended: {panicked}");
                        return Err(std::io::Error::other(error).into());
                    }
                },
            }
        };
        crash::point("stop.over", "");
        if end != End::AtOnce {
            // Whoever still waits for an answer is told that there will be none.
            self.incoming.close();
            while self.incoming.try_recv().is_ok() {}
            self.keeper.say_goodbye();
            relays.close();
            if let Some(watchdog) = watchdog {
                watchdog.abort();
            }
            self.keeper.close();
            if !closed {
                let _ = server.await;
            }
            crash::point("stop.told", "");
        }
        self.errands.audit.finish(if end == End::AtRest { AUDIT_WITHIN } else { AUDIT_IN_HASTE });
        Ok(end)
    }
}

/// SIGHUP: nobody waits for the answer, and the log has it.
fn reload_beside(reloading: Option<&Reloading>) {
    match reloading.cloned() {
        Some(reloading) => drop(tokio::spawn(async move { reloading.reload().await })),
        None => info!("it only drains: the config is not read anew"),
    }
}

fn restore(keeper: &mut Keeper, found: Found, preference: Preference, keyring: &Keyring) {
    // Wherever secrets of ours may be: in the store for new ones, in the sealed file if there is a key
    // to it, and in the stores of the records.
    let mut kinds = vec![keyring.first(preference)];
    let sealed = Some(keyring.fallback()).filter(|kind| *kind == StoreKind::SealedFile);
    let recorded = found.records.iter().filter_map(|(r, _)| StoreKind::from_name(&r.about.keyring));
    let recorded = recorded.filter(|kind| kind.is_of_this_system());
    for kind in sealed.into_iter().chain(recorded) {
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    info!(records = found.records.len(), "taking up what is recorded");
    for (record, same_boot) in found.records {
        crash::point("load.restored", &record.key.id);
        keeper.restore(record, same_boot);
    }
    for kind in &kinds {
        keeper.look_for_orphans(*kind);
    }
    // Not every store can be searched, but the index tells what to look for.
    for (id, store) in found.unrecorded {
        match StoreKind::from_name(&store).filter(|kind| kind.is_of_this_system()) {
            Some(kind) => keeper.look_for_unrecorded(kind, id),
            None => keeper.cannot_look_for(&store, id),
        }
    }
    // Where the index is damaged too, a damaged record's file still tells the name.
    let kernel = StoreKind::Keyutils;
    if preference == Preference::Auto && kernel.is_of_this_system() && !kinds.contains(&kernel) {
        kinds.push(kernel);
    }
    for id in found.damaged {
        kinds.iter().for_each(|kind| keeper.look_for(*kind, id.clone()));
    }
}
