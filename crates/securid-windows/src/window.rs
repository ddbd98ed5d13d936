//! A window that nobody sees: of log-off, shutdown, sleep and locked screens Windows tells windows alone.
//!
//! It is a top-level one, for those that are for messages only are told nothing of a session's end. It is never shown, so it
//! is in no taskbar and takes no focus.
//!
//! - `rehearsal`: what Windows says to it, said by a test

#[cfg(feature = "rehearsal")]
mod rehearsal;

use std::cell::RefCell;
use std::io;
use std::ptr::{null, null_mut};

use windows_sys::Win32::Foundation::{HWND, LPARAM, LRESULT, WPARAM};
use windows_sys::Win32::System::LibraryLoader::GetModuleHandleW;
use windows_sys::Win32::System::Power::{
    RegisterSuspendResumeNotification, UnregisterSuspendResumeNotification,
};
use windows_sys::Win32::System::RemoteDesktop::{
    NOTIFY_FOR_THIS_SESSION, WTSRegisterSessionNotification, WTSUnRegisterSessionNotification,
};
use windows_sys::Win32::UI::WindowsAndMessaging::{
    CreateWindowExW, DEVICE_NOTIFY_WINDOW_HANDLE, DefWindowProcW, DestroyWindow, DispatchMessageW,
    ENDSESSION_LOGOFF, GetMessageW, MSG, PBT_APMRESUMEAUTOMATIC, PBT_APMSUSPEND, PostMessageW,
    PostQuitMessage, RegisterClassW, WM_APP, WM_CLOSE, WM_DESTROY, WM_ENDSESSION,
    WM_POWERBROADCAST, WM_WTSSESSION_CHANGE, WNDCLASSW, WS_EX_NOACTIVATE, WS_EX_TOOLWINDOW,
    WS_POPUP, WTS_CONSOLE_DISCONNECT, WTS_REMOTE_DISCONNECT, WTS_SESSION_LOCK,
};
use windows_sys::w;

#[cfg(feature = "rehearsal")]
pub use rehearsal::{Scene, rehearse};

/// What its class is called, and itself: by this it is found.
const NAME: windows_sys::core::PCWSTR = w!("securid-sessiond");

/// That it is not needed any more: a message among ourselves.
const OVER: u32 = WM_APP;

/// A program is asked to end because it is to be replaced (`ENDSESSION_CLOSEAPP`).
const CLOSE_APP: u32 = 1;

/// What a window is told. Windows waits until it has been heard, but for the first.
#[derive(Debug)]
pub enum Heard {
    /// The window is there, and hears. It goes with `open`. `locks`: whether locked screens are told.
    Opened {
        /// As long as it is held there is the window.
        open: Open,
        /// Why locked screens are not told.
        locks: io::Result<()>,
    },
    /// The user's session ends, and this process with it: 5 s after this, or once it was heard.
    Ends {
        /// The machine goes down as well, and it is no mere log-off.
        machine: bool,
    },
    /// The machine goes to sleep: about 2 s after this, or once it was heard.
    Suspends,
    /// It has woken.
    Woken,
    /// The session's screen was locked, or left for another session; a remote one, disconnected.
    Locked,
    /// Somebody asks this program to end, as `taskkill` does.
    Asked,
}

type Hear = Box<dyn FnMut(Heard)>;

thread_local! {
    /// Who hears what the window of this thread is told.
    static HEAR: RefCell<Option<Hear>> = const { RefCell::new(None) };
}

/// Has a window on this thread, until its [`Open`] is dropped, and has `hear` called for what it is told. While `hear` takes
/// its time, Windows waits.
///
/// # Errors
/// If there can be no window, as in a session without a desktop.
pub fn mind(hear: impl FnMut(Heard) + 'static) -> io::Result<()> {
    HEAR.set(Some(Box::new(hear)));
    let ended = run();
    // What it holds goes now, and not some time after the thread.
    drop(HEAR.take());
    ended
}

fn run() -> io::Result<()> {
    let window = open()?;
    // SAFETY: it is a window of ours. It is told nothing more once it has gone, whether that is given back or not.
    let locks = match unsafe { WTSRegisterSessionNotification(window, NOTIFY_FOR_THIS_SESSION) } {
        0 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    };
    // Where a machine only pretends to sleep (Modern Standby), nobody is told of it who has not asked. Twice does no harm, and if
    // this is refused, most machines tell all the same.
    // SAFETY: with this flag the recipient is a window; it is ours.
    let asked = unsafe { RegisterSuspendResumeNotification(window, DEVICE_NOTIFY_WINDOW_HANDLE) };
    tell(Heard::Opened { open: Open(window), locks });
    let ended = listen();
    // SAFETY: it was given for this, and is given back once; null is refused.
    unsafe { UnregisterSuspendResumeNotification(asked) };
    ended
}

