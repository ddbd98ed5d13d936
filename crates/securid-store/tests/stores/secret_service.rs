//! A gnome-keyring on a bus that nobody else uses.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use securid_store::{Keyring, KeyringError, Preference, Readiness, StoreKind};

use crate::{Store, daemon, entry, inner_test, is_inner, must_succeed, skipped, suite};

const STORE: Store = Store { kind: StoreKind::SecretService, daemon, can_search: true };

#[test]
fn does_the_same_and_never_prompts() {
    under_a_bus("secret_service::inner");
}

#[test]
fn is_not_always_there() {
    under_a_bus("secret_service::inner_none");
}

#[test]
fn is_not_empty_because_it_speaks_in_another_form() {
    under_a_bus("secret_service::inner_strange");
}

fn under_a_bus(test: &str) {
    for program in ["dbus-run-session", "gnome-keyring-daemon"] {
        if !is_installed(program) {
            return skipped(&format!("{program} is not installed"));
        }
    }
    let home = tempfile::tempdir().unwrap();
    let run = home.path().join("run");
    std::fs::create_dir(&run).unwrap();
    std::fs::set_permissions(&run, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    // A configuration of our own: without service files nothing starts a keyring behind our back.
    let config = home.path().join("bus.conf");
    let text = format!(
        "<busconfig><type>session</type><listen>unix:dir={}</listen><policy context=\"default\">\
         <allow send_destination=\"*\" eavesdrop=\"true\"/><allow eavesdrop=\"true\"/>\
         <allow own=\"*\"/></policy></busconfig>",
        run.display()
    );
    std::fs::write(&config, text).unwrap();
    let mut command = Command::new("dbus-run-session");
    command.arg("--config-file").arg(&config).arg("--").args(inner_test(test));
    command.env("HOME", home.path()).env("XDG_RUNTIME_DIR", &run);
    for variable in ["XDG_DATA_HOME", "XDG_CONFIG_HOME", "DISPLAY", "WAYLAND_DISPLAY"] {
        command.env_remove(variable);
    }
    must_succeed(command);
}

/// A gnome-keyring of the test's own, killed with it.
struct GnomeKeyring(Child);

impl GnomeKeyring {
    fn start() -> Self {
        let home = std::env::var_os("HOME").unwrap();
        let password = Path::new(&home).join("password");
        std::fs::write(&password, "pw").unwrap();
        let child = Command::new("gnome-keyring-daemon")
            .args(["--foreground", "--unlock", "--components=secrets"])
            .stdin(std::fs::File::open(password).unwrap())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }

    fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.0), signal).unwrap();
    }
}

