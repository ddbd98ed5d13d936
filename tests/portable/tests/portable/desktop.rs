//! What Windows tells the daemon's window: locked screens, sleep, and the end of the session.

use std::thread;
use std::time::{Duration, Instant};

use securid_portable_tests::{House, eventually};
use securid_simulator::Fault;
use securid_windows::window::{Scene, rehearse};

/// How long Windows waits before it ends a process.
const WINDOWS_WAITS: Duration = Duration::from_secs(5);

/// As Windows does it, once the window is there. How long it took to be heard.
fn play(house: &mut House, scene: Scene) -> Duration {
    let pid = house.daemon().pid();
    eventually("its window to hear", || {
        let began = Instant::now();
        rehearse(pid, scene).ok().map(|()| began.elapsed())
    })
}

#[test]
fn a_locked_screen_and_sleep_end_what_they_are_to_end_and_windows_waits() {
    let mut house = House::open("on_suspend = \"revoke\"");
    let (id, token) = house.add();
    play(&mut house, Scene::Lock);
    assert!(house.fate(&token).alive, "nothing was said of locked screens");
    play(&mut house, Scene::Suspend);
    assert!(!house.fate(&token).alive, "Windows went on before");
    play(&mut house, Scene::Wake);
    assert_eq!(house.eventually_ended(&id)["reason"], "suspend");

    let mut house = House::open("on_lock = \"revoke\"");
    let (id, _) = house.add();
    play(&mut house, Scene::Lock);
    assert_eq!(house.eventually_ended(&id)["reason"], "lock");
    house.assert_all_is_over();
}

#[test]
fn a_log_off_is_a_stop_and_a_shutdown_keeps_nothing() {
    let mut house = House::open("on_exit = \"keep\"");
    let (_, token) = house.add();
    play(&mut house, Scene::LogOff);
    assert_eq!(house.wait_for_end().code(), Some(0));
    assert!(house.fate(&token).alive);
    house.start();
    play(&mut house, Scene::Shutdown);
    assert_eq!(house.wait_for_end().code(), Some(0));
    assert!(!house.fate(&token).alive);
    house.assert_all_is_over();
}

#[test]
fn a_session_that_ends_is_waited_for_and_what_is_unconfirmed_goes_out_at_the_next() {
    let mut house = House::open("");
    let (id, token) = house.add();
    house.simulator.set_fault(Some(Fault::Hang));
    let took = play(&mut house, Scene::LogOff);
    // Nearly all of that time is the server's.
    let spent = WINDOWS_WAITS.mul_f64(0.7)..WINDOWS_WAITS;
    assert!(spent.contains(&took), "{took:?}");
    assert_eq!(house.wait_for_end().code(), Some(0));
    assert_eq!((house.records(), house.secrets()), (1, 1));
    house.simulator.set_fault(None);
    house.start();
    assert_eq!(house.eventually_ended(&id)["reason"], "shutdown");
    assert!(!house.fate(&token).alive);
    house.assert_all_is_over();
}

#[test]
fn with_nothing_active_there_is_no_window() {
    let mut house = House::open("");
    let (id, _) = house.add();
    play(&mut house, Scene::Wake);
    assert!(house.ctl(&["logout", &id]).status.success());
    let pid = house.daemon().pid();
    eventually("the window to go", || rehearse(pid, Scene::Wake).is_err().then_some(()));
    thread::sleep(Duration::from_millis(100));
    assert!(rehearse(pid, Scene::Wake).is_err());
    house.assert_all_is_over();
}
