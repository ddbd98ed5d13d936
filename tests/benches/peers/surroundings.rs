//! Where and when it was measured, and beside what.

use std::fs;
use std::process::Command;

use jiff::Timestamp;
use securid_tests::PATIENCE;
use securid_tests::process::run;

use crate::arguments::Arguments;
use crate::peer::{self, which};

/// For the page.
pub(crate) fn told(arguments: &Arguments) -> String {
    let mut told = format!(
        "`{}`, {}: {}, {} cores, {} of memory, Linux {}, {}.\n\nBeside ",
        arguments.line,
        Timestamp::now().strftime("%Y-%m-%d"),
        first("/proc/cpuinfo", "model name").unwrap_or_else(|| "an unknown processor".into()),
        std::thread::available_parallelism().map_or(1, usize::from),
        memory().unwrap_or_default(),
        rustix::system::uname().release().to_string_lossy(),
        said("rustc", "--version"),
    );
    let (there, absent): (Vec<_>, Vec<_>) =
        peer::all().into_iter().partition(|peer| peer.is_there());
    let mut versions: Vec<String> = there.iter().map(|peer| peer.told_version()).collect();
    for program in ["curl", "python3", "node"] {
        if which(program).is_some() {
            versions.push(format!("{program}: {}", said(program, "--version")));
        }
    }
    told += &versions.join("; ");
    if !absent.is_empty() {
        let names: Vec<_> = absent.iter().map(|peer| peer.name).collect();
        told += &format!(". Not there: {}", names.join(", "));
    }
    told + ".\n"
}

fn said(program: &str, flag: &str) -> String {
    let mut command = Command::new(program);
    command.arg(flag);
    let told = run(command, "", PATIENCE).stdout;
    // curl names all its libraries.
    let line = String::from_utf8_lossy(&told).lines().next().unwrap_or_default().to_owned();
    line.split(" (").next().unwrap_or_default().to_owned()
}

fn first(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn memory() -> Option<String> {
    let kib: f64 = first("/proc/meminfo", "MemTotal")?.split(' ').next()?.parse().ok()?;
    Some(format!("{:.0} GiB", kib / 1024.0 / 1024.0))
}
