//! Draining: what is recorded is revoked, and nothing new is taken in.
//!
//! A daemon whose config is bad does nothing else ([`for_bad_config`]), and `--drain` asks for it
//! ([`on_request`]); a daemon that runs is asked to do it (`running`), and a signal ends the asking (`ending`).

mod ending;
mod running;

use std::sync::Arc;
use std::time::{Duration, Instant};

use securid_ipc::messages::{DrainView, LogoutItem, LogoutView, SessionState};
use securid_ipc::paths::Paths;
use securid_ipc::server::Listener;
use securid_progress::Progress;
use securid_store::LockError;
use tracing::{info, warn};

use crate::config::{Config, Loaded};
use crate::failure::{self, BAD_CONFIG, Failure};
use crate::keeper::End;
use crate::log::Log;
use crate::notify::ServiceManager;
use crate::signals::Signals;
use crate::start::{listen, texts};
use crate::state::State;
use crate::words;
use crate::works::Works;

/// The exit status while something is not confirmed dead (EX_TEMPFAIL).
const PENDING: u8 = 75;

/// How soon a daemon that could not be asked is asked again: it may just be starting or ending,
/// which takes some tenths of a second.
const AGAIN: Duration = Duration::from_millis(100);

/// Drains for as long as it takes; the socket is open meanwhile, so that people see why. One that was
/// handed over is left where there is nothing to drain. Gives back the exit status, which is the bad
/// config's in any case.
///
/// # Errors
/// If the state folder cannot be used.
pub(crate) async fn for_bad_config(
    paths: &Paths,
    loaded: Loaded,
    socket: &mut Option<Listener>,
    log: &Log,
) -> Result<u8, Failure> {
    let signals = Signals::catch()?;
    log.say(failure::list(&loaded.faults));
    if !State::is_anything_in(&paths.state_dir)? {
        return Ok(BAD_CONFIG);
    }
    let state = match State::open(&paths.state_dir) {
        Ok(state) => state,
        // That daemon sees to what is recorded.
        Err(Failure::Held(_)) => return Ok(BAD_CONFIG),
        Err(failure) => return Err(failure),
    };
    if state.found.is_nothing() {
        return Ok(BAD_CONFIG);
    }
    warn!("the config is bad: what is recorded is revoked, and nothing new is taken in");
    let mut works = Works::take_up(state, loaded.config, texts(&loaded.warnings))?;
    works.keeper.drain_for(&texts(&loaded.faults));
    // Revoking matters more than being asked about it.
    let listener = listen(paths, socket).map_err(|failure| warn!("{failure}")).ok();
    works.keeper.report_to(ServiceManager::from_environment());
    if works.run(signals, listener, None).await? == End::AtRest {
        info!("drained");
    }
    tell(&works.keeper.left(), log);
    tell_undecided(&works, log);
    Ok(BAD_CONFIG)
}

/// `--drain`: by this process, or by the daemon that runs. Gives back how far each session came, and the
/// exit status. `shows`: with a bar on the terminal meanwhile.
///
/// # Errors
/// If the state folder cannot be used.
pub(crate) async fn on_request(
    paths: &Paths,
    loaded: Loaded,
    timeout: Option<Duration>,
    shows: bool,
    log: &Log,
) -> Result<(DrainView, u8), Failure> {
    if !loaded.faults.is_empty() {
        log.say(failure::list(&loaded.faults));
    }
    if !State::is_anything_in(&paths.state_dir)? {
        return Ok((DrainView::default(), 0));
    }
    let until = Instant::now() + timeout.unwrap_or(loaded.config.revocation.shutdown_grace);
    let ending = shows.then(ending::Ending::catch);
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let pid = match State::open(&paths.state_dir) {
            Ok(state) => {
                // Whoever does the work has another way with signals.
                drop(ending);
                return alone(state, loaded.config, left, shows, log).await;
            }
            Err(Failure::Held(LockError::Held { pid, .. })) => pid,
            Err(failure) => return Err(failure),
        };
        let asked = running::revoke_all(paths.sockets.clone(), pid, left, ending.as_ref()).await;
        let why = match asked {
            Ok((done, undecided))
                if Instant::now() >= until
                    || (undecided == 0 && done.sessions.iter().all(is_settled)) =>
            {
                let unconfirmed = tell_worst(&done, log);
                if undecided > 0 {
                    log.say(format_args!(
                        "sessions without a good record, of whose tokens nobody knows: {undecided}"
                    ));
                }
                let is_left = unconfirmed > 0 || undecided > 0;
                if is_left {
                    log.say("the daemon keeps trying: see securid-ctl status");
                }
                let view = DrainView { done, undecided, error: None };
                return Ok((view, if is_left { PENDING } else { 0 }));
            }
            // It answers before its time because it ends: then this process goes on. Or it has still to look for
            // secrets whose records are not good.
            Ok(_) => None,
            Err(why) if why.passes && !left.is_zero() => None,
            Err(why) => Some(why),
        };
        let Some(why) = why else {
            tokio::time::sleep(AGAIN).await;
            continue;
        };
        // Something is recorded, so something may live.
        let error = format!(
            "what is recorded in {} is not confirmed dead: {} keeps it, and cannot be asked: {why}",
            paths.state_dir.display(),
            pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}")),
        );
        log.say(format_args!("{error}\nEnd it, or {}, and try again.", words::LET_IT_GO_ON));
        return Ok((DrainView { error: Some(error), ..DrainView::default() }, PENDING));
    }
}