/// Takes what comes until the window has gone.
fn listen() -> io::Result<()> {
    let mut message = MSG::default();
    loop {
        // SAFETY: the message is written during the call.
        match unsafe { GetMessageW(&raw mut message, null_mut(), 0, 0) } {
            0 => return Ok(()),
            -1 => return Err(io::Error::last_os_error()),
            // SAFETY: it was just read.
            _ => unsafe { DispatchMessageW(&raw const message) },
        };
    }
}

fn open() -> io::Result<HWND> {
    // SAFETY: null is this program, which stays.
    let instance = unsafe { GetModuleHandleW(null()) };
    let class = WNDCLASSW {
        lpfnWndProc: Some(told),
        hInstance: instance,
        lpszClassName: NAME,
        ..WNDCLASSW::default()
    };
    // SAFETY: the class is read during the call. It is registered by the first window of this process; then this fails,
    // which does not matter.
    unsafe { RegisterClassW(&raw const class) };
    let (style, no_parent, no_menu) = (WS_EX_TOOLWINDOW | WS_EX_NOACTIVATE, null_mut(), null_mut());
    // SAFETY: the class is registered, and its function is good for any window; the rest are numbers, and texts that stay.
    let window = unsafe {
        CreateWindowExW(
            style,
            NAME,
            NAME,
            WS_POPUP,
            0,
            0,
            0,
            0,
            no_parent,
            no_menu,
            instance,
            null(),
        )
    };
    if window.is_null() { Err(io::Error::last_os_error()) } else { Ok(window) }
}

/// A window that is there; it goes when this is dropped.
#[derive(Debug)]
pub struct Open(HWND);

// SAFETY: nothing is done with it but send a message, which any thread may do.
unsafe impl Send for Open {}
// SAFETY: as above.
unsafe impl Sync for Open {}

impl Drop for Open {
    fn drop(&mut self) {
        // SAFETY: it takes no pointers. If the window has gone already, it fails.
        unsafe { PostMessageW(self.0, OVER, 0, 0) };
    }
}

fn tell(heard: Heard) {
    HEAR.with(|hear| {
        // It never calls itself: who hears lets no other message through.
        if let Ok(mut hear) = hear.try_borrow_mut()
            && let Some(hear) = &mut *hear
        {
            hear(heard);
        }
    });
}

/// What Windows calls, on the window's own thread.
extern "system" fn told(window: HWND, message: u32, what: WPARAM, how: LPARAM) -> LRESULT {
    if message == OVER {
        // SAFETY: it is this thread's window, and there still.
        unsafe {
            WTSUnRegisterSessionNotification(window);
            DestroyWindow(window);
        }
        return 0;
    }
    if message == WM_DESTROY {
        // SAFETY: it takes a number.
        unsafe { PostQuitMessage(0) };
        return 0;
    }
    if let Some(heard) = meaning(message, what, how) {
        tell(heard);
    }
    match message {
        // The usual answer to this one would be to go.
        WM_CLOSE => 0,
        // SAFETY: it is what we were called with.
        _ => unsafe { DefWindowProcW(window, message, what, how) },
    }
}

