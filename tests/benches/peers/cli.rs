//! A round trip of a command line: a process that asks a daemon one thing, from its start to its end.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use securid_tests::House;

use crate::arguments::Arguments;
use crate::findings::{Findings, OURS};
use crate::ours::{add, ctl, plan};
use crate::peer::{command, installed};

const PART: &str = "cli";

/// Makes the command that asks.
type Asks<'a> = Box<dyn Fn() -> Command + 'a>;

pub(crate) fn measure(arguments: &Arguments, found: &mut Findings) {
    let house = House::open(plan("keyutils"));
    let id = add(&house, 1, 1).remove(0);
    let [list, token] = [["list", ""], ["token", &id]].map(|words| {
        let words = words.into_iter().filter(|word| !word.is_empty());
        words.map(str::to_owned).collect::<Vec<_>>()
    });
    for words in [&list, &token] {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        assert!(house.ctl(&words).status.success(), "{words:?}");
    }
    let ours = |words: &[String]| {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        ctl(&house, &words)
    };
    let peers: Vec<_> = installed().into_iter().map(|peer| (peer.open(), peer.question)).collect();
    let mut all: Vec<(&str, Asks<'_>)> = vec![
        ("list", Box::new(|| ours(&list))),
        ("token", Box::new(|| ours(&token))),
        ("true", Box::new(|| command("true", Path::new("/")))),
    ];
    for (running, (name, question)) in &peers {
        all.push((name, Box::new(|| question(running.home.path()))));
    }
    let mut took = vec![Vec::new(); all.len()];
    // The first round finds out what has to be read from disk.
    for round in 0..=arguments.effort.commands {
        for ((_, command), took) in all.iter().zip(&mut took) {
            let once = time(command());
            if round > 0 {
                took.push(once);
            }
        }
    }
    // Each of ours beside all others.
    for (figure, ours) in [("list", &took[0]), ("token", &took[1])] {
        found.put_times(PART, figure, OURS, ours);
        for ((who, _), took) in all.iter().zip(&took).skip(2) {
            found.put_times(PART, figure, who, took);
        }
    }
}

fn time(mut command: Command) -> Duration {
    let began = Instant::now();
    let status = command.status();
    let took = began.elapsed();
    // Those that are asked for what they have not say so with a status of their own.
    status.unwrap_or_else(|e| panic!("{command:?}: {e}"));
    took
}
