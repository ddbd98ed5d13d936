//! Signals.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(target_os = "macos")]
use macos as system;

use std::{
    io,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::net::UnixStream,
    },
    process,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use signal_hook::{
    consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP},
    flag,
    iterator::{Signals, backend::SignalDelivery, exfiltrator::SignalOnly},
    low_level::{emulate_default_handler, raise},
};

use super::INTERRUPTED;
use crate::failure::Failure;
use system::{ignored_signals, is_with_the_leader};

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

/// Whether a caught signal ends what we have started, and us with it.
pub(crate) fn ends(signal: i32) -> bool {
    !matches!(signal, SIGCONT | SIGTSTP)
}

/// Has this done before a signal ends the process, which it does then.
///
/// # Errors
/// If the system takes no signal handler.
pub(crate) fn before_the_end(work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let mut signals = Signals::new(ending_signals())?;
    thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            work();
            if signal != SIGINT {
                let _ = emulate_default_handler(signal);
            }
            process::exit(INTERRUPTED.into());
        }
    });
    Ok(())
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
