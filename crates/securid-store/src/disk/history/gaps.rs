//! What the history does not have any more: sessions that had to go, and lines that were damaged.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::PathBuf;

use jiff::Timestamp;

use super::reading::HistoryReader;
use super::trimming::MOST_LINES;
use super::{BEGINNING, FILE, line_of, since};
use crate::disk::error::DiskError;

/// What whoever takes the history for proof has to know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gaps {
    /// Sessions that ended before may have gone, for their age or to make room for others; `None` if none has.
    pub whole_since: Option<Timestamp>,
    /// The folder with the lines that were damaged, if any were set aside.
    pub set_aside: Option<PathBuf>,
}

impl HistoryReader {
    /// What is missing from the history.
    ///
    /// # Errors
    /// If the file, or the folder of what was set aside, is there and cannot be read.
    pub fn gaps(&self) -> Result<Gaps, DiskError> {
        let whole_since = match since::noted(&self.path.with_file_name(since::FILE))? {
            None => self.full_since().map_err(|e| self.failed(&e))?,
            noted => noted,
        };
        let aside = self.path.with_file_name("damaged");
        let set_aside = match fs::read_dir(&aside) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => None,
            Err(e) => return Err(DiskError::new("read", &aside, &e)),
            Ok(entries) => {
                let mut names = entries.flatten().map(|entry| entry.file_name());
                let ours = |name: std::ffi::OsString| name.to_string_lossy().starts_with(FILE);
                names.any(ours).then_some(aside)
            }
        };
        Ok(Gaps { whole_since, set_aside })
    }

    /// Earlier versions wrote nothing down. Where there are as many lines as there may be, others may have gone: those
    /// that ended before the first.
    fn full_since(&self) -> io::Result<Option<Timestamp>> {
        let Some(mut file) = self.open()? else { return Ok(None) };
        let mut beginning = Vec::new();
        file.by_ref().take(BEGINNING).read_to_end(&mut beginning)?;
        let lines = newlines(&beginning) + count_newlines(&mut file)?;
        if lines < MOST_LINES {
            return Ok(None);
        }
        Ok(beginning.split(|&b| b == b'\n').find_map(line_of).map(|line| line.ended_at))
    }
}

fn count_newlines(file: &mut File) -> io::Result<usize> {
    let mut block = vec![0; 64 * 1024];
    let mut lines = 0;
    loop {
        match file.read(&mut block)? {
            0 => return Ok(lines),
            length => lines += newlines(&block[..length]),
        }
    }
}

fn newlines(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&b| b == b'\n').count()
}
