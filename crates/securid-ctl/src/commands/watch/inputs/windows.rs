//! One wait for all handles.

use std::{
    fs::File,
    io::{self, IsTerminal, Write as _, stdin, stdout},
    os::windows::io::{AsHandle as _, BorrowedHandle},
    time::Duration,
};

use securid_windows::{console::keys, wait::wait};

use super::{super::following::Following, Met};
use crate::{
    failure::Failure,
    interrupt::{Caught, obey},
    page::{self, Page, Size},
};

/// How often is looked whether anybody still reads: that a pipe has lost its reader wakes nobody here.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Ctrl-C has this number.
const INTERRUPT: i32 = 2;

/// What wakes us, besides the daemon.
pub(in super::super) struct Inputs {
    controls: Caught,
    /// Keys, as long as somebody can type.
    keys: Option<io::Stdin>,
    /// How large the page was at the last look.
    size: Size,
}

impl Inputs {
    pub(in super::super) fn open() -> io::Result<Self> {
        let keys = Some(stdin()).filter(IsTerminal::is_terminal);
        Ok(Self { controls: Caught::begin()?, keys, size: page::size() })
    }

    /// Waits for the daemon, a key or a control, for at most that long if it is said.
    pub(in super::super) fn wait(
        &mut self,
        following: &Following,
        within: Option<Duration>,
    ) -> io::Result<()> {
        let mut look = vec![self.controls.as_handle()];
        look.extend(following.events().map(|events| events.as_handle()));
        look.extend(self.keys.as_ref().map(|keys| keys.as_handle()));
        wait(&look, within).map(drop)
    }

    /// Does what came is for, and sees whether the window has another size.
    pub(in super::super) fn meet(&mut self, page: &mut Page) -> io::Result<Met> {
        for control in self.controls.pending() {
            if control == INTERRUPT {
                return Ok(Met::Interrupt);
            }
            page.pause();
            obey(control)?;
        }
        let size = page::size();
        if size == self.size {
            return Ok(Met::Nothing);
        }
        self.size = size;
        page.forget()?;
        Ok(Met::Something)
    }

    /// The keys that were typed, as far as they are of one byte.
    pub(in super::super) fn take_keys(&mut self) -> Vec<u8> {
        let Some(typed) = &self.keys else { return Vec::new() };
        match keys(typed.as_handle()) {
            Ok(units) => units.into_iter().filter_map(|unit| u8::try_from(unit).ok()).collect(),
            // Nobody types there any more.
            Err(_) => {
                self.keys = None;
                Vec::new()
            }
        }
    }
}

/// Waits for more, and sees whether anybody still reads: a reader that goes while nothing happens must not leave
/// us behind.
pub(in super::super) fn wait_for_more(following: &Following) -> Result<(), Failure> {
    let out = stdout();
    if !out.is_terminal() {
        // A pipe refuses even nothing once its reader has gone.
        let _: usize = File::from(out.as_handle().try_clone_to_owned()?).write(&[])?;
    }
    let look: Vec<BorrowedHandle<'_>> =
        following.events().map(|events| events.as_handle()).into_iter().collect();
    let within = following.wakes_in().map_or(LOOK_EVERY, |within| within.min(LOOK_EVERY));
    if look.is_empty() {
        std::thread::sleep(within);
        return Ok(());
    }
    Ok(wait(&look, Some(within)).map(drop)?)
}
