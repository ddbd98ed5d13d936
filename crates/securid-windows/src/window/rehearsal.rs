//! What Windows says to the windows of a program, said by a test.

use std::io;
use std::ptr::{null, null_mut};

use windows_sys::Win32::Foundation::HWND;
use windows_sys::Win32::UI::WindowsAndMessaging::{
    ENDSESSION_LOGOFF, FindWindowExW, GetWindowThreadProcessId, IsWindow, PBT_APMRESUMEAUTOMATIC,
    PBT_APMSUSPEND, SMTO_NORMAL, SendMessageTimeoutW, WM_CLOSE, WM_ENDSESSION, WM_POWERBROADCAST,
    WM_QUERYENDSESSION, WM_WTSSESSION_CHANGE, WTS_SESSION_LOCK,
};

use super::NAME;

/// How long a window may take to hear something, in milliseconds: far longer than Windows itself waits.
const PATIENCE: u32 = 20_000;

/// What is rehearsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scene {
    /// The user logs off.
    LogOff,
    /// The machine goes down.
    Shutdown,
    /// It goes to sleep.
    Suspend,
    /// It has woken.
    Wake,
    /// The screen is locked.
    Lock,
    /// `taskkill` asks the program to end.
    Ask,
}

/// Has the windows of this process hear what Windows would say then, and waits until they have, 20 s at most. A process that has
/// ended meanwhile has heard it.
///
/// # Errors
/// If the process has no such window, or one does not hear it in time.
pub fn rehearse(pid: u32, scene: Scene) -> io::Result<()> {
    let windows = windows_of(pid);
    if windows.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "the process has no such window"));
    }
    windows.into_iter().try_for_each(|window| {
        let log_off = ENDSESSION_LOGOFF as isize;
        match scene {
            Scene::LogOff => {
                send(window, WM_QUERYENDSESSION, 0, log_off)?;
                send(window, WM_ENDSESSION, 1, log_off)
            }
            Scene::Shutdown => {
                send(window, WM_QUERYENDSESSION, 0, 0)?;
                send(window, WM_ENDSESSION, 1, 0)
            }
            Scene::Suspend => send(window, WM_POWERBROADCAST, PBT_APMSUSPEND, 0),
            Scene::Wake => send(window, WM_POWERBROADCAST, PBT_APMRESUMEAUTOMATIC, 0),
            Scene::Lock => send(window, WM_WTSSESSION_CHANGE, WTS_SESSION_LOCK, 1),
            Scene::Ask => send(window, WM_CLOSE, 0, 0),
        }
    })
}

fn windows_of(pid: u32) -> Vec<HWND> {
    let (mut found, mut last) = (Vec::new(), null_mut());
    loop {
        // SAFETY: the names stay; windows are numbers, and one that has gone meanwhile ends the search.
        last = unsafe { FindWindowExW(null_mut(), last, NAME, null()) };
        if last.is_null() {
            return found;
        }
        let mut of = 0;
        // SAFETY: the number is written during the call.
        unsafe { GetWindowThreadProcessId(last, &raw mut of) };
        if of == pid {
            found.push(last);
        }
    }
}

fn send(window: HWND, message: u32, what: u32, how: isize) -> io::Result<()> {
    let mut answer = 0;
    // SAFETY: the answer is written during the call.
    let heard = unsafe {
        SendMessageTimeoutW(
            window,
            message,
            what as usize,
            how,
            SMTO_NORMAL,
            PATIENCE,
            &raw mut answer,
        )
    };
    match heard {
        0 => {
            let error = io::Error::last_os_error();
            // SAFETY: it takes a number.
            let is_there = unsafe { IsWindow(window) } != 0;
            if is_there { Err(error) } else { Ok(()) }
        }
        _ => Ok(()),
    }
}
