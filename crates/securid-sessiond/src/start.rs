//! The order in which everything comes up and goes down.

use std::io::{self, Write};
use std::process::ExitCode;

use securid_ipc::paths::Paths;
use securid_ipc::server::{BindError, Listener};
use securid_store::crash;
use securid_worker::LINGER;
use tokio::runtime::{Builder, Runtime};
use tracing::{info, warn};

use crate::activation::{self, BadSocket, Socket};
use crate::args::Args;
use crate::config::{Fault, Loaded, Sources};
use crate::failure::Failure;
use crate::keeper::End;
use crate::log::Log;
use crate::make_key::make_key;
use crate::notify::ServiceManager;
use crate::signals::Signals;
use crate::state::State;
use crate::works::Works;
use crate::{doctor, drain, limits, memory, refusal, trouble};

/// How many events of sockets the runtime takes from the kernel at once; others come with the next round. Its own
/// 1,024 take 12 KiB that are never used, while a crowd of clients is some hundred.
const EVENTS: usize = 128;

/// The socket that the service manager has handed over, if there is one.
type HandedOver = Result<Option<Socket>, BadSocket>;

/// Runs the daemon to its end.
pub(crate) fn main(args: &Args, socket: HandedOver) -> ExitCode {
    let state_dir = || Some(Paths::from_environment(&args.overrides()).ok()?.state_dir);
    let log = crate::log::start(args.log, state_dir);
    let status = run(args, socket, &log).unwrap_or_else(|failure| {
        log.say(&failure);
        failure.exit_code()
    });
    // What was told is written before the process is gone.
    drop(log);
    status.into()
}

fn run(args: &Args, socket: HandedOver, log: &Log) -> Result<u8, Failure> {
    if let Some(target) = &args.make_key {
        make_key(target)?;
        return Ok(0);
    }
    let paths = Paths::from_environment(&args.overrides())?;
    let sources = Sources { files: paths.config.clone(), flags: args.set.clone() };
    if args.doctor {
        return doctor::examine(paths, sources, args.json);
    }
    let loaded = match &args.check_config {
        Some(Some(draft)) => sources.load_draft(draft),
        check => sources.load(check.is_some()),
    };
    for warning in &loaded.warnings {
        warn!("{warning}");
    }
    if args.check_config.is_some() || args.show_config {
        return only_looked_at(&loaded, args.show_config);
    }
    limits::raise_descriptors();
    let runtime = runtime()?;
    let end = runtime.block_on(async {
        if args.drain {
            let shows = !args.json && securid_progress::is_seen();
            let (view, status) =
                drain::on_request(&paths, loaded, args.timeout, shows, log).await?;
            if args.json {
                tell_as_json(&view)?;
            }
            Ok(status)
        } else {
            daemon(&paths, sources, loaded, socket?, log).await
        }
    });
    // A name service that hangs must not hold the exit up.
    runtime.shutdown_background();
    end
}

/// The runtime: one thread, and others for a moment where something blocks.
fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread()
        .enable_all()
        .max_io_events_per_tick(EVENTS)
        .thread_keep_alive(LINGER)
        .on_thread_park(memory::before_waiting)
        .build()
}

/// For `--check-config` and `--show-config`.
fn only_looked_at(loaded: &Loaded, show: bool) -> Result<u8, Failure> {
    if !loaded.faults.is_empty() {
        return Err(Failure::Config(loaded.faults.clone()));
    }
    if show {
        tell_as_json(&loaded.view())?;
    } else {
        io::stdout().write_all(b"the config is good\n")?;
    }
    Ok(0)
}

fn tell_as_json(view: &impl serde::Serialize) -> io::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, view)?;
    out.write_all(b"\n")
}

/// Serves, or drains. Whoever has connected to a socket that was handed over is answered in any case.
async fn daemon(
    paths: &Paths,
    sources: Sources,
    loaded: Loaded,
    socket: Option<Socket>,
    log: &Log,
) -> Result<u8, Failure> {
    let mut socket = socket.map(activation::listener).transpose().map_err(Failure::Bind)?;
    let faults = loaded.faults.clone();
    let end = if faults.is_empty() {
        serve(paths, sources, loaded, &mut socket).await
    } else {
        drain::for_bad_config(paths, loaded, &mut socket, log).await
    };
    let Some(unserved) = socket else { return end };
    let error = match &end {
        Ok(_) => trouble::bad_config(&faults),
        Err(failure) => trouble::cannot_start(failure),
    };
    let nothing_recorded =
        end.is_ok() && State::is_anything_in(&paths.state_dir).is_ok_and(|is| !is);
    refusal::tell_those_who_wait(unserved, error, nothing_recorded).await;
    end
}

async fn serve(
    paths: &Paths,
    sources: Sources,
    loaded: Loaded,
    socket: &mut Option<Listener>,
) -> Result<u8, Failure> {
    // First of all, so that a stop that comes while records are read is not the default death.
    let signals = Signals::catch()?;
    let state = State::open(&paths.state_dir)?;
    for overruled in loaded.overruled() {
        info!("{overruled}");
    }
    // Once the records are read, and not before: what is left to do takes no disk that could hang, so whoever connects
    // from now on waits for a moment at most.
    let handed_over = socket.is_some();
    let listener = listen(paths, socket)?;
    crash::point("load.listening", "");
    let mut works = match Works::take_up(state, loaded.config, texts(&loaded.warnings)) {
        Ok(works) => works,
        Err(failure) => {
            // Who waits in its queue is still to be told.
            *socket = Some(listener).filter(|_| handed_over);
            return Err(failure);
        }
    };
    // The config may have been edited meanwhile: a start is a reload, too.
    works.keeper.limit_as_configured();
    works.keeper.report_to(ServiceManager::from_environment());
    // As a task: whatever wakes the runtime's first future costs a system call.
    let works = tokio::spawn(async move {
        let end = works.run(signals, Some(listener), Some(sources)).await;
        (works, end)
    });
    // A panic has ended the process.
    let (_works, end) = works.await.map_err(std::io::Error::from)?;
    match end? {
        End::AtRest => info!("stopped"),
        End::GraceOver => warn!("stopped with revocations unconfirmed: the next start goes on"),
        End::AtOnce => warn!("stopped at once: the next start goes on"),
    }
    Ok(0)
}

/// For people.
pub(crate) fn texts(faults: &[Fault]) -> Vec<String> {
    faults.iter().map(ToString::to_string).collect()
}

/// Takes the socket that was handed over, or binds the first one that can be had. One on which another
/// daemon answers ends the search: clients would find that one.
pub(crate) fn listen(
    paths: &Paths,
    handed_over: &mut Option<Listener>,
) -> Result<Listener, Failure> {
    if let Some(listener) = handed_over.take() {
        let socket = listener.path().display();
        info!(%socket, version = securid_ipc::VERSION, "ready: it was handed over, so no other counts");
        if let Some(complaint) = activation::complaint(&listener) {
            warn!("{complaint}");
        }
        return Ok(listener);
    }
    let mut last = None;
    for path in &paths.own_sockets {
        match Listener::bind(path) {
            Ok(listener) => {
                let socket = listener.path().display();
                if let Some(better) = last {
                    info!("not where it should be: {better}");
                }
                info!(%socket, version = securid_ipc::VERSION, "ready");
                return Ok(listener);
            }
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
        None => Err(io::Error::other("there is no socket to bind").into()),
    }
}
