//! The one unlock dialog that there may be: for a person's own `login` or `add`, never for work in
//! the background, and nobody else waits for it. With a real gnome-keyring, and a person of ours.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::process::Output;
use std::thread::{self, ScopedJoinHandle};
use std::time::Duration;

use securid_tests::{
    Dialog, House, PASSWORD, Plan, Prompter, SecretService, eventually, timed, within,
};
use serde_json::json;

/// What "at once" is on a loaded machine; less than the keyring's 5 s.
const AT_ONCE: Duration = Duration::from_secs(2);

/// A store that came back is noticed within the longest wait between two errands (30 s).
const NOTICED: Duration = Duration::from_secs(40);

/// The contract's 60 s for a person's own login, cut short when there is nothing to wait for.
const DIALOG_GONE: Duration = Duration::from_secs(10);

const LOGIN: [&str; 2] = ["login", "--password-stdin"];

fn open() -> Option<House> {
    House::with_gnome_keyring(Plan { keyring: "secret-service", ..Plan::default() })
}

fn service(house: &mut House) -> &mut SecretService {
    house.secret_service.as_mut().unwrap()
}

/// Locks the keyring, before which somebody sits who can be asked.
fn lock(house: &mut House) -> Prompter {
    service(house).lock();
    Prompter::start(service(house))
}

