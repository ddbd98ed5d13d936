//! This process itself: who may do what with it, and what Windows reports of its end.

use std::{io, os::windows::io::BorrowedHandle};

use windows_sys::Win32::System::{
    ErrorReporting::{WER_FAULT_REPORTING_FLAG_NOHEAP, WerSetFlags},
    Threading::GetCurrentProcess,
};

use crate::descriptor::Descriptor;

/// Lets others do no more with this process than the list allows. Handles that they have already stay good.
///
/// # Errors
/// If the system refuses.
pub fn put_on(list: &Descriptor) -> io::Result<()> {
    list.put_on(&ourselves())
}

/// Whose this process is, and who may do what with it.
///
/// # Errors
/// If the system does not say.
pub fn descriptor() -> io::Result<Descriptor> {
    Descriptor::of_open(&ourselves())
}

/// Should it crash, what Windows reports of that has nothing of the heap in it. An administrator may have asked for whole dumps
/// all the same.
pub fn leave_the_heap_out_of_reports() {
    // SAFETY: it sets flags of this process alone. If it does not take them, all is as it was.
    unsafe { WerSetFlags(WER_FAULT_REPORTING_FLAG_NOHEAP) };
}

fn ourselves() -> BorrowedHandle<'static> {
    // SAFETY: the process's own handle is no real one: it is always good, and nobody closes it.
    unsafe { BorrowedHandle::borrow_raw(GetCurrentProcess()) }
}
