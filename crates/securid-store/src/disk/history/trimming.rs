//! What goes from the history, and how.
//!
//! The file is written anew without the lines that are too old, or too many, and put into the place of the old one:
//! after a power cut there is the one or the other, and both have every line that is to stay. Damaged lines are copied
//! to `damaged/` first, and since when none has gone is written down.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::time::Duration;

use jiff::Timestamp;

use super::writing::History;
use super::{BEGINNING, FILE, HistoryLine, LONGEST_LINE, line_of, since};
use crate::disk::error::DiskError;
use crate::files;

/// The most lines that stay: at some 500 bytes each 50 MB, which are searched in less than a second; ten times the
/// most sessions that there may be at once.
pub(super) const MOST_LINES: usize = 100_000;

/// A tenth more than that, and they are trimmed: so that it is done once for thousands of lines.
pub(super) const TRIM_BEYOND: usize = MOST_LINES + TENTH;
const TENTH: usize = MOST_LINES / 10;

/// How much older than it should be a line may get, and how often that is looked at: so that it is done once a day at
/// most. Readers leave out what is too old in any case.
const SLACK: Duration = Duration::from_secs(24 * 60 * 60);

/// What it is called while it is written.
const TEMPORARY: &str = ".tmp-history.jsonl";

/// What a read gives.
enum Piece<'a> {
    /// A whole line with its newline, which may be missing at the end of the file.
    Line(&'a [u8]),
    /// A part of one that is too long.
    Part(&'a [u8]),
}

impl History {
    /// Clears away what an earlier daemon left half-written, and finds out how long the history is.
    ///
    /// A line that was cut off at the end is cleared away as well: it was never answered for, so its session still has
    /// a record, from which it is written again. Left there, it would look like a session that nobody can vouch for.
    pub(in crate::disk) fn count(&mut self) {
        let _ = files::remove(&self.state_dir.join(TEMPORARY), "leftover");
        let (mut lines, mut length, mut whole) = (0, 0, 0);
        let counted = self.each_piece(|piece| {
            let (Piece::Line(text) | Piece::Part(text)) = piece;
            let is_line = matches!(piece, Piece::Line(_));
            lines += usize::from(is_line);
            length += text.len() as u64;
            // Somebody has edited it, and left its last newline out.
            let is_edited = is_line && line_of(text).is_some();
            if text.last() == Some(&b'\n') || is_edited {
                whole = length;
            }
            Ok(())
        });
        let cleared = counted.and_then(|()| {
            self.lines = lines;
            if whole < length { files::cut(&self.path, whole, "history") } else { Ok(()) }
        });
        if let Err(error) = cleared {
            tracing::warn!(%error, "the history cannot be read, or its end not be mended");
        }
    }

    /// From now on an ended session stays for so long.
    pub(in crate::disk) fn keep_for(&mut self, keep: Option<Duration>) {
        self.keep = keep;
        self.look_at = Timestamp::MIN;
    }

    /// Trims it if that is worth while now.
    pub(in crate::disk) fn trim_if_due(&mut self, now: Timestamp) {
        let (too_many, look) = (self.lines > self.trim_beyond, now >= self.look_at);
        if !too_many && !look {
            return;
        }
        self.look_at = now.saturating_add(SLACK).unwrap_or(Timestamp::MAX);
        let due = if too_many { Ok(true) } else { self.has_grown_old(now) };
        let trimmed = due.and_then(|due| if due { self.trim(now) } else { Ok(()) });
        if let Err(error) = trimmed {
            // It stays as it is, and grows for a while.
            self.trim_beyond = self.lines + TENTH;
            tracing::warn!(%error, "the history could not be trimmed");
        }
    }

    fn has_grown_old(&self, now: Timestamp) -> Result<bool, DiskError> {
        let limit = self.keep.map(|keep| keep.saturating_add(SLACK));
        let Some(oldest) = limit.and_then(|age| now.checked_sub(age).ok()) else {
            return Ok(false);
        };
        let mut beginning = Vec::new();
        match files::open(&self.path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(false),
            file => file.and_then(|file| file.take(BEGINNING).read_to_end(&mut beginning)),
        }
        .map_err(|e| DiskError::new("read", &self.path, &e))?;
        let mut lines = beginning.split(|&b| b == b'\n').filter_map(line_of);
        Ok(lines.any(|line| line.ended_at < oldest))
    }

    fn trim(&mut self, now: Timestamp) -> Result<(), DiskError> {
        let damaged = self.set_damage_aside()?;
        let oldest = self.keep.and_then(|keep| now.checked_sub(keep).ok());
        let too_many = self.lines.saturating_sub(MOST_LINES);
        let (mut seen, mut kept, mut newest_gone) = (0, 0, None);
        // Until the folder is synced, a power cut may bring the old file back, without what is added to the new one.
        self.name_is_durable = false;
        let stays = |ended| oldest.is_none_or(|oldest| ended >= oldest);
        let what_stays = |out: &mut dyn Write| {
            self.each_piece(|piece| {
                let Piece::Line(text) = piece else { return Ok(()) };
                seen += 1;
                let Some(HistoryLine { ended_at, .. }) = line_of(text) else { return Ok(()) };
                if seen <= too_many || !stays(ended_at) {
                    newest_gone = newest_gone.max(Some(ended_at));
                    return Ok(());
                }
                kept += 1;
                out.write_all(text)?;
                // Somebody has edited it.
                if text.last() == Some(&b'\n') { Ok(()) } else { out.write_all(b"\n") }
            })?;
            // Before it takes the place of the old one.
            newest_gone.map_or(Ok(()), |newest| {
                since::note(&self.state_dir, newest).map_err(io::Error::other)
            })
        };
        files::replace_with(&self.state_dir, FILE, TEMPORARY, "history", what_stays)?;
        let gone = seen - kept;
        (self.lines, self.trim_beyond) = (kept, TRIM_BEYOND);
        files::sync_folder(&self.state_dir, "history")?;
        self.name_is_durable = true;
        tracing::info!(kept, gone, damaged, "the history was trimmed");
        Ok(())
    }

    /// Copies damaged lines to `damaged/`, and says how many there are. What a crash cut off at the end of the file
    /// is none.
    fn set_damage_aside(&self) -> Result<usize, DiskError> {
        let is_damaged =
            |text: &[u8]| text.last() == Some(&b'\n') && text != b"\n" && line_of(text).is_none();
        let mut damaged = 0;
        self.each_piece(|piece| {
            damaged += usize::from(match piece {
                Piece::Line(text) => is_damaged(text),
                // The last one of its line.
                Piece::Part(text) => text.len() <= LONGEST_LINE || text.last() == Some(&b'\n'),
            });
            Ok(())
        })
        .map_err(|e| DiskError::new("read", &self.path, &e))?;
        if damaged == 0 {
            return Ok(0);
        }
        let folder = self.state_dir.join("damaged");
        files::own_folder(&folder)?;
        let place = folder.join(files::free_name(&folder, FILE)?);
        files::write_new_with(&place, "damaged", |out| {
            self.each_piece(|piece| match piece {
                Piece::Line(text) if !is_damaged(text) => Ok(()),
                Piece::Line(text) | Piece::Part(text) => out.write_all(text),
            })
        })
        .map_err(|e| DiskError::new("write", &place, &e))?;
        files::sync_folder(&folder, "damaged")?;
        let place = place.display();
        tracing::warn!(damaged, "lines of the history are damaged: a copy of them is {place}");
        Ok(damaged)
    }

    /// Reads the file from its beginning, without holding more than a line of it.
    fn each_piece(&self, mut give: impl FnMut(Piece<'_>) -> io::Result<()>) -> io::Result<()> {
        let file = match files::open(&self.path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
            file => file?,
        };
        let mut file = BufReader::with_capacity(LONGEST_LINE, file);
        let (mut text, mut is_part) = (Vec::new(), false);
        loop {
            text.clear();
            file.by_ref().take(LONGEST_LINE as u64 + 1).read_until(b'\n', &mut text)?;
            if text.is_empty() {
                return Ok(());
            }
            let ends = text.last() == Some(&b'\n') || text.len() <= LONGEST_LINE;
            if is_part || !ends {
                give(Piece::Part(&text))?;
            } else {
                give(Piece::Line(&text))?;
            }
            is_part = !ends;
        }
    }
}
