//! What a console tells its programs. What comes has the numbers that Windows' own C library has for it.

use std::{
    io,
    os::windows::io::{AsHandle, BorrowedHandle},
    process,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use securid_windows::{
    control::{Control, on_control},
    wait::Event,
};

use super::INTERRUPTED;
use crate::failure::Failure;

/// Ctrl-C, Ctrl-Break, and a console that closes, with or without the system.
const INTERRUPT: i32 = 2;
const BREAK: i32 = 21;
const CLOSE: i32 = 15;

/// Whose what comes is. The last one that is not dropped counts.
static WHOSE: Mutex<Whose> = Mutex::new(Whose {
    interrupts: false,
    is_somebody_elses: false,
    noted: None,
    caught: None,
    last_words: None,
});

struct Whose {
    /// Whether Ctrl-C ends this process with 130.
    interrupts: bool,
    /// Whether it is for a program that we have started, and that has the same console.
    is_somebody_elses: bool,
    /// Where it is only noted.
    noted: Option<Arc<AtomicUsize>>,
    /// Who asks a person, or draws.
    caught: Option<Arc<Queue>>,
    /// What is done before the end.
    last_words: Option<Box<dyn FnOnce() + Send>>,
}

struct Queue {
    came: Mutex<Vec<i32>>,
    /// Set while there is something in it.
    any: Event,
}

/// From now on Ctrl-C ends this process, except while [`Interrupt::spare`] runs.
pub(crate) struct Interrupt(());

/// What came while it was nobody else's.
pub(crate) struct Caught(Arc<Queue>);

impl Interrupt {
    /// # Errors
    /// If the system takes no handler.
    pub(crate) fn arm() -> Result<Self, Failure> {
        on_control(meet).map_err(|error| Failure::system("catch Ctrl-C", &error))?;
        whose().interrupts = true;
        Ok(Self(()))
    }

    /// From now on Ctrl-C is somebody else's, and so is what ends a program.
    pub(crate) fn disarm(self) {
        let mut whose = whose();
        whose.interrupts = false;
        whose.is_somebody_elses = true;
    }

    /// From now on what ends a program only sets this to its number, for somebody who has the screen to clear first
    /// and ends the process then.
    ///
    /// # Errors
    /// None here.
    pub(crate) fn leave_to_flag(&self) -> io::Result<Arc<AtomicUsize>> {
        let noted = Arc::default();
        whose().noted = Some(Arc::clone(&noted));
        Ok(noted)
    }

    /// What ends a program ends this process again.
    pub(crate) fn rearm(&self) {
        whose().noted = None;
    }

    /// Asks a person, with all caught that would leave the console without echo, or a dialog without anybody who waits
    /// for it.
    ///
    /// # Errors
    /// If the system takes no handler.
    pub(crate) fn spare<T>(&self, ask: impl FnOnce(&mut Caught) -> T) -> io::Result<T> {
        let mut caught = Caught::begin()?;
        let answer = ask(&mut caught);
        let left = caught.pending();
        drop(caught);
        // What came with the answer does now what it does by itself.
        if !left.is_empty() {
            process::exit(INTERRUPTED.into());
        }
        Ok(answer)
    }
}

impl Caught {
    /// Catches all from now on.
    ///
    /// # Errors
    /// If the system takes no handler.
    pub(crate) fn begin() -> io::Result<Self> {
        on_control(meet)?;
        let queue = Arc::new(Queue { came: Mutex::default(), any: Event::new()? });
        whose().caught = Some(Arc::clone(&queue));
        Ok(Self(queue))
    }

    /// What came since the last look.
    pub(crate) fn pending(&mut self) -> Vec<i32> {
        let mut came = self.0.came.lock().unwrap_or_else(PoisonError::into_inner);
        // One that cannot be cleared costs a look more.
        let _ = self.0.any.clear();
        std::mem::take(&mut came)
    }
}

impl Drop for Caught {
    fn drop(&mut self) {
        whose().caught = None;
    }
}

/// Set once there is something.
impl AsHandle for Caught {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.0.any.as_handle()
    }
}

/// Does what it does by itself: ends this process.
///
/// # Errors
/// For Ctrl-C, which ends a command in its own way.
pub(crate) fn obey(control: i32) -> io::Result<()> {
    match control {
        INTERRUPT => Err(io::ErrorKind::Interrupted.into()),
        _ => process::exit(INTERRUPTED.into()),
    }
}

/// Whether it ends what we have started, and us with it: all of it does.
pub(crate) fn ends(_: i32) -> bool {
    true
}

/// From now on what comes is for the program that we have started, which has the same console and is told as well.
///
/// # Errors
/// If the system takes no handler.
pub(crate) fn leave_to_the_program() -> io::Result<()> {
    on_control(meet)?;
    whose().is_somebody_elses = true;
    Ok(())
}

/// Has this done before Ctrl-C or an end of the console ends the process, which it does then.
///
/// # Errors
/// If the system takes no handler.
pub(crate) fn before_the_end(work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    on_control(meet)?;
    let mut whose = whose();
    whose.interrupts = true;
    whose.last_words = Some(Box::new(work));
    Ok(())
}

/// What the system calls, on a thread of its own; whether that was all. It may come several times at once.
fn meet(control: Control) -> bool {
    let number = match control {
        Control::Interrupt => INTERRUPT,
        Control::Break => BREAK,
        Control::Close | Control::LogOff | Control::Shutdown => CLOSE,
    };
    let mut whose = whose();
    if let Some(queue) = &whose.caught {
        let mut came = queue.came.lock().unwrap_or_else(PoisonError::into_inner);
        came.push(number);
        // Whoever waits for something else sees it then.
        let _ = queue.any.set();
    } else if let Some(noted) = &whose.noted {
        let number = usize::try_from(number).unwrap_or_default();
        noted.store(number, Ordering::SeqCst);
    } else if !whose.is_somebody_elses {
        if let Some(last_words) = whose.last_words.take() {
            last_words();
        }
        // Break and the end of a console have a status of the system's.
        if whose.interrupts && number == INTERRUPT {
            process::exit(INTERRUPTED.into());
        }
        return false;
    }
    drop(whose);
    if number == CLOSE {
        // The process ends as soon as this returns: it has some seconds to do so by itself.
        loop {
            thread::park();
        }
    }
    true
}

fn whose() -> MutexGuard<'static, Whose> {
    WHOSE.lock().unwrap_or_else(PoisonError::into_inner)
}
