//! The console window that Windows opens for a console program that was started without one.

use std::ptr::null_mut;

use windows_sys::Win32::System::Console::{
    FreeConsole, GetConsoleMode, GetConsoleProcessList, GetStdHandle, STD_ERROR_HANDLE,
    STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, SetStdHandle,
};

/// Lets go of this process's console if nobody else is attached to it, so that its window closes. Standard handles
/// that lead to it are none from then on. Whether that was done.
pub fn leave() -> bool {
    let mut processes = [0; 2];
    // SAFETY: there is room for two numbers. Of more it writes none.
    let attached = unsafe { GetConsoleProcessList(processes.as_mut_ptr(), 2) };
    if attached != 1 {
        return false;
    }
    let leads_there = [STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE].map(|which| {
        // SAFETY: it takes any of these numbers, and gives back a handle, none, or one that is invalid.
        let handle = unsafe { GetStdHandle(which) };
        let mut mode = 0;
        // SAFETY: of what is no console's handle it only says so.
        (which, unsafe { GetConsoleMode(handle, &raw mut mode) } != 0)
    });
    // SAFETY: whoever uses a handle of the console afterwards gets an error.
    if unsafe { FreeConsole() } == 0 {
        return false;
    }
    for (which, _) in leads_there.into_iter().filter(|(_, leads)| *leads) {
        // Its number may soon be another file's.
        // SAFETY: none is what a program without a console has.
        unsafe { SetStdHandle(which, null_mut()) };
    }
    true
}