/// No daemon runs.
async fn alone(
    state: State,
    config: Config,
    within: Duration,
    shows: bool,
    log: &Log,
) -> Result<(DrainView, u8), Failure> {
    // What cannot be read may be a live token's.
    let unreadable = state.found.unreadable;
    let mut undecided = unreadable;
    let mut done = LogoutView::default();
    if !state.found.is_nothing() {
        let signals = Signals::catch()?;
        let mut works = Works::take_up(state, config, Vec::new())?;
        works.keeper.drain(Some(within));
        let progress = shows.then(|| {
            let alive = works.count_alive();
            // Ctrl-C is a signal like others here: it ends sooner, and in order.
            Progress::begin(0, move || alive().map(u64::from), Arc::default())
        });
        works.run(signals, None, None).await?;
        drop(progress);
        done = works.keeper.drained();
        undecided += tell_undecided(&works, log);
    }
    let unconfirmed = undecided + tell_worst(&done, log);
    if unreadable > 0 {
        log.say(format_args!("records that cannot be read: {unreadable}"));
    }
    let undecided = u32::try_from(undecided).unwrap_or(u32::MAX);
    let view = DrainView { done, undecided, error: None };
    if unconfirmed == 0 {
        return Ok((view, 0));
    }
    log.say("what is not confirmed dead stays recorded: the next start goes on with it");
    Ok((view, PENDING))
}

/// Tells of the sessions that went worst, and counts those that can be revoked: with none of these among
/// them, none is beyond.
fn tell_worst(view: &LogoutView, log: &Log) -> usize {
    let unconfirmed = tell(&view.sessions, log);
    if unconfirmed > 0 && view.unlisted > 0 {
        log.say(format_args!("and {} more, none of them worse", view.unlisted));
    }
    unconfirmed
}

/// Tells of every session without a good record whose token nobody could revoke, and counts them.
fn tell_undecided(works: &Works, log: &Log) -> usize {
    let undecided = works.keeper.undecided();
    for id in &undecided {
        log.say(format_args!(
            "session {id} has no good record, and the keyring did not give its token out"
        ));
    }
    undecided.len()
}

/// Whether nothing more can be done: it is dead, or lost.
fn is_settled(session: &LogoutItem) -> bool {
    matches!(session.state, SessionState::Ended | SessionState::Lost)
}

/// Tells of every session that was not revoked, and counts those that can be. What is lost cannot.
fn tell(left: &[LogoutItem], log: &Log) -> usize {
    let mut unconfirmed = 0;
    for LogoutItem { id, instance, state, last_error, .. } in left {
        match state {
            SessionState::Ended => {}
            SessionState::Lost => log.say(format_args!(
                "session {id} ({instance}) is lost, its token gone from the keyring: it could not \
                 be revoked; securid-ctl forget {id} --yes gives it up"
            )),
            _ => {
                unconfirmed += 1;
                let error = last_error.as_deref().unwrap_or("there was no answer yet");
                log.say(format_args!("session {id} ({instance}) is not confirmed dead: {error}"));
            }
        }
    }
    unconfirmed
}
