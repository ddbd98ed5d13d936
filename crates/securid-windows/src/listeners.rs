//! Who is told when Windows calls.
//!
//! What Windows calls gets no pointer of ours, but looks here: so a call that comes late finds nobody, and nothing that
//! was freed.

use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Who is told. It is, as long as it is held.
pub(crate) type Listener = Arc<dyn Fn() + Send + Sync>;

/// All of those that are told of the same.
pub(crate) struct Listeners(Mutex<Vec<Weak<dyn Fn() + Send + Sync>>>);

impl Listeners {
    /// Nobody yet.
    pub(crate) const fn none() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    pub(crate) fn add(&self, tell: impl Fn() + Send + Sync + 'static) -> Listener {
        let listener: Listener = Arc::new(tell);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|listener| listener.strong_count() > 0);
        all.push(Arc::downgrade(&listener));
        listener
    }

    pub(crate) fn tell(&self) {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for listener in all.iter().filter_map(Weak::upgrade) {
            listener();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn whoever_is_there_is_told_and_nobody_who_has_gone() {
        let all = Listeners::none();
        let told = Arc::new(AtomicU32::new(0));
        let by = |number| {
            let told = Arc::clone(&told);
            move || _ = told.fetch_add(number, Ordering::SeqCst)
        };
        let (first, _second) = (all.add(by(1)), all.add(by(10)));
        all.tell();
        drop(first);
        all.tell();
        assert_eq!(told.load(Ordering::SeqCst), 21);
    }
}