/// What a message means, if anything.
fn meaning(message: u32, what: WPARAM, how: LPARAM) -> Option<Heard> {
    // The numbers of all that counts have 32 bits.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let (what, how) = (what as u32, how as u32);
    match (message, what) {
        // 0: it does not end after all. Nothing was done when it was asked for.
        (WM_ENDSESSION, 0) => None,
        // A program that is to be replaced ends as with a log-off.
        (WM_ENDSESSION, _) => {
            Some(Heard::Ends { machine: how & (ENDSESSION_LOGOFF | CLOSE_APP) == 0 })
        }
        (WM_POWERBROADCAST, PBT_APMSUSPEND) => Some(Heard::Suspends),
        (WM_POWERBROADCAST, PBT_APMRESUMEAUTOMATIC) => Some(Heard::Woken),
        // Whoever comes back to a session that was left has to unlock it.
        (
            WM_WTSSESSION_CHANGE,
            WTS_SESSION_LOCK | WTS_CONSOLE_DISCONNECT | WTS_REMOTE_DISCONNECT,
        ) => Some(Heard::Locked),
        (WM_CLOSE, _) => Some(Heard::Asked),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::sync::mpsc::{Receiver, channel};
    use std::thread::JoinHandle;
    use std::time::{Duration, Instant};
    use windows_sys::Win32::UI::WindowsAndMessaging::{
        IsWindow, IsWindowVisible, SMTO_NORMAL, SendMessageTimeoutW, WM_QUERYENDSESSION,
    };

    /// Far more than a window needs.
    const PATIENCE: Duration = Duration::from_secs(20);

    fn opened(
        hear: impl Fn(&Heard) + Send + 'static,
    ) -> (Open, Receiver<Heard>, JoinHandle<io::Result<()>>) {
        let (say, told) = channel();
        let thread = std::thread::spawn(move || {
            mind(move |heard| {
                hear(&heard);
                let _ = say.send(heard);
            })
        });
        match told.recv_timeout(PATIENCE).unwrap() {
            Heard::Opened { open, locks } => {
                locks.unwrap();
                (open, told, thread)
            }
            other => panic!("{other:?}"),
        }
    }

    /// As Windows does it: from another thread, which waits.
    fn send(open: &Open, message: u32, what: u32, how: u32) -> usize {
        let mut answer = 0;
        // SAFETY: the answer is written during the call.
        let heard = unsafe {
            SendMessageTimeoutW(
                open.0,
                message,
                what as usize,
                how as isize,
                SMTO_NORMAL,
                20_000,
                &raw mut answer,
            )
        };
        assert_ne!(heard, 0, "{}", io::Error::last_os_error());
        answer
    }

    #[test]
    fn a_window_hears_what_counts_and_nothing_else_until_it_is_let_go() {
        let (open, told, thread) = opened(|_| {});
        let window = open.0;
        // SAFETY: it takes no pointers.
        assert_eq!(unsafe { IsWindowVisible(window) }, 0);
        for (message, what, how, heard) in [
            (WM_QUERYENDSESSION, 0, ENDSESSION_LOGOFF, ""),
            (WM_ENDSESSION, 0, 0, ""),
            (WM_ENDSESSION, 1, 0, "Ends { machine: true }"),
            (WM_ENDSESSION, 1, ENDSESSION_LOGOFF, "Ends { machine: false }"),
            (WM_ENDSESSION, 1, CLOSE_APP, "Ends { machine: false }"),
            (WM_POWERBROADCAST, PBT_APMSUSPEND, 0, "Suspends"),
            (WM_POWERBROADCAST, PBT_APMRESUMEAUTOMATIC, 0, "Woken"),
            // The battery, and unlocking.
            (WM_POWERBROADCAST, 10, 0, ""),
            (WM_WTSSESSION_CHANGE, 8, 1, ""),
            (WM_WTSSESSION_CHANGE, WTS_SESSION_LOCK, 1, "Locked"),
            (WM_WTSSESSION_CHANGE, WTS_REMOTE_DISCONNECT, 1, "Locked"),
            (WM_CLOSE, 0, 0, "Asked"),
        ] {
            let answer = send(&open, message, what, how);
            let words =
                told.try_recv().map_or_else(|_| String::new(), |heard| format!("{heard:?}"));
            assert_eq!(words, heard, "{message} {what} {how}");
            // It never stands in the way.
            assert!(message != WM_QUERYENDSESSION || answer == 1);
        }
        drop(open);
        thread.join().unwrap().unwrap();
        // SAFETY: it takes no pointers.
        assert_eq!(unsafe { IsWindow(window) }, 0);
        assert!(told.recv().is_err());
    }

    #[test]
    fn whoever_sends_waits_until_it_was_heard() {
        let slow = Duration::from_millis(300);
        let (open, told, thread) = opened(move |heard| {
            if matches!(heard, Heard::Suspends) {
                std::thread::sleep(slow);
            }
        });
        let begun = Instant::now();
        send(&open, WM_POWERBROADCAST, PBT_APMSUSPEND, 0);
        assert!(begun.elapsed() >= slow);
        assert!(matches!(told.try_recv(), Ok(Heard::Suspends)));
        drop(open);
        thread.join().unwrap().unwrap();
    }
}
