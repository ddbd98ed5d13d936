//! Reading the history from its newest end.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use jiff::Timestamp;
use securid_session::SessionId;

use super::backwards::Backwards;
use super::{HistoryLine, LONGEST_LINE, line_of};
use crate::disk::error::DiskError;
use crate::files;

/// How many bytes of lines a page has at most, but for a single line: half of a reply line, whose words are much the
/// same.
const PAGE_BYTES: usize = 512 * 1024;

/// How many bytes of the file a page is looked for in: a tenth of a long history. So a page has its time on a slow disk
/// too, and others that wait to read have theirs, even if hardly any session is wanted.
const STRETCH: u64 = 4 * 1024 * 1024;

/// Reads the history of a state folder, beside whoever writes it. Its calls block.
#[derive(Debug, Clone)]
pub struct HistoryReader {
    pub(super) path: PathBuf,
}

/// Which of the ended sessions are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Only those that ended then or later.
    pub since: Option<Timestamp>,
    /// Only those that ended before.
    pub until: Option<Timestamp>,
    /// Only those of this instance.
    pub instance: Option<String>,
    /// Only those that ended without the server's word.
    pub unconfirmed: bool,
}

/// Some ended sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Those that were written last come first.
    pub lines: Vec<HistoryLine>,
    /// How many of the lines that were looked at cannot be read. Each is counted on one page.
    pub damaged: usize,
    /// Where the next page begins, if there are more.
    pub next: Option<Mark>,
}

/// The last line that was looked at for a page: its place in the file, and what stands there, for the file may be written anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    at: u64,
    generation: u64,
    id: String,
}

impl HistoryReader {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// At most so many of the wanted sessions, after a mark if there is one; there may be more as long as there is a
    /// next page, though this one has few or none. `None` if the mark's session is not in the file any more.
    ///
    /// # Errors
    /// If the file is there and cannot be read.
    pub fn page(
        &self,
        wanted: &Wanted,
        after: Option<&Mark>,
        most: usize,
    ) -> Result<Option<Page>, DiskError> {
        self.try_page(wanted, after, most).map_err(|e| self.failed(&e))
    }

    /// What is known of these sessions, if they ended then or later: of each what was written last.
    ///
    /// # Errors
    /// If the file is there and cannot be read.
    pub fn find(
        &self,
        ids: &[SessionId],
        since: Option<Timestamp>,
    ) -> Result<Vec<HistoryLine>, DiskError> {
        let mut open: BTreeMap<&str, ()> = ids.iter().map(|id| (id.as_str(), ())).collect();
        let mut found = Vec::new();
        let look = |line: HistoryLine| {
            if since.is_none_or(|since| line.ended_at >= since)
                && open.remove(line.id.as_str()).is_some()
            {
                found.push(line);
            }
            !open.is_empty()
        };
        self.each_from_the_end(look).map_err(|e| self.failed(&e))?;
        Ok(found)
    }

    /// Gives each good line, the last first, as long as it is told to go on.
    pub(super) fn each_from_the_end(
        &self,
        mut go_on: impl FnMut(HistoryLine) -> bool,
    ) -> io::Result<()> {
        let Some(file) = self.open()? else { return Ok(()) };
        let end = file.metadata()?.len();
        let mut lines = Backwards::before(file, end)?;
        while let Some(line) = lines.next()? {
            if line.bytes.as_deref().and_then(line_of).is_some_and(|line| !go_on(line)) {
                break;
            }
        }
        Ok(())
    }

    fn try_page(
        &self,
        wanted: &Wanted,
        after: Option<&Mark>,
        most: usize,
    ) -> io::Result<Option<Page>> {
        let mut page = Page { lines: Vec::new(), damaged: 0, next: None };
        let Some(mut file) = self.open()? else {
            return Ok(after.is_none().then_some(page));
        };
        let end = match after {
            None => file.metadata()?.len(),
            Some(mark) => match mark.place_in(&mut file)? {
                Some(place) => place,
                None => return Ok(None),
            },
        };
        let (mut last, mut bytes, mut damaged) = (None, 0, 0);
        let mut lines = Backwards::before(file, end)?;
        while let Some(line) = lines.next()? {
            let text = line.bytes.as_deref();
            let Some(ended) = text.and_then(line_of) else {
                damaged += usize::from(text.is_none_or(|text| !text.is_empty()));
                continue;
            };
            let mark = Mark { at: line.at, generation: ended.generation, id: ended.id.clone() };
            if wanted.fits(&ended) {
                bytes += text.map_or(0, <[u8]>::len);
                if page.lines.len() >= most || (bytes > PAGE_BYTES && !page.lines.is_empty()) {
                    page.next = last;
                    return Ok(Some(page));
                }
                page.lines.push(ended);
            }
            page.damaged += std::mem::take(&mut damaged);
            if end - line.at > STRETCH {
                page.next = Some(mark);
                return Ok(Some(page));
            }
            last = Some(mark);
        }
        page.damaged += damaged;
        Ok(Some(page))
    }

    pub(super) fn open(&self) -> io::Result<Option<File>> {
        match files::open(&self.path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            other => other.map(Some),
        }
    }

    pub(super) fn failed(&self, error: &io::Error) -> DiskError {
        DiskError::new("read", &self.path, error)
    }
}

impl Wanted {
    /// Whether this one is among them.
    #[must_use]
    pub fn fits(&self, line: &HistoryLine) -> bool {
        self.since.is_none_or(|since| line.ended_at >= since)
            && self.until.is_none_or(|until| line.ended_at < until)
            && self.instance.as_ref().is_none_or(|name| line.instance == *name)
            && !(self.unconfirmed && line.is_confirmed())
    }
}

impl Mark {
    /// Where its line begins: where it was, or elsewhere, if the file was written anew since.
    fn place_in(&self, file: &mut File) -> io::Result<Option<u64>> {
        if self.is_in(file)? {
            return Ok(Some(self.at));
        }
        let end = file.metadata()?.len();
        let mut lines = Backwards::before(file.try_clone()?, end)?;
        while let Some(line) = lines.next()? {
            if line.bytes.as_deref().and_then(line_of).is_some_and(|line| self.is_of(&line)) {
                return Ok(Some(line.at));
            }
        }
        Ok(None)
    }

    /// Whether its line stands where it stood.
    fn is_in(&self, file: &mut File) -> io::Result<bool> {
        file.seek(SeekFrom::Start(self.at))?;
        let mut text = Vec::new();
        BufReader::new(file.take(LONGEST_LINE as u64)).read_until(b'\n', &mut text)?;
        Ok(line_of(&text).is_some_and(|line| self.is_of(&line)))
    }

    fn is_of(&self, line: &HistoryLine) -> bool {
        line.id == self.id && line.generation == self.generation
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.at, self.generation, self.id)
    }
}

/// The text is no mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoMark;

impl FromStr for Mark {
    type Err = NoMark;

    fn from_str(text: &str) -> Result<Self, NoMark> {
        let mut parts = text.splitn(3, '.');
        let mut part = || parts.next().ok_or(NoMark);
        let (at, generation, id) = (part()?, part()?, part()?);
        let number = |text: &str| text.parse().map_err(|_| NoMark);
        let id = SessionId::parse(id).ok_or(NoMark)?.to_string();
        Ok(Self { at: number(at)?, generation: number(generation)?, id })
    }
}