/// Begins a command that asks, has `meanwhile` done once the dialog is open, and gives back what
/// came of the command.
fn asking(
    house: &House,
    prompter: &Prompter,
    words: &[&str],
    input: &str,
    meanwhile: impl FnOnce(Dialog, &ScopedJoinHandle<'_, Output>),
) -> Output {
    thread::scope(|scope| {
        let command = scope.spawn(|| house.ctl_with(words, input));
        meanwhile(prompter.dialog(), &command);
        command.join().unwrap()
    })
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn assert_locked(house: &House) {
    let (status, took) = timed(|| house.call("daemon.status", json!({})));
    assert!(took < AT_ONCE, "status: {took:?}");
    assert_eq!(status["keyring"]["state"], "locked", "{status}");
}

#[test]
fn a_login_waits_for_its_person_and_says_so() {
    let Some(mut house) = open() else { return };
    let prompter = lock(&mut house);
    let told = asking(&house, &prompter, &LOGIN, PASSWORD, |dialog, command| {
        // Longer than any call may take that asks nobody.
        thread::sleep(Duration::from_millis(5500));
        assert!(!command.is_finished(), "it waits for the person");
        assert_eq!(house.simulator.truth().connections, 0, "nothing is sent before");
        dialog.answer();
    });
    assert_eq!(told.status.code(), Some(0), "{told:?}");
    assert!(stderr(&told).contains("waiting for the keyring to be unlocked"), "{told:?}");
    assert_eq!((house.simulator.truth().logins_ok, house.secrets()), (1, 1));
    assert_eq!(prompter.calls(), 1);
    house.call("session.logout", json!({"all": true, "wait": "10s"}));
    assert_eq!(house.simulator.truth().alive(), [""; 0]);
    house.eventually_empty();
}

#[test]
fn a_dialog_that_nobody_answers_holds_up_nobody_else() {
    let Some(mut house) = open() else { return };
    let (first, _) = house.add_one();
    let (second, held) = house.add_one();
    let brought = house.simulator.issue("alice");
    let prompter = lock(&mut house);
    for (words, input) in [(&LOGIN, PASSWORD), (&["add", "--token-stdin"], &brought)] {
        let told = asking(&house, &prompter, words, input, |dialog, _| {
            assert_locked(&house);
            let (sessions, took) = timed(|| house.sessions());
            assert!(took < AT_ONCE, "list: {took:?}");
            assert!(sessions.iter().all(|session| session["state"] == "active"));
            assert_eq!(house.token(&second), held, "what is lent is in memory");
            let (other, took) = timed(|| house.ctl_with(&LOGIN, PASSWORD));
            assert_eq!(other.status.code(), Some(74), "{other:?}");
            assert!(stderr(&other).contains("an unlock prompt is open"), "{other:?}");
            assert!(took < AT_ONCE, "another login: {took:?}");
            let (done, took) = timed(|| house.ctl(&["logout", &first]));
            assert_eq!(done.status.code(), Some(0), "{done:?}");
            assert!(took < AT_ONCE, "logout: {took:?}");
            dialog.cancel();
        });
        assert_eq!(told.status.code(), Some(74), "{told:?}");
        assert!(stderr(&told).contains("locked"), "{told:?}");
    }
    let truth = house.simulator.truth();
    assert_eq!(truth.logins_ok, 0, "no token is made that cannot be kept");
    assert_eq!(truth.alive(), [held.as_str(), brought.as_str()]);
    assert_eq!(prompter.calls(), 2);
    service(&mut house).unlock();
    within(NOTICED, "the first one's secret to go", || (house.secrets() == 1).then_some(()));
    assert_eq!(house.logout(&second, "10s")["outcome"], "revoked");
    house.eventually_empty();
}

/// A daemon that has its sessions on disk alone: all of its tries to read them ask nobody. When a
/// person unlocks the keyring for something else, they go on.
#[test]
fn work_in_the_background_never_asks() {
    let Some(mut house) = open() else { return };
    let (kept, token) = house.add_one();
    let (ended, _) = house.add_one();
    house.kill_9();
    let prompter = lock(&mut house);
    house.start();
    assert_eq!(house.logout(&ended, "100ms")["state"], "revoking");
    assert_eq!(house.refused("session.token", json!({"session": kept})).code, -32003);
    assert_eq!(house.refused("session.touch", json!({"session": ended})).code, -32012);
    house.call("session.retry", json!({}));
    assert_locked(&house);
    // Its own tries, several to each of them; and the search for secrets without a record.
    eventually("tries", || (house.log().matches("is locked").count() >= 6).then_some(()));
    assert_eq!(prompter.calls(), 0, "somebody prompted");

    let told = asking(&house, &prompter, &LOGIN, PASSWORD, |dialog, _| dialog.answer());
    assert_eq!(told.status.code(), Some(0), "{told:?}");
    assert_eq!(within(NOTICED, "the logout", || house.ended(&ended))["outcome"], "revoked");
    let lent = within(NOTICED, "the token", || {
        house.try_call("session.token", json!({"session": kept})).ok()
    });
    assert_eq!(lent["token"], token.as_str());
    assert_eq!(prompter.calls(), 1);
    house.call("session.logout", json!({"all": true, "wait": "10s"}));
    assert_eq!(house.simulator.truth().alive(), [""; 0]);
    house.eventually_empty();
}

/// Whoever asked has gone when the dialog is answered: what is made for him all the same is revoked.
#[test]
fn a_person_who_goes_before_the_dialog_is_answered() {
    let Some(mut house) = open() else { return };
    let prompter = lock(&mut house);
    let mut client = house.client();
    client.send("session.login", json!({"password": PASSWORD}));
    let dialog = prompter.dialog();
    drop(client);
    dialog.answer();
    eventually("the keyring to be unlocked", || {
        let status = house.call("daemon.status", json!({}));
        (status["keyring"]["state"] == "ready").then_some(())
    });
    house.eventually_true("no token to be left", |truth| {
        truth.logins_ok == 1 && truth.alive().is_empty()
    });
    house.eventually_empty();
    let history = house.call("session.history", json!({}));
    assert_eq!(history["sessions"][0]["reason"], "abandoned", "{history}");
}

/// A daemon that is told to stop does not wait for the person.
#[test]
fn a_stop_while_the_dialog_is_open() {
    let Some(mut house) = open() else { return };
    house.add_many(2);
    let prompter = lock(&mut house);
    let mut client = house.client();
    client.send("session.login", json!({"password": PASSWORD}));
    let _dialog = prompter.dialog();
    let (status, took) = timed(|| house.terminate());
    assert!(status.success(), "{status}");
    assert!(took < Duration::from_secs(6), "the grace is 5 s: {took:?}");
    let truth = house.simulator.truth();
    assert_eq!((truth.logins_ok, truth.alive()), (0, vec![]));
    service(&mut house).unlock();
    house.start();
    house.eventually_empty();
}

/// A keyring that ends while its dialog is open answers nobody any more.
#[test]
fn a_keyring_that_ends_while_the_dialog_is_open() {
    let Some(mut house) = open() else { return };
    let (id, token) = house.add_one();
    house.kill_9();
    let prompter = lock(&mut house);
    house.start();
    let mut client = house.client();
    client.send("session.login", json!({"password": PASSWORD}));
    let _dialog = prompter.dialog();
    service(&mut house).stop();
    let (answer, took) = timed(|| client.receive());
    let code = answer.map(|answer| answer["error"]["code"].clone());
    assert_eq!(code, Some(json!(-32004)), "the keyring is gone");
    assert!(took < DIALOG_GONE, "{took:?}");
    assert_eq!(house.simulator.truth().connections, 0);
    // Nor does anybody else wait for a dialog that has gone.
    service(&mut house).start();
    let lent = within(NOTICED, "the token", || {
        house.try_call("session.token", json!({"session": id})).ok()
    });
    assert_eq!(lent["token"], token.as_str());
}
