//! Ctrl-C ends a command with 130, as the contract says, not by a signal that only a shell would
//! translate so. And while a person is asked, no signal ends or stops us before the terminal is put back.

use std::{
    fs, io,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::net::UnixStream,
    },
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use signal_hook::{
    consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP},
    flag,
    iterator::{backend::SignalDelivery, exfiltrator::SignalOnly},
    low_level::{emulate_default_handler, raise},
};

use crate::failure::Failure;

/// The exit status of a command that was interrupted.
pub(crate) const INTERRUPTED: u8 = 130;

/// From now on Ctrl-C ends this process, except while [`Interrupt::spare`] runs.
pub(crate) struct Interrupt {
    /// Whether Ctrl-C ends this process.
    interrupts: Arc<AtomicBool>,
    /// The same of what else ends a program.
    ends: Arc<AtomicBool>,
    /// The same of what nobody catches, but whoever asks a person.
    is_left_alone: Arc<AtomicBool>,
}

/// The signals that came while they were nobody else's.
pub(crate) struct Caught(SignalDelivery<UnixStream, SignalOnly>);

impl Interrupt {
    /// # Errors
    /// If the system takes no signal handler.
    pub(crate) fn arm() -> Result<Self, Failure> {
        Self::handlers().map_err(|error| Failure::system("catch Ctrl-C", &error))
    }

    fn handlers() -> io::Result<Self> {
        let [interrupts, ends, is_left_alone] =
            std::array::from_fn(|_| Arc::new(AtomicBool::new(true)));
        for signal in wanted([SIGINT]) {
            flag::register_conditional_shutdown(
                signal,
                INTERRUPTED.into(),
                Arc::clone(&interrupts),
            )?;
        }
        // Once a signal was caught, it would be lost afterwards: what it does by itself is done by hand then.
        for signal in wanted([SIGHUP, SIGTERM]) {
            flag::register_conditional_default(signal, Arc::clone(&ends))?;
        }
        for signal in wanted([SIGQUIT, SIGTSTP]) {
            flag::register_conditional_default(signal, Arc::clone(&is_left_alone))?;
        }
        Ok(Self { interrupts, ends, is_left_alone })
    }

    /// From now on Ctrl-C is somebody else's, and so is what ends a program.
    pub(crate) fn disarm(self) {
        self.interrupts.store(false, Ordering::SeqCst);
        self.ends.store(false, Ordering::SeqCst);
    }

    /// From now on what ends a program only sets this to its number, for somebody who has the screen to clear first
    /// and ends the process then.
    ///
    /// # Errors
    /// If the system takes no signal handler.
    pub(crate) fn leave_to_flag(&self) -> io::Result<Arc<AtomicUsize>> {
        let noted = Arc::default();
        for signal in ending_signals() {
            flag::register_usize(signal, Arc::clone(&noted), signal.unsigned_abs() as usize)?;
        }
        self.interrupts.store(false, Ordering::SeqCst);
        self.ends.store(false, Ordering::SeqCst);
        Ok(noted)
    }

    /// What ends a program ends this process again.
    pub(crate) fn rearm(&self) {
        self.interrupts.store(true, Ordering::SeqCst);
        self.ends.store(true, Ordering::SeqCst);
    }

    /// Asks a person, with the signals caught that would leave the terminal without echo, or a dialog without
    /// anybody who waits for it.
    ///
    /// # Errors
    /// If the system takes no signal handler.
    pub(crate) fn spare<T>(&self, ask: impl FnOnce(&mut Caught) -> T) -> io::Result<T> {
        let mut caught = Caught::begin([SIGINT, SIGHUP, SIGTERM, SIGQUIT, SIGTSTP, SIGCONT])?;
        self.set(false);
        let answer = ask(&mut caught);
        self.set(true);
        // What came with the answer does now what it does by itself.
        caught.pending().into_iter().try_for_each(raise)?;
        Ok(answer)
    }

    fn set(&self, armed: bool) {
        self.interrupts.store(armed, Ordering::SeqCst);
        self.ends.store(armed, Ordering::SeqCst);
        self.is_left_alone.store(armed, Ordering::SeqCst);
    }
}

impl Caught {
    /// Catches these from now on.
    ///
    /// # Errors
    /// If the system takes no signal handler.
    pub(crate) fn begin<const N: usize>(signals: [i32; N]) -> io::Result<Self> {
        let (read, write) = UnixStream::pair()?;
        SignalDelivery::with_pipe(read, write, SignalOnly, wanted(signals)).map(Self)
    }

    /// Those that came since the last look.
    pub(crate) fn pending(&mut self) -> Vec<i32> {
        self.0.pending().collect()
    }
}

/// Readable once there is one.
impl AsFd for Caught {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.get_read().as_fd()
    }
}

/// Does what a caught signal does by itself: ends this process, or stops it and returns when it goes on.
///
/// # Errors
/// For Ctrl-C, which ends a command in its own way.
pub(crate) fn obey(signal: i32) -> io::Result<()> {
    match signal {
        SIGINT => Err(io::ErrorKind::Interrupted.into()),
        signal => emulate_default_handler(signal),
    }
}

/// What a command says that was interrupted.
pub(crate) fn interrupted() -> Failure {
    Failure::new("interrupted", "interrupted", INTERRUPTED)
}

/// The signals among these that are ours to catch. Those that are ignored stay so (`nohup`), and nobody would wake the
/// leader of a session.
fn wanted<const N: usize>(signals: [i32; N]) -> impl Iterator<Item = i32> {
    let ignored = ignored_signals();
    let leads = is_with_the_leader();
    let stops = move |signal| signal == SIGTSTP && leads;
    let is_ignored = move |signal: i32| ignored & (1_u64 << (signal - 1)) != 0;
    signals.into_iter().filter(move |&signal| !stops(signal) && !is_ignored(signal))
}

/// What ends or interrupts a program, as a service manager or a person sends it, as far as it is not ignored.
pub(crate) fn ending_signals() -> impl Iterator<Item = i32> {
    wanted([SIGHUP, SIGINT, SIGTERM])
}

/// Whether this process is in the group of its session's leader. Both have no number (0) where they are outside of
/// a container, as for who comes in by `nsenter`; so they are not asked for by `getsid`, whose answer is no process
/// then.
fn is_with_the_leader() -> bool {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Behind the name, which is in brackets and may hold any character: state, parent, group and session.
    let mut fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().skip(2);
    let group = fields.next();
    group.is_some() && group == fields.next()
}

/// The set of signals that this process ignores, bit 0 for signal 1; empty where it is unknown.
fn ignored_signals() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}
