//! Which events are told, and as what.

use std::sync::Arc;

use securid_worker::Worker;
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use super::writing::tell;
use super::{Form, Output};

/// Our own crates that have something to tell.
const OURS: [&str; 4] = ["securid_sessiond", "securid_store", "securid_ipc", "securid_api"];

/// Hears what this program tells. Spans it has none of.
pub(super) struct Telling {
    level: LevelFilter,
    form: Form,
    worker: Arc<Worker<Output>>,
}

impl Telling {
    /// What our own crates tell up to this level, and of libraries no more than warnings.
    pub(super) fn new(level: LevelFilter, form: Form, worker: Arc<Worker<Output>>) -> Self {
        Self { level, form, worker }
    }
}

impl Subscriber for Telling {
    fn enabled(&self, about: &Metadata<'_>) -> bool {
        let is_ours = OURS.iter().any(|name| about.target().starts_with(name));
        let level = if is_ours { self.level } else { self.level.min(LevelFilter::WARN) };
        about.is_event() && *about.level() <= level
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.level)
    }

    fn event(&self, event: &Event<'_>) {
        tell(&self.worker, self.form.told(event));
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}
