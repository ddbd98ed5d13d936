//! The body of a command, read piece by piece.

use std::{
    fs::File,
    io::{self, Read, stdin},
    path::Path,
};

use securid_ipc::messages::CHUNK;

use crate::failure::{FAILED, Failure};

/// What is sent, and what of it was read ahead: that nothing follows has to be said with the last chunk.
pub(super) struct Input {
    from: Box<dyn Read>,
    /// For people.
    name: String,
    length: Option<u64>,
    next: Vec<u8>,
}

impl Input {
    /// What `place` holds; nothing if none is named.
    pub(super) fn open(place: Option<&Path>) -> Result<Self, Failure> {
        let name = match place {
            Some(place) if place != "-" => place.display().to_string(),
            _ => "standard input".to_owned(),
        };
        let (from, length): (Box<dyn Read>, _) = match place {
            None => (Box::new(io::empty()), None),
            Some(place) if place == "-" => (Box::new(stdin().lock()), None),
            Some(place) => {
                let opened = File::open(place).and_then(|file| Ok((file.metadata()?, file)));
                let (about, file) = opened.map_err(|error| unreadable(place, &error))?;
                // What is added to a file while it is sent is left out.
                let length = about.is_file().then_some(about.len());
                (Box::new(file.take(length.unwrap_or(u64::MAX))), length)
            }
        };
        let mut input = Self { from, name, length, next: Vec::new() };
        input.next = input.read().map_err(|failure| failure.with_hint("Nothing was sent."))?;
        Ok(input)
    }

    /// How long it is, if that is known.
    pub(super) fn length(&self) -> Option<u64> {
        self.length
    }

    /// The next chunk, and whether another one follows.
    pub(super) fn chunk(&mut self) -> Result<(Vec<u8>, bool), Failure> {
        let next = self.read()?;
        let chunk = std::mem::replace(&mut self.next, next);
        Ok((chunk, !self.next.is_empty()))
    }

    fn read(&mut self) -> Result<Vec<u8>, Failure> {
        let mut chunk = Vec::new();
        let read = (&mut self.from).take(CHUNK as u64).read_to_end(&mut chunk);
        read.map_err(|error| {
            Failure::new("input", format!("cannot read {}: {error}", self.name), FAILED)
        })?;
        Ok(chunk)
    }
}

fn unreadable(place: &Path, error: &io::Error) -> Failure {
    Failure::new("input", format!("cannot read {}: {error}", place.display()), FAILED)
        .with_hint("Nothing was sent.")
}
