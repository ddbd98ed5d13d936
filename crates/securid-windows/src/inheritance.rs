//! Handles that no program gets which is started.

use windows_sys::Win32::{
    Foundation::{HANDLE, HANDLE_FLAG_INHERIT, SetHandleInformation},
    System::Threading::{GetCurrentProcess, GetProcessHandleCount},
};

/// Handles are multiples of four, given out from below.
const STEP: usize = 4;

/// Up to here is looked for them: a quarter of it are more than any program of ours has.
const HIGHEST: usize = 64 * 1024;

/// Keeps every handle of this process from programs that it starts from now on, but for what it gives them as standard
/// input, output and error. Among them are those that this process was given itself: a pipe that its caller reads to the end.
pub fn keep_handles() {
    let mut left = 0;
    // A process with one handle or none is one whose handles are not counted: Wine does not.
    // SAFETY: the handle of this process itself needs no closing, and the count is written to a local.
    if unsafe { GetProcessHandleCount(GetCurrentProcess(), &mut left) } == 0 || left <= 1 {
        left = u32::MAX;
    }
    for value in (STEP..HIGHEST).step_by(STEP) {
        if left == 0 {
            return;
        }
        // SAFETY: of a handle that is there only a flag is cleared, which changes nothing for this process; of one that is
        // not, nothing is done.
        let is_one = unsafe { SetHandleInformation(value as HANDLE, HANDLE_FLAG_INHERIT, 0) };
        left -= u32::from(is_one != 0);
    }
}
