//! Which boot this is.

use std::io;
use std::mem::size_of;
use std::ptr::{null_mut, with_exposed_provenance};

use windows_sys::Wdk::System::SystemInformation::{
    NtQuerySystemInformation, SYSTEM_INFORMATION_CLASS,
};
use windows_sys::Win32::Foundation::RtlNtStatusToDosError;

/// Where the kernel shows every process `KUSER_SHARED_DATA.BootId` (ntddk.h), on all processors since Windows 8.
const BOOT_ID: usize = 0x7FFE_0000 + 0x02C4;

/// `SystemTimeOfDayInformation`, whose first number is the time of the boot.
const TIME_OF_DAY: SYSTEM_INFORMATION_CLASS = 3;

/// The number of this boot: the boot loader counts one more each time. A resume from hibernation is none, and nor is a fast
/// start-up, which resumes a kernel. `None` where the kernel has no such number (Wine).
#[must_use]
pub fn count() -> Option<u32> {
    // SAFETY: the page is mapped, readable and aligned in every process at this very place.
    let count = unsafe { with_exposed_provenance::<u32>(BOOT_ID).read_volatile() };
    (count != 0).then_some(count)
}

/// When the system was booted, in 100 ns since 1601. It moves when the clock is set.
///
/// # Errors
/// What the system says.
pub fn time() -> io::Result<u64> {
    // SYSTEM_TIMEOFDAY_INFORMATION has 48 bytes; a shorter answer than asked for is fine.
    let mut about = [0_u64; 6];
    let length = u32::try_from(size_of::<[u64; 6]>()).unwrap_or_default();
    // SAFETY: the place is ours, aligned, and as long as is said; nobody is told the length of the answer.
    let status = unsafe {
        NtQuerySystemInformation(TIME_OF_DAY, about.as_mut_ptr().cast(), length, null_mut())
    };
    if status < 0 {
        // SAFETY: it only looks a number up.
        let code = unsafe { RtlNtStatusToDosError(status) };
        return Err(io::Error::from_raw_os_error(code.cast_signed()));
    }
    Ok(about[0])
}
