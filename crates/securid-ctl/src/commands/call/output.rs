//! Where the answer goes.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
    process,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use securid_text::is_shown;

use crate::{
    failure::{FAILED, Failure},
    interrupt::{Interrupt, before_the_end},
    screen::Raw,
};

/// How many drafts that were left over under our number are passed by: nobody has so many without knowing.
const MOST_DRAFTS: u32 = 100;

/// What takes the answer.
pub(super) enum Output {
    /// Whatever it is, it takes the bytes as they are.
    Raw(Raw),
    /// A person looks at it.
    Terminal(Raw, Harmless),
    /// A file, which is there once it is whole.
    Draft(Draft),
}

impl Output {
    /// Standard output, unless a file is named.
    pub(super) fn open(place: Option<&Path>) -> Result<Self, Failure> {
        let place = match place.filter(|place| *place != Path::new("-")) {
            Some(place) => place,
            None => {
                Interrupt::arm()?;
                return Ok(Self::as_it_comes(Raw::stdout()?));
            }
        };
        let cannot = |error| unwritable(place, &error).with_hint("Nothing was sent.");
        system::is_possible(place).map_err(cannot)?;
        let opened = match fs::metadata(place) {
            _ if system::is_device(place) => {
                Interrupt::arm()?;
                system::open_device(place).map(|device| Self::as_it_comes(device.into()))
            }
            Ok(about) if about.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
            // A device or a pipe cannot be replaced, and would not be wanted to.
            Ok(about) if !about.is_file() => {
                Interrupt::arm()?;
                OpenOptions::new()
                    .write(true)
                    .open(place)
                    .map(|file| Self::as_it_comes(file.into()))
            }
            Ok(about) => fs::canonicalize(place)
                .and_then(|place| {
                    let rights = system::Rights::of(&place, &about)?;
                    Draft::new(place, Some(rights))
                })
                .map(Self::Draft),
            Err(_) if system::names_a_folder(place) => Err(io::ErrorKind::IsADirectory.into()),
            // Nothing is put in the place of a link whose file is elsewhere, or was.
            Err(error) if place.is_symlink() => Err(error),
            Err(_) => Draft::new(place.to_owned(), None).map(Self::Draft),
        };
        opened.map_err(cannot)
    }

    fn as_it_comes(out: Raw) -> Self {
        if out.is_terminal() { Self::Terminal(out, Harmless::default()) } else { Self::Raw(out) }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        match self {
            Self::Raw(out) => Ok(out.write(bytes)?),
            Self::Terminal(out, harmless) => Ok(out.write_text(&harmless.text(bytes))?),
            Self::Draft(draft) => {
                draft.file.write_all(bytes).map_err(|error| unwritable(&draft.place, &error))
            }
        }
    }

    /// The answer was whole.
    pub(super) fn finish(self) -> Result<(), Failure> {
        match self {
            Self::Raw(_) => Ok(()),
            Self::Terminal(mut out, harmless) => Ok(out.write_text(&harmless.rest())?),
            Self::Draft(draft) => draft.keep().map_err(|error| unwritable(&draft.place, &error)),
        }
    }
}

/// Text without what a terminal obeys or nobody sees; line ends and tabs stay.
#[derive(Default)]
pub(super) struct Harmless {
    /// The beginning of a character that was cut in two.
    begun: Vec<u8>,
    in_line: bool,
}

impl Harmless {
    fn text(&mut self, bytes: &[u8]) -> String {
        let bytes = [&std::mem::take(&mut self.begun), bytes].concat();
        let mut text = String::new();
        let mut chunks = bytes.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            let line_ends = |c: &char| *c != '\r';
            text.extend(chunk.valid().chars().filter(line_ends).map(|c| match c {
                '\n' | '\t' => c,
                c if is_shown(c) => c,
                _ => char::REPLACEMENT_CHARACTER,
            }));
            let invalid = chunk.invalid();
            // One that is complete, and still no character, is followed by another chunk or by nothing at all.
            let may_go_on = chunks.peek().is_none()
                && std::str::from_utf8(invalid).is_err_and(|e| e.error_len().is_none());
            match invalid {
                [] => {}
                invalid if may_go_on => self.begun = invalid.to_vec(),
                _ => text.push(char::REPLACEMENT_CHARACTER),
            }
        }
        if let Some(last) = text.chars().next_back() {
            self.in_line = last != '\n';
        }
        text
    }

    /// What is still to be printed: a person's next prompt begins a line.
    fn rest(self) -> String {
        let cut = if self.begun.is_empty() { "" } else { "\u{fffd}" };
        let end = if self.in_line || !cut.is_empty() { "\n" } else { "" };
        format!("{cut}{end}")
    }
}

