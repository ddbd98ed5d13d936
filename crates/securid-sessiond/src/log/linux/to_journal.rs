//! The log's way to the journal: events become entries, and the log's thread sends them.

use std::fmt::{Debug, Write as _};

use securid_text::shown;
use tracing::field::{Field, Visit};
use tracing::{Event, Level};

use crate::journal::{Entry, Journal};

/// An event as an entry.
pub(super) fn entry(event: &Event<'_>) -> Entry {
    let mut said = Said::default();
    event.record(&mut said);
    said.entry(*event.metadata().level())
}

/// What an event says.
#[derive(Default)]
struct Said {
    message: String,
    fields: Vec<(&'static str, String)>,
}

impl Said {
    /// The message with all fields, as on stderr, and each field by itself.
    fn entry(self, level: Level) -> Entry {
        let mut words = self.message;
        for (name, value) in &self.fields {
            // Writing to a string does not fail.
            let _ = write!(words, " {name}={value}");
        }
        let mut entry = Entry::new(level, &words);
        for (name, value) in &self.fields {
            entry.add_ours(name, value);
        }
        entry
    }

    /// What a server or a person said makes no lines of its own.
    fn note(&mut self, field: &Field, value: &str) {
        let value = shown(value).into_owned();
        match field.name() {
            "message" => self.message = value,
            name => self.fields.push((name, value)),
        }
    }
}

impl Visit for Said {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.note(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.note(field, &format!("{value:?}"));
    }
}

/// Sends entries; what is lost is counted, and told as soon as the journal takes entries again.
pub(in crate::log) struct Sender {
    journal: Journal,
    failed: usize,
    told: usize,
}

impl From<Journal> for Sender {
    fn from(journal: Journal) -> Self {
        Self { journal, failed: 0, told: 0 }
    }
}

impl Sender {
    /// Sends one; so many others were `dropped` so far, because too many waited.
    pub(super) fn send(&mut self, entry: &[u8], dropped: usize) {
        match self.journal.send(entry) {
            Ok(()) => self.tell_of_lost(dropped),
            Err(_) => self.failed = self.failed.saturating_add(1),
        }
    }

    fn tell_of_lost(&mut self, dropped: usize) {
        let lost = self.failed.saturating_add(dropped);
        if lost > self.told {
            let words = format!("the journal did not take {} entries", lost - self.told);
            if self.journal.send(&Entry::new(Level::WARN, &words).into_bytes()).is_ok() {
                self.told = lost;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::net::UnixDatagram;
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use securid_worker::Worker;
    use tracing::level_filters::LevelFilter;
    use tracing::{info, warn};

    use super::super::super::WRITTEN_WITHIN;
    use super::super::super::telling::Telling;
    use super::super::super::writing::{Lines, WAITING, tell};
    use super::super::{Form, Output};
    use super::*;

    /// A journal of the test's own, and what arrives there.
    fn house() -> (tempfile::TempDir, UnixDatagram, Journal) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let listener = UnixDatagram::bind(&path).unwrap();
        listener.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        (folder, listener, Journal::at(path, None).unwrap())
    }

    fn worker(journal: Journal) -> Arc<Worker<Output>> {
        Worker::new("log", Lines::default(), Output::Journal(journal.into()))
    }

    fn next(listener: &UnixDatagram) -> Vec<u8> {
        let mut bytes = vec![0; 64 * 1024];
        let len = listener.recv(&mut bytes).unwrap();
        bytes.truncate(len);
        bytes
    }

    #[test]
    fn an_event_arrives_with_its_fields() {
        let (_folder, listener, journal) = house();
        let log = Telling::new(LevelFilter::INFO, Form::Entries, worker(journal));
        tracing::subscriber::with_default(log, || {
            let session = "0123456789abcdef";
            info!(%session, outcome = "revoked", attempts = 2, "dead");
            warn!(evidence = "two\nlines", "odd");
        });
        assert_eq!(
            String::from_utf8(next(&listener)).unwrap(),
            "MESSAGE=dead session=0123456789abcdef outcome=revoked attempts=2\nPRIORITY=6\n\
             SYSLOG_IDENTIFIER=securid-sessiond\nSECURID_SESSION=0123456789abcdef\n\
             SECURID_OUTCOME=revoked\nSECURID_ATTEMPTS=2\n"
        );
        assert_eq!(
            String::from_utf8(next(&listener)).unwrap(),
            "MESSAGE=odd evidence=two\u{fffd}lines\nPRIORITY=4\n\
             SYSLOG_IDENTIFIER=securid-sessiond\nSECURID_EVIDENCE=two\u{fffd}lines\n"
        );
    }

    /// One that takes nothing hangs nobody; what it lost it is told of.
    #[test]
    fn a_journal_that_is_stopped() {
        let (_folder, listener, journal) = house();
        let worker = worker(journal);
        let began = Instant::now();
        // More than its queue and ours have room for.
        let sent = WAITING + 2_000;
        for number in 0..sent {
            tell(&worker, format!("MESSAGE={number}\n").into_bytes());
        }
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
        let (mut arrived, mut lost) = (0, 0);
        while arrived + lost < sent {
            let text = String::from_utf8(next(&listener)).unwrap();
            match text.strip_prefix("MESSAGE=the journal did not take ") {
                Some(words) => {
                    lost += words.split(' ').next().unwrap().parse::<usize>().unwrap();
                }
                None => arrived += 1,
            }
        }
        assert_eq!(arrived + lost, sent);
        assert!(lost > 0);
    }

    #[test]
    fn a_journal_that_is_gone_holds_no_exit_up() {
        let (folder, listener, journal) = house();
        drop(listener);
        drop(folder);
        let worker = worker(journal);
        tell(&worker, b"MESSAGE=nobody hears this\n".to_vec());
        let began = Instant::now();
        worker.settle(WRITTEN_WITHIN);
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    }
}
