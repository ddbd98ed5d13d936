//! The order in which everything comes up and goes down.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use securid_ipc::paths::Paths;
use securid_ipc::server::{BindError, Listener, serve};
use securid_store::{
    Disk, DiskError, DiskErrorKind, History, Identity, Keyring, Loaded, LockError, Namespace,
    Preference, RecordFolder, StateLock, StoreKind, crash,
};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, oneshot};
use tracing::{info, warn};

use crate::args::Args;
use crate::config::{self, Config, Fault};
use crate::errands::Errands;
use crate::keeper::{End, Findings, Keeper, Message};
use crate::service::Desk;

/// The exit status for a bad config (sysexits' EX_CONFIG); systemd is told not to restart on it.
const BAD_CONFIG: u8 = 78;
/// For a keyring or disk that cannot be used (EX_IOERR).
const STORAGE_FAILED: u8 = 74;

/// Why the daemon does not start, or ends badly.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{}", list(.0))]
    Config(Vec<Fault>),
    #[error("{0}\nStop that daemon first, or name another --state-dir.")]
    Held(LockError),
    #[error("{error}\n{hint}", error = .0, hint = hint(.0))]
    Disk(#[from] DiskError),
    #[error("{0}\nStop that daemon first, or name another --socket.")]
    InUse(BindError),
    #[error("{0}")]
    Bind(BindError),
    #[error("{0}")]
    Paths(#[from] securid_ipc::paths::PathError),
    #[error("the system refuses what the daemon needs: {0}")]
    System(#[from] std::io::Error),
    #[error("no random numbers: {0}")]
    Random(getrandom::Error),
}

fn list(faults: &[Fault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// What to do at a start; while it runs, other things can be wrong with a folder.
fn hint(error: &DiskError) -> String {
    match error.kind {
        DiskErrorKind::Gone | DiskErrorKind::Other | DiskErrorKind::Stopped => {
            "Name another folder with --state-dir.".to_owned()
        }
        _ => crate::trouble::disk(error).data.hint.unwrap_or_default(),
    }
}

impl Failure {
    fn exit_code(&self) -> u8 {
        match self {
            Self::Config(_) => BAD_CONFIG,
            Self::Disk(_) => STORAGE_FAILED,
            _ => 1,
        }
    }
}

/// Runs the daemon to its end.
pub(crate) fn main(args: Args) -> ExitCode {
    let log = crate::log::start(args.log);
    let end = run(&args);
    // What was told before comes before what follows.
    drop(log);
    match end {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("securid-sessiond: {failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}

fn run(args: &Args) -> Result<(), Failure> {
    let paths = Paths::from_environment(&args.overrides())?;
    let loaded = config::load(&paths.config, args.check_config).map_err(Failure::Config)?;
    for warning in &loaded.warnings {
        warn!("{warning}");
    }
    if args.check_config {
        println!("the config is good");
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let end = runtime.block_on(daemon(&paths, loaded));
    // A name service that hangs must not hold the exit up.
    runtime.shutdown_background();
    end
}

async fn daemon(paths: &Paths, loaded: config::Loaded) -> Result<(), Failure> {
    // First of all, so that a stop that comes while records are read is not the default death.
    let mut stop_signals = [signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?];
    // A terminal that closes takes no daemon with it: tokens would be left behind, alive.
    let mut hang_up = signal(SignalKind::hangup())?;
    let lock = StateLock::take(&paths.state_dir).map_err(|error| match error {
        LockError::Held { .. } => Failure::Held(error),
        LockError::Disk(error) => Failure::Disk(error),
    })?;
    crash::point("load.locked", "");
    let identity = Identity::read()?;
    let namespace = Namespace::new(&identity.machine, &paths.state_dir)?;
    let mut records = RecordFolder::open(&paths.state_dir, identity)?;
    let found = records.load()?;
    crash::point("load.read", found.len());
    let config = Arc::new(loaded.config);

    let (inbox, mut incoming) = mpsc::unbounded_channel();
    let keeper_inbox = inbox.clone();
    let disk = Disk::start(records, History::open(&paths.state_dir), move || {
        // The keeper is gone only when the daemon is.
        let _ = keeper_inbox.send(Message::RecordsGone);
    })?;
    let errands = Errands::new(Keyring::system(namespace), disk, inbox.clone());
    let warnings = loaded.warnings.iter().map(ToString::to_string);
    let problems = warnings.chain(set_aside(&paths.state_dir)).collect();
    let mut keeper = keeper(&config, &errands, found, problems)?;
    let listener = listen(paths)?;
    crash::point("load.listening", "");
    info!(socket = %listener.path().display(), version = securid_ipc::VERSION, "ready");

    let desk = Arc::new(Desk { config: Arc::clone(&config), errands });
    let (close, closed) = oneshot::channel::<()>();
    let mut server = tokio::spawn(serve(listener, desk, async {
        let _ = closed.await;
    }));
    let [terminate, interrupt] = &mut stop_signals;
    let signals = async {
        loop {
            tokio::select! {
                Some(()) = terminate.recv() => {}
                Some(()) = interrupt.recv() => {}
                Some(()) = hang_up.recv() => {
                    info!("the terminal has gone; going on");
                    continue;
                }
                else => std::future::pending().await,
            }
            let _ = inbox.send(Message::Signal);
        }
    };
    let end = tokio::select! {
        end = keeper.run(&mut incoming) => end?,
        () = signals => End::AtOnce,
        panicked = &mut server => {
            // It ends by itself only if a call panicked: a half-dead daemon helps nobody.
            return Err(std::io::Error::other(format!("the server ended: {panicked:?}")).into());
        }
    };
    crash::point("stop.over", "");
    if end != End::AtOnce {
        // Whoever still waits for an answer is told that there will be none.
        drop(incoming);
        keeper.say_goodbye();
        let _ = close.send(());
        let _ = server.await;
    }
    crash::point("stop.told", "");
    tell(end);
    drop(lock);
    Ok(())
}

fn tell(end: End) {
    match end {
        End::AtRest => info!("stopped"),
        End::GraceOver => warn!("stopped with revocations unconfirmed: the next start goes on"),
        End::AtOnce => warn!("stopped at once: the next start goes on"),
    }
}

/// A keeper that has taken up all that is recorded.
fn keeper(
    config: &Arc<Config>,
    errands: &Errands,
    found: Vec<Loaded>,
    problems: Vec<String>,
) -> Result<Keeper, Failure> {
    let mut findings = Findings { problems, ..Findings::default() };
    let mut damaged = Vec::new();
    let mut unrecorded = Vec::new();
    let mut records = Vec::new();
    for loaded in found {
        match loaded {
            Loaded::Record { record, same_boot } => records.push((record, same_boot)),
            Loaded::Unrecorded { id, keyring } => unrecorded.push((id, keyring)),
            other => {
                if let Loaded::Damaged(_) = &other {
                    damaged.extend(other.id());
                }
                note(other, &mut findings);
            }
        }
    }
    for problem in &findings.problems {
        warn!("{problem}");
    }
    // Wherever secrets of ours may be: in the store for new ones, and in those of the records.
    let mut kinds = vec![match config.keyring {
        Preference::Auto => StoreKind::SecretService,
        Preference::Fixed(kind) => kind,
    }];
    for kind in records.iter().filter_map(|(r, _)| StoreKind::from_name(&r.about.keyring)) {
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    let seed = getrandom::u64().map_err(Failure::Random)?;
    let mut keeper = Keeper::new(Arc::clone(config), errands.clone(), findings, seed);
    info!(records = records.len(), "taking up what is recorded");
    for (record, same_boot) in records {
        crash::point("load.restored", &record.key.id);
        keeper.restore(record, same_boot);
    }
    errands.look_at_keyring(config.keyring);
    for kind in &kinds {
        keeper.look_for_orphans(*kind);
    }
    // Not every store can be searched, but the index tells what to look for.
    for (id, keyring) in unrecorded {
        damaged.retain(|other| *other != id);
        match StoreKind::from_name(&keyring) {
            Some(kind) => keeper.look_for_unrecorded(kind, id),
            None => keeper.note_problem(format!(
                "session {id} has no record, and its secret is in a keyring that this build does \
                 not know ({keyring})"
            )),
        }
    }
    // If even that is damaged, a record's file still tells the name.
    if config.keyring == Preference::Auto && !kinds.contains(&StoreKind::Keyutils) {
        kinds.push(StoreKind::Keyutils);
    }
    for id in damaged {
        kinds.iter().for_each(|kind| keeper.look_for(*kind, id.clone()));
    }
    Ok(keeper)
}

/// Notes for people what is not a record that we may take up.
fn note(loaded: Loaded, findings: &mut Findings) {
    let id = loaded.id();
    let mut left_alone = || findings.left_alone.extend(id.clone());
    let problem = match loaded {
        Loaded::Record { .. } | Loaded::Unrecorded { .. } => return,
        Loaded::Foreign { path } => {
            left_alone();
            format!("{} is another machine's record: left alone", path.display())
        }
        Loaded::Newer { path, version } => {
            left_alone();
            format!("{} is of a newer version ({version}): left alone", path.display())
        }
        Loaded::Unreadable { why, .. } => {
            left_alone();
            format!("{why}: left alone")
        }
        Loaded::DamagedIndex { lines, folder } => {
            format!("{lines} lines of the index were damaged: a copy is in {}", folder.display())
        }
        Loaded::Damaged(damage) => {
            let now = match damage.moved_to {
                Ok(place) => format!("set aside as {}", place.display()),
                Err(error) => format!("left where it is, for {error}"),
            };
            format!("{} is damaged ({}): {now}", damage.path.display(), damage.why)
        }
    };
    findings.problems.push(problem);
}

/// What earlier starts set aside, until a person has looked at it.
fn set_aside(state_dir: &Path) -> Option<String> {
    let folder = state_dir.join("damaged");
    let files = std::fs::read_dir(&folder).ok()?.count();
    (files > 0).then(|| {
        format!("{} has {files} damaged records: look at them, then remove them", folder.display())
    })
}

/// Binds the first socket that can be had. One on which another daemon answers ends the search:
/// clients would find that one.
fn listen(paths: &Paths) -> Result<Listener, Failure> {
    let mut last = None;
    for path in &paths.own_sockets {
        match Listener::bind(path) {
            Ok(listener) => return Ok(listener),
            Err(error @ BindError::InUse { .. }) => return Err(Failure::InUse(error)),
            Err(error) => {
                if let Some(earlier) = last.replace(error) {
                    warn!("{earlier}");
                }
            }
        }
    }
    match last {
        Some(error) => Err(Failure::Bind(error)),
        None => Err(std::io::Error::other("there is no socket to bind").into()),
    }
}
