//! Sleep, and the time that counts it.

use std::ffi::c_void;
use std::io;
use std::ptr::null_mut;
use std::sync::OnceLock;

use windows_sys::Win32::Foundation::ERROR_SUCCESS;
use windows_sys::Win32::System::Power::{
    DEVICE_NOTIFY_SUBSCRIBE_PARAMETERS, PowerRegisterSuspendResumeNotification,
};
use windows_sys::Win32::System::SystemInformation::GetTickCount64;
use windows_sys::Win32::UI::WindowsAndMessaging::{DEVICE_NOTIFY_CALLBACK, PBT_APMRESUMEAUTOMATIC};

use crate::listeners::{Listener, Listeners};

/// Milliseconds since the system was started, with those that it has slept or hibernated. It moves in steps of 10 to 16.
#[must_use]
pub fn ticks() -> u64 {
    // SAFETY: it takes nothing, and has no way to fail.
    unsafe { GetTickCount64() }
}

static LISTENERS: Listeners = Listeners::none();

/// As long as it is there, the machine's waking is told.
pub struct Waking {
    _listener: Listener,
}

impl Waking {
    /// From now on `tell` is called on a thread of the system's, each time the machine has woken. It must not wait.
    ///
    /// # Errors
    /// If Windows refuses.
    pub fn told(tell: impl Fn() + Send + Sync + 'static) -> io::Result<Self> {
        // Once, and for as long as the process lives: it is nowhere said that giving it back waits for a call that is
        // under way.
        static REGISTERED: OnceLock<u32> = OnceLock::new();
        let status = *REGISTERED.get_or_init(register);
        if status != ERROR_SUCCESS {
            return Err(io::Error::from_raw_os_error(status.cast_signed()));
        }
        Ok(Self { _listener: LISTENERS.add(tell) })
    }
}

fn register() -> u32 {
    let how = DEVICE_NOTIFY_SUBSCRIBE_PARAMETERS { Callback: Some(called), Context: null_mut() };
    let mut registered = null_mut();
    // SAFETY: with this flag the recipient is such a struct, which is read during the call; what it names is a function,
    // which stays.
    unsafe {
        PowerRegisterSuspendResumeNotification(
            DEVICE_NOTIFY_CALLBACK,
            (&raw const how).cast_mut().cast(),
            &raw mut registered,
        )
    }
}

extern "system" fn called(_: *const c_void, what: u32, _: *const c_void) -> u32 {
    if what == PBT_APMRESUMEAUTOMATIC {
        LISTENERS.tell();
    }
    ERROR_SUCCESS
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::ptr::null;

    #[test]
    fn the_ticks_go_on() {
        let then = ticks();
        std::thread::sleep(std::time::Duration::from_millis(50));
        assert!((then + 20..then + 10_000).contains(&ticks()));
    }

    #[test]
    fn only_waking_is_told() {
        let (say, told) = std::sync::mpsc::channel();
        let waking = Waking::told(move || say.send(()).unwrap()).unwrap();
        // PBT_APMSUSPEND, waking, and PBT_APMRESUMESUSPEND, which follows when somebody is there.
        for (what, is_told) in [(4, false), (PBT_APMRESUMEAUTOMATIC, true), (7, false)] {
            called(null(), what, null());
            assert_eq!(told.try_recv().is_ok(), is_told, "{what}");
        }
        drop(waking);
        assert!(told.recv().is_err());
    }
}
