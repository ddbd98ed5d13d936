//! `--doctor`: looks at everything that sessions need, each thing with what to do about it.
//!
//! It changes nothing, takes no lock, opens no prompt and sends no token: a daemon that runs beside it notices
//! nothing. All is looked at side by side, and told in order as soon as it is known.
//!
//! - `running`: the daemon that runs, as far as this program has to ask it
//! - `keyring`, `secrets`: the store for new secrets; whether records and secrets fit together
//! - `disk`: the state folder and the audit
//! - `server`: the way to each server

mod disk;
mod keyring;
mod running;
mod secrets;
mod server;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use securid_ipc::checks::{CheckState, CheckView};
use securid_ipc::paths::{ConfigFiles, Paths, is_of_a_system_unit};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Instant, timeout_at};

use crate::config::{Config, Fate, Instance, Loaded, Sources};
use crate::desktop;
use crate::failure::Failure;
use crate::servers::Servers;

/// How long all of it may take, with everything hanging: together with what `securid-ctl doctor` adds, half a
/// minute.
const WITHIN: Duration = Duration::from_secs(20);

/// How long the files of the config may take, without which nothing else is known.
const CONFIG_WITHIN: Duration = Duration::from_secs(5);

/// The exit status if anything is not fine.
const NOT_FINE: u8 = 1;

/// Looks, tells, and gives back the exit status.
///
/// # Errors
/// If nothing can be told.
pub(crate) fn examine(paths: Paths, sources: Sources, json: bool) -> Result<u8, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut teller = Teller { json, fine: true };
    let told = runtime.block_on(all(paths, sources, &mut teller));
    // What hangs is left behind.
    runtime.shutdown_background();
    match told {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        // Whoever has heard enough may leave.
        _ => Ok(if teller.fine { 0 } else { NOT_FINE }),
    }
}

async fn all(paths: Paths, sources: Sources, teller: &mut Teller) -> io::Result<()> {
    let until = Instant::now() + WITHIN;
    let files = sources.files.clone();
    let loading = spawn_blocking(move || sources.load(true));
    let Ok(Ok(loaded)) = timeout_at(Instant::now() + CONFIG_WITHIN, loading).await else {
        let own = files.own.path().display().to_string();
        let hangs = CheckView::wrong("config", &own, "it could not be read within 5 s");
        return teller.tell(vec![hangs.then("Look after the disk that it is on.")]);
    };
    teller.tell(of_config(&loaded, &files))?;
    let is_good = loaded.faults.is_empty();
    let config = Arc::new(loaded.config);

    // All at once, for each may hang.
    let (ways, attempt) = (Arc::new(Servers::new()), config.revocation.attempt_timeout);
    let look = |instance: &Arc<Instance>| {
        tokio::spawn(server::look(Arc::clone(&ways), Arc::clone(instance), attempt))
    };
    let servers: Vec<_> =
        config.instances.iter().map(|(name, instance)| (name.clone(), look(instance))).collect();
    let desktop = tokio::spawn(of_desktop(Arc::clone(&config)));
    let daemon = running::ask(paths.sockets.clone()).await;
    let state_dir = state_dir(&paths, daemon.as_ref());
    let status = daemon.map(|daemon| daemon.status);
    let disk = spawn_blocking({
        let (config, state_dir) = (Arc::clone(&config), state_dir.clone());
        move || disk::look(&config, &state_dir)
    });
    let kept = tokio::spawn(secrets::look(Arc::clone(&config), state_dir, status.clone()));

    if let (true, Some(status)) = (is_good, &status) {
        teller.tell(running::same_config(&config, status))?;
    }
    teller.tell(in_time(until, "keyring", "", kept).await)?;
    teller.tell(in_time(until, "disk", "", disk).await)?;
    for (name, look) in servers {
        teller.tell(in_time(until, "server", &name, look).await)?;
    }
    teller.tell(in_time(until, desktop::CHECK, "", desktop).await)
}

/// What a look has found, or that it hangs.
async fn in_time(
    until: Instant,
    check: &str,
    about: &str,
    look: JoinHandle<Vec<CheckView>>,
) -> Vec<CheckView> {
    match timeout_at(until, look).await {
        Ok(Ok(found)) => found,
        Ok(Err(error)) => vec![CheckView::unknown(check, about, error.to_string())],
        Err(_) => {
            let message = format!("nothing had come of it after {} s", WITHIN.as_secs());
            vec![CheckView::unknown(check, about, message)]
        }
    }
}

fn of_config(loaded: &Loaded, files: &ConfigFiles) -> Vec<CheckView> {
    let mut checks: Vec<CheckView> = loaded
        .faults
        .iter()
        .map(|fault| {
            CheckView::wrong("config", "", fault.to_string())
                .then("Mend it; securid-sessiond --check-config says whether it is good then.")
        })
        .collect();
    checks.extend(loaded.warnings.iter().map(|warning| {
        CheckView::wrong("config", "", warning.to_string()).then("securid-ctl config show")
    }));
    if checks.is_empty() {
        checks.push(of_good_config(&loaded.config, files));
    }
    checks
}

fn of_good_config(config: &Config, files: &ConfigFiles) -> CheckView {
    let own = files.own.path();
    let there = [&*files.machine, &*files.additions, own].into_iter().filter(|path| path.exists());
    let there: Vec<_> = there.map(|path| path.display().to_string()).collect();
    let about = there.join(", ");
    let names: Vec<_> = config.instances.keys().map(String::as_str).collect();
    match (&names[..], own.exists()) {
        ([], false) => {
            let message = format!("no server is named; yours belong into {}", own.display());
            CheckView::wrong("config", &about, message)
                .then("securid-ctl setup --url https://HOST:8443/aveksa")
        }
        ([], true) => CheckView::wrong("config", &about, "no server is named")
            .then(format!("Write [instances.NAME] with its url into {}.", own.display())),
        (names, _) => {
            let message = format!("it is good; instances: {}", names.join(", "));
            CheckView::fine("config", &about, message)
        }
    }
}

/// Locked screens and sleep are not ours to notice.
async fn of_desktop(config: Arc<Config>) -> Vec<CheckView> {
    let matters = config.may_revoke(|fates| match (fates.on_lock, fates.on_suspend) {
        (Fate::Keep, Fate::Keep) => Fate::Keep,
        _ => Fate::Revoke,
    });
    if !matters {
        return Vec::new();
    }
    desktop::look().await
}

/// That of the daemon: a unit of the system's has one of its own.
fn state_dir(paths: &Paths, daemon: Option<&running::Daemon>) -> PathBuf {
    let of_the_system = daemon.filter(|daemon| is_of_a_system_unit(&daemon.socket));
    let theirs = of_the_system.and_then(|_| paths.state_dirs.get(1));
    theirs.unwrap_or(&paths.state_dir).clone()
}

/// Who tells it, as it is found.
struct Teller {
    json: bool,
    fine: bool,
}

impl Teller {
    fn tell(&mut self, checks: Vec<CheckView>) -> io::Result<()> {
        let mut out = io::stdout().lock();
        for check in checks {
            self.fine &= check.state == CheckState::Fine;
            if self.json {
                serde_json::to_writer(&mut out, &check)?;
                out.write_all(b"\n")?;
            } else {
                out.write_all(check.text(|word, _| word).as_bytes())?;
            }
        }
        out.flush()
    }
}
