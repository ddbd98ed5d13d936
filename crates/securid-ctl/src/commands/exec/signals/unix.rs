//! Signals, and how a program ends by one.

use std::{
    fs::File,
    io,
    os::unix::process::ExitStatusExt as _,
    process::{Child, ExitStatus},
    thread,
};

use rustix::{
    io::Errno,
    process::{Pid, Signal, WaitId, WaitIdOptions, getpgrp, kill_process, waitid},
    termios::tcgetpgrp,
};
use signal_hook::iterator::Signals;

use crate::{failure::FAILED, interrupt::ending_signals};

/// Caught signals on their way to a program.
pub(in super::super) struct Forwarder(Signals);

impl Forwarder {
    /// Catches signals from now on: one that comes before the program runs is passed on to it as
    /// soon as it does. Signals that are ignored stay so, for the program too (`nohup`).
    pub(in super::super) fn catch() -> io::Result<Self> {
        Signals::new(ending_signals()).map(Self)
    }

    /// Passes signals on until the program has ended.
    pub(in super::super) fn wait(mut self, mut child: Child) -> io::Result<ExitStatus> {
        let handle = self.0.handle();
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let forwarding = thread::spawn(move || {
            for signal in self.0.forever() {
                if let (Some(pid), Some(signal)) = (pid, Signal::from_named_raw(signal)) {
                    // It may have ended: that is found out below.
                    let _ = forward(pid, signal);
                }
            }
        });
        // Its number stays its own until it is reaped, so nobody else is ever hit.
        if let Some(pid) = pid {
            let ended = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            while matches!(waitid(WaitId::Pid(pid), ended), Err(Errno::INTR)) {}
        }
        handle.close();
        let _ = forwarding.join();
        child.wait()
    }
}

/// The program's own status, or 128 and the signal that ended it, as shells have it.
pub(in super::super) fn status(ended: ExitStatus) -> i32 {
    ended.code().or_else(|| ended.signal().map(|signal| 128 + signal)).unwrap_or(FAILED.into())
}

fn forward(pid: Pid, signal: Signal) -> io::Result<()> {
    if signal == Signal::INT && is_in_the_foreground() {
        return Ok(());
    }
    Ok(kill_process(pid, signal)?)
}

/// Whether the terminal sends a Ctrl-C to us and to the program alike: once more from us, and it
/// would count as an impatient second one.
fn is_in_the_foreground() -> bool {
    let group = File::open("/dev/tty").and_then(|terminal| Ok(tcgetpgrp(terminal)?));
    group.is_ok_and(|group| group == getpgrp())
}
