//! What a timer that stands still while the machine sleeps needs to serve as an alarm.

use std::time::Duration;

use tokio::time::sleep;

use super::now;

/// When to ring, in milliseconds since boot.
#[derive(Debug, Default)]
pub(super) struct Due(Option<u64>);

impl Due {
    /// Where it rings earlier already, that stays: the idle ring now and then costs less than a new timer for each
    /// request.
    pub(super) fn set(&mut self, at: Option<u64>) {
        self.0 = match (at, self.0) {
            (Some(at), Some(set_to)) => Some(at.min(set_to)),
            (at, _) => at,
        };
    }

    /// Waits until it is due, and then it is not any more; or until `step` is over, so that somebody looks at the
    /// clock. Whether it is due.
    pub(super) async fn wait(&mut self, step: Duration) -> bool {
        let Some(at) = self.0 else { return std::future::pending().await };
        sleep(Duration::from_millis(at.saturating_sub(now().since_boot)).min(step)).await;
        // The clock may be behind the timer by a tick.
        let is_due = at <= now().since_boot;
        if is_due {
            self.0 = None;
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Longer than a tick of the coarsest clock, and no time for a test.
    const SHORT: Duration = Duration::from_millis(50);

    #[tokio::test]
    async fn a_step_is_no_ring_and_the_earliest_moment_counts_once() {
        let (mut due, far) = (Due::default(), now().since_boot + 1_000_000);
        due.set(Some(far));
        assert!(!due.wait(SHORT).await);
        due.set(Some(now().since_boot));
        // Later ones change nothing.
        due.set(Some(far));
        assert!(due.wait(Duration::MAX).await);
        due.set(Some(far));
        due.set(None);
        assert!(tokio::time::timeout(SHORT, due.wait(SHORT / 2)).await.is_err(), "nothing is due");
    }
}
