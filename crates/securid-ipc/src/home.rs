//! Whose home the environment names.

#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub use unix::leave_closed_ones;

#[cfg(windows)]
mod windows;
#[cfg(windows)]
pub use windows::leave_closed_ones;
