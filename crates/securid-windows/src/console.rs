//! A console: what is typed, what is written, and its modes.

use std::{
    io,
    ops::Range,
    os::windows::io::{AsRawHandle as _, BorrowedHandle},
    ptr::null,
};

use windows_sys::Win32::{
    Foundation::{ERROR_OPERATION_ABORTED, GetLastError, SetLastError},
    System::Console::{
        FlushConsoleInputBuffer, GetConsoleMode, GetNumberOfConsoleInputEvents, INPUT_RECORD,
        KEY_EVENT, ReadConsoleInputW, ReadConsoleW, SetConsoleMode, WriteConsoleW,
    },
};

/// As many UTF-16 units as a console takes at once, whatever its version.
const AT_ONCE: usize = 8 * 1024;

/// How a console takes what is typed: shown as it is typed, a line at a time, Ctrl-C as a control; and whether a new size of
/// its window wakes whoever waits for what is typed.
pub use windows_sys::Win32::System::Console::{
    ENABLE_ECHO_INPUT as ECHO, ENABLE_LINE_INPUT as LINES, ENABLE_PROCESSED_INPUT as CONTROLS,
    ENABLE_WINDOW_INPUT as SIZES,
};

/// The mode of a console's input or screen.
///
/// # Errors
/// If it is none.
pub fn mode(console: BorrowedHandle<'_>) -> io::Result<u32> {
    let mut mode = 0;
    // SAFETY: the handle is open for as long as it is borrowed, and the mode is written to a local.
    succeeded(unsafe { GetConsoleMode(console.as_raw_handle(), &mut mode) })?;
    Ok(mode)
}

/// Sets it.
///
/// # Errors
/// If it is no console, or does not know such a mode.
pub fn set_mode(console: BorrowedHandle<'_>, mode: u32) -> io::Result<()> {
    // SAFETY: the handle is open for as long as it is borrowed.
    succeeded(unsafe { SetConsoleMode(console.as_raw_handle(), mode) })
}

/// Forgets what was typed and not yet read.
///
/// # Errors
/// If it is no console.
pub fn flush(console: BorrowedHandle<'_>) -> io::Result<()> {
    // SAFETY: the handle is open for as long as it is borrowed.
    succeeded(unsafe { FlushConsoleInputBuffer(console.as_raw_handle()) })
}

/// Waits for what is typed and puts it into `space`, as UTF-16 in this machine's order of bytes; where in it.
///
/// # Errors
/// [`io::ErrorKind::Interrupted`] for Ctrl-C and Ctrl-Break; else if there is nothing to be read from.
pub fn read(console: BorrowedHandle<'_>, space: &mut [u8]) -> io::Result<Range<usize>> {
    // SAFETY: all bits are units of UTF-16.
    let (before, units, _) = unsafe { space.align_to_mut::<u16>() };
    let length = u32::try_from(units.len()).unwrap_or(u32::MAX);
    let mut read = 0;
    // SAFETY: as many units are there as is said; the handle is open for as long as it is borrowed; no control is asked for.
    let outcome = unsafe {
        SetLastError(0);
        ReadConsoleW(console.as_raw_handle(), units.as_mut_ptr().cast(), length, &mut read, null())
    };
    succeeded(outcome)?;
    // SAFETY: it only reads this thread's last error.
    if read == 0 && unsafe { GetLastError() } == ERROR_OPERATION_ABORTED {
        return Err(io::ErrorKind::Interrupted.into());
    }
    let begin = before.len();
    Ok(begin..begin + 2 * read as usize)
}

/// Writes this text, whatever the console's code page.
///
/// # Errors
/// If it is no console that can be written to.
pub fn write(console: BorrowedHandle<'_>, text: &[u16]) -> io::Result<()> {
    let mut rest = text;
    while !rest.is_empty() {
        let length = u32::try_from(rest.len().min(AT_ONCE)).unwrap_or(0);
        let mut written = 0;
        // SAFETY: as many units are there as is said; the handle is open for as long as it is borrowed.
        let outcome = unsafe {
            WriteConsoleW(console.as_raw_handle(), rest.as_ptr(), length, &mut written, null())
        };
        succeeded(outcome)?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        rest = rest.get(written as usize..).unwrap_or_default();
    }
    Ok(())
}

/// The characters of the keys that were pressed, without a wait for more.
///
/// # Errors
/// If it is no console.
pub fn keys(console: BorrowedHandle<'_>) -> io::Result<Vec<u16>> {
    let handle = console.as_raw_handle();
    let mut pending = 0;
    // SAFETY: the handle is open for as long as it is borrowed, and the count is written to a local.
    succeeded(unsafe { GetNumberOfConsoleInputEvents(handle, &mut pending) })?;
    let mut keys = Vec::new();
    for _ in 0..pending {
        let mut event = INPUT_RECORD::default();
        let mut read = 0;
        // SAFETY: there is room for the one event that is asked for.
        succeeded(unsafe { ReadConsoleInputW(handle, &mut event, 1, &mut read) })?;
        if read == 0 || u32::from(event.EventType) != KEY_EVENT {
            continue;
        }
        // SAFETY: of an event of this type this is the part that is there, and any bits are a unit of UTF-16.
        let (is_down, unit) = unsafe {
            let key = event.Event.KeyEvent;
            (key.bKeyDown != 0, key.uChar.UnicodeChar)
        };
        if is_down && unit != 0 {
            keys.push(unit);
        }
    }
    Ok(keys)
}

fn succeeded(outcome: i32) -> io::Result<()> {
    if outcome == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
