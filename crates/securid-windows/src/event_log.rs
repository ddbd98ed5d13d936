//! The Event Log, to which any program may add.

use std::io;
use std::ptr::{null, null_mut};

use windows_sys::Win32::System::EventLog::{
    DeregisterEventSource, EVENTLOG_ERROR_TYPE, EVENTLOG_WARNING_TYPE, RegisterEventSourceW,
    ReportEventW,
};

/// How long a text may be, in UTF-16 units without its end: ReportEvent refuses longer ones.
const LONGEST: usize = 31_838;

/// The number of every event: the first that a source's message file may have. That of .NET, with which
/// `New-EventLog` registers a source, shows the text as it is under any number.
const EVENT: u32 = 1;

/// How urgent an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// Something is wrong.
    Error,
    /// Something may become so.
    Warning,
}

/// Adds a text to the log "Application", in the name of this source. One that is too long is cut off, as is what
/// stands behind a NUL. A source that nobody has registered is taken too; the viewer then shows words of its own before the text.
///
/// # Errors
/// If the Event Log does not take it.
pub fn report(source: &str, urgency: Urgency, text: &str) -> io::Result<()> {
    let source = wide(source, LONGEST);
    let text = wide(text, LONGEST);
    let kind = match urgency {
        Urgency::Error => EVENTLOG_ERROR_TYPE,
        Urgency::Warning => EVENTLOG_WARNING_TYPE,
    };
    // SAFETY: a NUL ends the name, and no server's name means this machine.
    let log = unsafe { RegisterEventSourceW(null(), source.as_ptr()) };
    if log.is_null() {
        return Err(io::Error::last_os_error());
    }
    let texts = [text.as_ptr()];
    // SAFETY: the handle is open; there is one text, which a NUL ends, and neither a user nor data.
    let taken =
        unsafe { ReportEventW(log, kind, 0, EVENT, null_mut(), 1, 0, texts.as_ptr(), null()) };
    let result = if taken == 0 { Err(io::Error::last_os_error()) } else { Ok(()) };
    // SAFETY: the handle is open, and not used afterwards.
    unsafe { DeregisterEventSource(log) };
    result
}

/// In UTF-16 with a NUL at its end, of so many units before that at most.
fn wide(text: &str, most: usize) -> Vec<u16> {
    let units = text.encode_utf16().take_while(|unit| *unit != 0).take(most);
    units.chain([0]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_where_they_end() {
        assert_eq!(wide("aß\0c", 9), [0x61, 0xdf, 0]);
        assert_eq!(wide("abc", 2), [0x61, 0x62, 0]);
    }

    #[test]
    fn a_text_of_any_length_is_taken() {
        for text in ["", "a line", &"x".repeat(2 * LONGEST)] {
            assert!(report("securid-sessiond", Urgency::Warning, text).is_ok());
        }
    }
}
