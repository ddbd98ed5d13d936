//! One client for all: it asks a daemon the same thing over and over, on connections that it keeps or on one for
//! each question.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};

/// How long a daemon may be silent.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is asked, and when it is answered.
#[derive(Debug, Clone)]
pub(crate) struct Talk {
    pub(crate) request: Vec<u8>,
    /// Whether the daemon speaks first, in the form of its answers.
    pub(crate) greets: bool,
    pub(crate) whole: Whole,
    /// Whether a connection takes more than one question.
    pub(crate) is_kept: bool,
}

/// How the end of an answer is known.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Whole {
    /// By its newline.
    Line,
    /// By the four bytes before it, which say how many come.
    Length,
    /// By the end of the connection.
    ToTheEnd,
}

impl Whole {
    fn is(self, answer: &[u8], at_end: bool) -> bool {
        match self {
            Self::Line => answer.last() == Some(&b'\n'),
            Self::Length => answer.split_first_chunk().is_some_and(|(length, rest)| {
                rest.len() >= usize::try_from(u32::from_be_bytes(*length)).expect("it fits")
            }),
            Self::ToTheEnd => at_end,
        }
    }
}

/// A connection with at most one question out.
struct Line<'a> {
    stream: UnixStream,
    talk: &'a Talk,
    answer: Vec<u8>,
}

impl<'a> Line<'a> {
    fn connect(socket: &Path, talk: &'a Talk) -> std::io::Result<Self> {
        let stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut line = Self { stream, talk, answer: Vec::new() };
        while talk.greets && !line.read()? {}
        Ok(line)
    }

    fn ask(&mut self) -> std::io::Result<()> {
        self.answer.clear();
        self.stream.write_all(&self.talk.request)
    }

    /// Takes in what is there: whether that is all of an answer.
    fn read(&mut self) -> std::io::Result<bool> {
        let mut piece = [0; 64 * 1024];
        let n = self.stream.read(&mut piece)?;
        self.answer.extend(&piece[..n]);
        let whole = self.talk.whole.is(&self.answer, n == 0);
        if n == 0 && !whole {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        Ok(whole)
    }
}

/// Asks once on a connection of its own; the answer.
pub(crate) fn once(socket: &Path, talk: &Talk) -> std::io::Result<Vec<u8>> {
    let mut line = Line::connect(socket, talk)?;
    line.ask()?;
    while !line.read()? {}
    Ok(line.answer)
}

/// So many questions, each on a connection of its own, one after the other: answers a second.
pub(crate) fn fresh(socket: &Path, talk: &Talk, questions: usize) -> f64 {
    let began = Instant::now();
    for _ in 0..questions {
        once(socket, talk).expect("it answers");
    }
    questions as f64 / began.elapsed().as_secs_f64()
}

/// So many questions over so many connections, each with one out at any time: answers a second.
pub(crate) fn kept(socket: &Path, talk: &Talk, connections: usize, questions: usize) -> f64 {
    let mut lines: Vec<_> =
        (0..connections).map(|_| Line::connect(socket, talk).expect("it listens")).collect();
    let epoll = epoll::create(CreateFlags::CLOEXEC).expect("the kernel has it");
    for (nth, line) in lines.iter().enumerate() {
        epoll::add(&epoll, &line.stream, EventData::new_u64(nth as u64), EventFlags::IN)
            .expect("it is open");
    }
    let began = Instant::now();
    lines.iter_mut().for_each(|line| line.ask().expect("it reads"));
    let mut asked = lines.len();
    let mut answered = 0;
    let mut events = Vec::with_capacity(connections);
    while answered < questions {
        events.clear();
        epoll::wait(&epoll, spare_capacity(&mut events), None).expect("it is open");
        for event in &events {
            let line = &mut lines[usize::try_from(event.data.u64()).expect("it is ours")];
            if !line.read().expect("it answers") {
                continue;
            }
            answered += 1;
            if asked < questions {
                line.ask().expect("it reads");
                asked += 1;
            }
        }
    }
    answered as f64 / began.elapsed().as_secs_f64()
}