/// A file beside the one that is wanted, under another name until it is whole. Else it is removed.
pub(super) struct Draft {
    file: File,
    place: PathBuf,
    /// None once it is gone from there. Whoever ends us looks here.
    draft: Arc<Mutex<Option<PathBuf>>>,
}

impl Draft {
    /// With the rights of the file that is there, or those that any new file gets.
    fn new(place: PathBuf, rights: Option<system::Rights>) -> io::Result<Self> {
        let (file, draft) = Self::create(&place, rights.as_ref())?;
        let this = Self { file, place, draft: Arc::new(Mutex::new(Some(draft))) };
        if let Some(rights) = rights {
            rights.put_on(&this.file)?;
        }
        let draft = Arc::clone(&this.draft);
        // Held to our end, so that it is not moved into place meanwhile.
        before_the_end(move || {
            let mut draft = lock(&draft);
            remove(&mut draft);
            std::mem::forget(draft);
        })?;
        Ok(this)
    }

    /// Under a name that nobody has, as a new file. One of ours that was killed leaves its draft, and in a container the next one
    /// may have the same number.
    fn create(place: &Path, rights: Option<&system::Rights>) -> io::Result<(File, PathBuf)> {
        let name = place.file_name().ok_or(io::ErrorKind::IsADirectory)?.to_string_lossy();
        let mut n = 0;
        loop {
            let draft = place.with_file_name(format!(".{name}.{}-{n}.part", process::id()));
            match system::make(&draft, rights) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && n < MOST_DRAFTS => {
                    n += 1
                }
                opened => return Ok((opened?, draft)),
            }
        }
    }

    /// Moves it to its place.
    fn keep(&self) -> io::Result<()> {
        self.file.sync_all()?;
        let mut draft = lock(&self.draft);
        if let Some(path) = draft.as_ref() {
            fs::rename(path, &self.place)?;
        }
        *draft = None;
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        remove(&mut lock(&self.draft));
    }
}

fn remove(draft: &mut Option<PathBuf>) {
    if let Some(draft) = draft.take() {
        // What cannot be removed stays under a name that nobody takes for the answer.
        let _ = fs::remove_file(draft);
    }
}

fn lock(draft: &Mutex<Option<PathBuf>>) -> MutexGuard<'_, Option<PathBuf>> {
    draft.lock().unwrap_or_else(PoisonError::into_inner)
}

fn unwritable(place: &Path, error: &io::Error) -> Failure {
    Failure::new("output", format!("cannot write {}: {error}", place.display()), FAILED)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn shown(pieces: &[&[u8]]) -> String {
        let mut harmless = Harmless::default();
        let text: String = pieces.iter().map(|piece| harmless.text(piece)).collect();
        text + &harmless.rest()
    }

    #[test]
    fn a_draft_that_was_left_over_disturbs_no_later_one() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("answer");
        let (_, left_over) = Draft::create(&place, None).unwrap();
        let (_, next) = Draft::create(&place, None).unwrap();
        assert!(left_over.exists() && next.exists() && next != left_over);
    }

    #[test]
    fn a_terminal_obeys_nothing_and_shows_the_rest() {
        assert_eq!(shown(&[b"a\x1b[31mb\tc\r\nd\x07\n"]), "a\u{fffd}[31mb\tc\nd\u{fffd}\n");
        assert_eq!(shown(&[b"no end"]), "no end\n");
        assert_eq!(shown(&[]), "");
    }

    #[test]
    fn a_character_that_is_cut_in_two_is_put_together() {
        let text = "größer €\n";
        for at in 0..text.len() {
            let (first, rest) = text.as_bytes().split_at(at);
            assert_eq!(shown(&[first, rest]), text, "{at}");
        }
        assert_eq!(shown(&[b"\xe2\x82", b"x"]), "\u{fffd}x\n");
        assert_eq!(shown(&[b"\xff\xe2"]), "\u{fffd}\u{fffd}\n");
    }
}
