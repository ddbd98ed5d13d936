//! The memory of the process as a whole: kept from others, and given back.

use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use tracing::warn;

use crate::{limits, words};

/// Keeps others and core dumps away. To be called before anything secret is there.
pub(crate) fn protect() {
    securid_secret::shut_others_out();
    // Once more, should that be refused. Where a sandbox forbids this (`~@resources`), the unit has
    // `LimitCORE=0` instead.
    limits::no_core_dumps();
}

/// Says, once, that what is secret may have been written to swap.
pub(crate) fn tell_if_unlocked() {
    static TOLD: Once = Once::new();
    if securid_secret::unlocked() {
        TOLD.call_once(|| {
            warn!(
                "some memory that tokens are in cannot be locked, and may be written to swap. {} \
                 and start it anew, or see to it that swap is encrypted.",
                words::MORE_LOCKED_MEMORY
            );
        });
    }
}

/// Whether nobody needs the program for now.
static RESTS: AtomicBool = AtomicBool::new(false);

/// Gives back what the work has taken, now that there is none; the program's own text, too, if it is known that nobody needs
/// it. Some milliseconds at most.
pub(crate) fn give_back(text_too: bool) {
    securid_secret::give_back_what_is_free();
    RESTS.store(text_too, Ordering::Relaxed);
}

/// The last thing before the runtime waits: all that leads up to that would be mapped again at once.
pub(crate) fn before_waiting() {
    if RESTS.load(Ordering::Relaxed) {
        RESTS.store(false, Ordering::Relaxed);
        securid_secret::let_go_of_the_program();
    }
}
