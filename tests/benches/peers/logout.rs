//! One logout at a server that is near or far: our command line, whose daemon has asked the server before, beside
//! processes that begin from nothing.

use std::process::Command;
use std::time::{Duration, Instant};

use securid_tests::House;

use crate::arguments::Arguments;
use crate::far::Far;
use crate::findings::{Findings, OURS, Unit};
use crate::ours::{add, ctl, plan};
use crate::scripts;

const PART: &str = "logout";

/// What a round trip to the server takes: on this machine, within a country, to the other side of the world.
const ROUND_TRIPS: [u64; 3] = [0, 20, 100];

pub(crate) fn measure(arguments: &Arguments, found: &mut Findings) {
    let mut house = House::build(plan("keyutils"));
    let server = port(house.simulator.url());
    let far = Far::to(server);
    house.change_config(&format!(":{server}/"), &format!(":{}/", far.port));
    house.start();
    let rest = "/command.submit?cmd=logoutUser&format=json";
    let url = house.simulator.url().replace(&server.to_string(), &far.port.to_string()) + rest;
    let ca = house.path("ca.pem");
    let scripts = scripts::installed();

    for round_trip in ROUND_TRIPS {
        far.set(Duration::from_millis(round_trip));
        let figure = format!("{round_trip} ms away");
        // A connection that was made before is as near as the server was then.
        house.kill_9();
        house.start();
        let mut ours = Vec::new();
        let mut theirs = vec![Vec::new(); scripts.len()];
        for round in 0..=arguments.effort.logouts {
            let id = add(&house, 1, 1).remove(0);
            let took = time(ctl(&house, &["logout", &id]));
            if round > 0 {
                ours.push(took);
            } else {
                found.put_times(PART, &format!("{figure}, the first"), OURS, &[took]);
            }
            for (script, theirs) in scripts.iter().zip(&mut theirs) {
                let token = house.simulator.issue("alice");
                theirs.push(time(script.logout(&url, &ca, &token)));
            }
        }
        assert!(house.simulator.truth().alive().is_empty(), "tokens are left alive");
        found.put_times(PART, &figure, OURS, &ours);
        for (script, theirs) in scripts.iter().zip(&theirs) {
            found.put_times(PART, &figure, script.name, &theirs[1..]);
        }
    }
    for who in [OURS].into_iter().chain(scripts.iter().map(|script| script.name)) {
        let [near, .., far] = ROUND_TRIPS;
        let took = |away: u64| found.median(PART, &format!("{away} ms away"), who);
        if let (Some(short), Some(long)) = (took(near), took(far)) {
            let trips = (long - short) / (far - near) as f64;
            found.put(PART, "round trips", who, Unit::Count, vec![trips]);
        }
    }
}

fn time(mut command: Command) -> Duration {
    let began = Instant::now();
    let status = command.status();
    let took = began.elapsed();
    assert!(status.is_ok_and(|status| status.success()), "{:?}", command.get_program());
    took
}

fn port(url: &str) -> u16 {
    let (_, rest) = url.rsplit_once(':').expect("it has a port");
    rest.split('/').next().and_then(|port| port.parse().ok()).expect("it has a port")
}