impl Drop for GnomeKeyring {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn ready(keyring: &Keyring) {
    let limit = Instant::now() + Duration::from_secs(20);
    while let Err(e) = keyring.choose(Preference::Fixed(StoreKind::SecretService), false).await {
        assert!(Instant::now() < limit, "{e}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn lock_login_collection() {
    let collection =
        zbus::zvariant::ObjectPath::try_from("/org/freedesktop/secrets/collection/login").unwrap();
    let bus = zbus::blocking::Connection::session().unwrap();
    bus.call_method(
        Some("org.freedesktop.secrets"),
        "/org/freedesktop/secrets",
        Some("org.freedesktop.Secret.Service"),
        "Lock",
        &vec![collection],
    )
    .unwrap();
}

#[tokio::test]
#[ignore = "run by a test above"]
async fn inner() {
    if !is_inner() {
        return;
    }
    let kind = StoreKind::SecretService;
    let home = tempfile::tempdir().unwrap();
    let keyring = daemon(home.path());
    let mut service = GnomeKeyring::start();
    ready(&keyring).await;
    suite(STORE).await;
    let kept = entry(1, 40);
    keyring.put(kind, kept.clone()).await.unwrap();

    // A restart drops the connection; until the service is back, the entry is not "absent".
    drop(service);
    let gone = keyring.fetch(kind, &kept.key).await;
    assert!(matches!(gone, Err(KeyringError::Unavailable { .. })), "{gone:?}");
    service = GnomeKeyring::start();
    ready(&keyring).await;
    assert_eq!(keyring.fetch(kind, &kept.key).await, Ok(Some(kept.clone())));

    lock_login_collection();
    let began = Instant::now();
    let refused = keyring.choose(Preference::Auto, true).await.unwrap_err();
    assert!(refused.to_string().ends_with("the unlock prompt was not answered"), "{refused}");
    assert!(began.elapsed() < Duration::from_secs(10), "there is no prompter to wait for");

    // A prompter that never answers, and hears whether anybody ever called for it.
    let bus = zbus::blocking::Connection::session().unwrap();
    bus.request_name("org.gnome.keyring.SystemPrompter").unwrap();
    let (heard, calls) = std::sync::mpsc::channel();
    let messages = zbus::blocking::MessageIterator::from(&bus);
    std::thread::spawn(move || {
        for message in messages.flatten() {
            if message.header().member().is_some_and(|m| m.as_str() == "BeginPrompting") {
                let _ = heard.send(());
            }
        }
    });
    let absent = entry(2, 40);
    for locked in [
        keyring.fetch(kind, &kept.key).await.map(drop),
        keyring.fetch(kind, &absent.key).await.map(drop),
        keyring.put(kind, absent.clone()).await,
        keyring.put(kind, kept.clone()).await,
        keyring.delete(kind, &kept.key.id).await,
        keyring.delete(kind, &absent.key.id).await,
        keyring.ids(kind).await.map(drop),
        keyring.choose(Preference::Auto, false).await.map(drop),
    ] {
        assert!(matches!(locked, Err(KeyringError::Locked { .. })), "{locked:?}");
    }
    assert_eq!(keyring.state(kind), Some(Readiness::Locked));
    assert!(calls.try_recv().is_err(), "somebody prompted");

    let login = tokio::spawn({
        let keyring = keyring.clone();
        async move { keyring.choose(Preference::Auto, true).await }
    });
    let limit = Instant::now() + Duration::from_secs(15);
    while calls.try_recv().is_err() {
        assert!(Instant::now() < limit, "the person was never asked");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let refused = keyring.fetch(kind, &kept.key).await.unwrap_err();
    assert!(refused.to_string().ends_with("an unlock prompt is open"), "{refused}");
    login.abort();

    // Frozen: an error in time, and no thread in it for ever.
    let keyring = daemon(home.path());
    service.signal(rustix::process::Signal::STOP);
    let began = Instant::now();
    let frozen = keyring.fetch(kind, &kept.key).await;
    service.signal(rustix::process::Signal::CONT);
    assert!(matches!(frozen, Err(KeyringError::Unresponsive { .. })), "{frozen:?}");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[tokio::test]
#[ignore = "run by a test above"]
async fn inner_none() {
    if !is_inner() {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let keyring = daemon(home.path());
    let error = keyring.choose(Preference::Fixed(StoreKind::SecretService), false).await;
    assert!(matches!(error, Err(KeyringError::Unavailable { .. })), "{error:?}");
    let absent = keyring.fetch(StoreKind::SecretService, &entry(1, 1).key).await;
    assert!(matches!(absent, Err(KeyringError::Unavailable { .. })), "{absent:?}");
    let chosen = keyring.choose(Preference::Auto, false).await;
    if chosen != Ok(StoreKind::Keyutils) {
        skipped(&format!("no kernel keyring to turn to: {chosen:?}"));
    }
}

/// A service that finds nothing, and says so in texts where paths were agreed.
#[tokio::test]
#[ignore = "run by a test above"]
async fn inner_strange() {
    if !is_inner() {
        return;
    }
    let bus = zbus::blocking::Connection::session().unwrap();
    let calls = zbus::blocking::MessageIterator::from(&bus);
    bus.request_name("org.freedesktop.secrets").unwrap();
    let collection =
        zbus::zvariant::ObjectPath::try_from("/org/freedesktop/secrets/collection/a").unwrap();
    std::thread::spawn(move || {
        for call in calls.flatten() {
            let header = call.header();
            let texts = Vec::<&str>::new;
            let _ = match header.member().map_or("", |member| member.as_str()) {
                "ReadAlias" => bus.reply(&header, &collection),
                "Get" => {
                    let (_, name): (String, String) = call.body().deserialize().unwrap();
                    let value = match name.as_str() {
                        "Locked" => zbus::zvariant::Value::from(false),
                        _ => zbus::zvariant::Value::from(texts()),
                    };
                    bus.reply(&header, &value)
                }
                "SearchItems" => bus.reply(&header, &(texts(), texts())),
                _ => Ok(()),
            };
        }
    });
    let kind = StoreKind::SecretService;
    let home = tempfile::tempdir().unwrap();
    let keyring = daemon(home.path());
    assert_eq!(keyring.choose(Preference::Fixed(kind), false).await, Ok(kind));
    for result in [
        keyring.fetch(kind, &entry(1, 40).key).await.map(drop),
        keyring.delete(kind, &entry(1, 40).key.id).await,
        keyring.ids(kind).await.map(drop),
    ] {
        assert!(matches!(result, Err(KeyringError::Unavailable { .. })), "{result:?}");
    }
}

fn is_installed(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}
