//! What a person sees and does at a console, for a test in a program that has the same one.

use std::fs::OpenOptions;
use std::io;
use std::os::windows::io::AsRawHandle as _;

use windows_sys::Win32::System::Console::{
    CONSOLE_SCREEN_BUFFER_INFO, COORD, CTRL_C_EVENT, GenerateConsoleCtrlEvent,
    GetConsoleScreenBufferInfo, INPUT_RECORD, INPUT_RECORD_0, KEY_EVENT, KEY_EVENT_RECORD,
    KEY_EVENT_RECORD_0, ReadConsoleOutputCharacterW, WriteConsoleInputW,
};
use windows_sys::Win32::UI::Input::KeyboardAndMouse::VK_RETURN;

/// All programs of this console (a group's number would be one of them alone).
const ALL: u32 = 0;

/// Has all programs of this process's console told of Ctrl-C, this one too.
///
/// # Errors
/// If there is no console.
pub fn interrupt() -> io::Result<()> {
    // SAFETY: it takes two numbers.
    succeeded(unsafe { GenerateConsoleCtrlEvent(CTRL_C_EVENT, ALL) })
}

/// What is on the screen of this process's console, down to the line that is written on.
///
/// # Errors
/// If there is no console.
pub fn look() -> io::Result<String> {
    let console = OpenOptions::new().read(true).write(true).open("CONOUT$")?;
    let mut about = CONSOLE_SCREEN_BUFFER_INFO::default();
    // SAFETY: the file is open during the call, and what is told is written to a local.
    succeeded(unsafe { GetConsoleScreenBufferInfo(console.as_raw_handle(), &raw mut about) })?;
    let width = usize::try_from(about.dwSize.X).unwrap_or_default();
    let mut screen = String::new();
    for y in 0..=about.dwCursorPosition.Y {
        let mut line = vec![0; width];
        let mut read = 0;
        // SAFETY: there is room for as many units as are asked for.
        succeeded(unsafe {
            ReadConsoleOutputCharacterW(
                console.as_raw_handle(),
                line.as_mut_ptr(),
                u32::try_from(width).unwrap_or_default(),
                COORD { X: 0, Y: y },
                &raw mut read,
            )
        })?;
        screen.push_str(String::from_utf16_lossy(&line[..read as usize]).trim_end());
        screen.push('\n');
    }
    Ok(screen)
}

/// Types this at this process's console, a carriage return being Enter.
///
/// # Errors
/// If there is no console.
pub fn type_in(text: &str) -> io::Result<()> {
    let console = OpenOptions::new().read(true).write(true).open("CONIN$")?;
    for unit in text.encode_utf16() {
        // That key is known by its number, others by their characters.
        let number = if unit == VK_RETURN { VK_RETURN } else { 0 };
        for is_down in [1, 0] {
            let key = KEY_EVENT_RECORD {
                bKeyDown: is_down,
                wRepeatCount: 1,
                wVirtualKeyCode: number,
                wVirtualScanCode: 0,
                uChar: KEY_EVENT_RECORD_0 { UnicodeChar: unit },
                dwControlKeyState: 0,
            };
            let record = INPUT_RECORD {
                // The number is 1.
                EventType: KEY_EVENT as u16,
                Event: INPUT_RECORD_0 { KeyEvent: key },
            };
            let mut written = 0;
            // SAFETY: one record is there, as is said; the file is open during the call.
            succeeded(unsafe {
                WriteConsoleInputW(console.as_raw_handle(), &raw const record, 1, &raw mut written)
            })?;
        }
    }
    Ok(())
}

fn succeeded(outcome: i32) -> io::Result<()> {
    if outcome == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
