//! A bar that shows on a terminal how far a revocation of many has come. Who waits for the end goes on waiting as
//! ever; what is asked meanwhile, and what is drawn, are done by threads of their own. Neither a daemon that does
//! not answer nor a terminal that takes nothing holds anybody up.
//!
//! It is drawn without a library: what there is (`indicatif`) fills the line to its end, so that what a terminal
//! shows of Ctrl-C goes to the next one, and the bar stays.

mod terminal;

use std::{
    io::{self, IsTerminal as _, Write as _, stderr},
    process::exit,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread::{self, sleep},
    time::{Duration, Instant},
};

use signal_hook::{consts::SIGINT, low_level::emulate_default_handler};

/// What is over sooner needs no bar.
const PATIENCE: Duration = Duration::from_millis(500);

/// What takes less than this is not even asked about.
const BEFORE_ASKING: Duration = Duration::from_millis(100);

/// How long between two questions. A person sees no difference to less.
const BETWEEN_QUESTIONS: Duration = Duration::from_millis(200);

/// How often the bar is looked after, and whether a signal came.
const TICK: Duration = Duration::from_millis(50);

/// How long a terminal may take to clear the line; one that was stopped (Ctrl-S) takes for ever. By twice that a
/// signal has ended the process, where there is a bar.
pub const CLEARING: Duration = Duration::from_millis(500);

/// What Ctrl-C ends a program with.
const INTERRUPTED: i32 = 130;

/// Nobody has said yet how much is left.
const UNKNOWN: u64 = u64::MAX;

/// How many characters the bar itself has.
const BAR: u64 = 30;

/// To the beginning of the line, which is empty then.
const CLEAR: &str = "\r\x1b[K";

/// Whether there is a bar on this process's terminal.
static DRAWN: Mutex<bool> = Mutex::new(false);

/// Shows how far it has come, until it is dropped; then the line is as it was before.
#[derive(Debug)]
pub struct Progress {
    /// Dropped, it says that it is over.
    going_on: Option<Sender<()>>,
    /// Ends when the line is clear.
    cleared: Receiver<()>,
}

#[derive(Debug)]
struct Counts {
    /// How much is left, as was said last.
    left: AtomicU64,
    /// How much there was at most.
    total: AtomicU64,
    /// Nobody looks any more.
    over: AtomicBool,
}

impl Progress {
    /// Begins to ask, again and again, how much is left, and draws a bar once that has gone on for half a second.
    /// `total` is how much there is, or 0 where only the answers tell. From now on a signal that is to end the
    /// process is to set `signal` to its number: then that ends once the line is clear, of Ctrl-C with 130, else by
    /// the signal.
    #[must_use]
    pub fn begin(
        total: u64,
        ask: impl FnMut() -> Option<u64> + Send + 'static,
        signal: Arc<AtomicUsize>,
    ) -> Self {
        let counts = Arc::new(Counts {
            left: AtomicU64::new(UNKNOWN),
            total: AtomicU64::new(total),
            over: AtomicBool::new(false),
        });
        let (going_on, is_going_on) = channel();
        let (clearing, cleared) = channel();
        let asked = Arc::clone(&counts);
        thread::spawn(move || asked.keep_asking(ask));
        let watched = Arc::clone(&counts);
        thread::spawn(move || watched.keep_watching(&signal));
        thread::spawn(move || {
            counts.keep_drawing(&is_going_on);
            counts.over.store(true, Ordering::SeqCst);
            drop(clearing);
        });
        Self { going_on: Some(going_on), cleared }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.going_on = None;
        let _ = self.cleared.recv_timeout(CLEARING);
    }
}

impl Counts {
    fn keep_asking(&self, mut ask: impl FnMut() -> Option<u64>) {
        sleep(BEFORE_ASKING);
        while !self.over.load(Ordering::SeqCst) {
            if let Some(left) = ask() {
                self.total.fetch_max(left, Ordering::SeqCst);
                self.left.store(left, Ordering::SeqCst);
            }
            sleep(BETWEEN_QUESTIONS);
        }
    }

    /// Draws until it is over, and clears the line.
    fn keep_drawing(&self, is_going_on: &Receiver<()>) {
        let begun = Instant::now();
        while is_going_on.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
            if begun.elapsed() >= PATIENCE {
                self.draw();
            }
        }
        clear();
    }

    /// Ends the process if a signal comes before it is over: with a clear line, but not later for a terminal that
    /// takes nothing, on which whoever draws hangs as well.
    fn keep_watching(&self, signal: &AtomicUsize) {
        while !self.over.load(Ordering::SeqCst) {
            sleep(TICK);
            let came = i32::try_from(signal.load(Ordering::SeqCst)).unwrap_or(0);
            if came == 0 {
                continue;
            }
            self.over.store(true, Ordering::SeqCst);
            let (clearing, cleared) = channel::<()>();
            thread::spawn(move || {
                clear();
                drop(clearing);
            });
            let _ = cleared.recv_timeout(CLEARING);
            end_by(came);
        }
    }

    fn draw(&self) {
        let (left, total) = (self.left.load(Ordering::SeqCst), self.total.load(Ordering::SeqCst));
        if left == UNKNOWN {
            return;
        }
        let columns = terminal::columns();
        let mut drawn = drawn();
        if self.over.load(Ordering::SeqCst) {
            return;
        }
        write(&format!("{CLEAR}{}", line(total.saturating_sub(left), total, columns)));
        *drawn = true;
    }
}

/// How far it is, in less than so many columns: at the end of a line that is full, what comes next would be on
/// another.
fn line(done: u64, total: u64, columns: usize) -> String {
    let filled = (BAR * done).checked_div(total).unwrap_or(BAR);
    let bar: String = (0..BAR).map(|at| if at < filled { '=' } else { ' ' }).collect();
    let said = format!("revoked {done} of {total}");
    let lines = [format!("{said} [{bar}]"), said];
    lines.into_iter().find(|line| line.len() < columns).unwrap_or_default()
}

/// Ends this process as that signal does: Ctrl-C with 130, any other by itself.
pub fn end_by(signal: i32) -> ! {
    if signal != SIGINT {
        // It comes back only from one that ends nothing by itself.
        let _ = emulate_default_handler(signal);
    }
    exit(INTERRUPTED)
}

/// Writes to the terminal above the bar, if there is one.
///
/// # Errors
/// Those of the writing.
pub fn above_the_bar<T>(write: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    // It is drawn anew soon.
    let _drawn = cleared();
    write()
}

/// Whether somebody would see a bar: stderr is a terminal that can draw.
#[must_use]
pub fn is_seen() -> bool {
    stderr().is_terminal() && terminal::can_draw()
}

fn clear() {
    drop(cleared());
}

fn cleared() -> MutexGuard<'static, bool> {
    let mut drawn = drawn();
    if *drawn {
        write(CLEAR);
        *drawn = false;
    }
    drawn
}

fn drawn() -> MutexGuard<'static, bool> {
    // Whoever panicked with it left nothing that a clear line does not mend.
    DRAWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// In one piece; nobody can be told that it failed.
fn write(text: &str) {
    let _ = stderr().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn it_fits() {
        let half = "revoked 5 of 10 [===============               ]";
        assert_eq!(line(5, 10, 80), half);
        assert_eq!(line(5, 10, half.len()), "revoked 5 of 10");
        assert_eq!(line(5, 10, 4), "");
        assert_eq!(line(0, 0, 80), format!("revoked 0 of 0 [{}]", "=".repeat(30)));
    }
}
