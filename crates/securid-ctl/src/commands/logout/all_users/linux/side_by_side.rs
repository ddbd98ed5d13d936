//! Many things at once, of which each may hang.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{RecvTimeoutError, channel},
    },
    thread,
    time::Instant,
};

/// Does the work for each of these, so many at once, and gives back what came of each until that moment.
/// What hangs then is left alone with its thread, and ends with this process.
pub(super) fn side_by_side<T: Send + 'static, R: Send + 'static>(
    of: Vec<T>,
    at_once: usize,
    until: Option<Instant>,
    work: impl Fn(T) -> R + Send + Sync + 'static,
) -> Vec<Option<R>> {
    let mut results: Vec<Option<R>> = of.iter().map(|_| None).collect();
    let workers = at_once.min(of.len());
    let (queue, work) = (Arc::new(Mutex::new(of.into_iter().enumerate())), Arc::new(work));
    let (done, results_come) = channel();
    for _ in 0..workers {
        let (queue, work, done) = (Arc::clone(&queue), Arc::clone(&work), done.clone());
        thread::spawn(move || {
            loop {
                // Nothing is left half done in an iterator.
                let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
                let Some((number, item)) = next else { return };
                if done.send((number, work(item))).is_err() {
                    return;
                }
            }
        });
    }
    drop(done);
    loop {
        let result = match until {
            None => results_come.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(until) => {
                results_come.recv_timeout(until.saturating_duration_since(Instant::now()))
            }
        };
        match result {
            Ok((number, result)) => results[number] = Some(result),
            Err(_) => return results,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_hangs_is_left_and_the_rest_is_done() {
        let until = Instant::now() + Duration::from_millis(300);
        let waits = vec![0, 3_600, 0, 0, 3_600, 0];
        let results = side_by_side(waits, 3, Some(until), |seconds| {
            thread::sleep(Duration::from_secs(seconds));
            seconds
        });
        assert_eq!(results, [Some(0), None, Some(0), Some(0), None, Some(0)]);
        let doubled = side_by_side((0..100).collect(), 7, None, |number| number * 2);
        assert_eq!(doubled, (0..100).map(|number| Some(number * 2)).collect::<Vec<_>>());
    }
}
