//! Delay inhibitors: as long as one is open, logind waits before the machine goes down or to sleep,
//! though never longer than its own limit (5 s unless the administrator says otherwise).

use securid_bus::{Connection, Error, OwnedFd, reading};

use super::Wants;
use super::logind::of_manager;

/// Those that are held. Shutdown and sleep each have their own: logind refuses a user without a seat
/// who asks for both at once, and each is wanted at other times.
#[derive(Debug, Default)]
pub(super) struct Inhibitors {
    shutdown: Option<OwnedFd>,
    sleep: Option<OwnedFd>,
}

impl Inhibitors {
    /// Lets go of what is not wanted any more.
    pub(super) fn release(&mut self, wants: Wants) {
        self.shutdown.take_if(|_| !wants.delay_shutdown);
        self.sleep.take_if(|_| !wants.delay_sleep);
    }

    /// Takes what is wanted and not held.
    ///
    /// # Errors
    /// If logind refuses, as it does while the machine is leaving, or does not answer.
    pub(super) async fn take(&mut self, bus: &mut Connection, wants: Wants) -> Result<(), Error> {
        let kinds = [
            ("shutdown", wants.delay_shutdown, &mut self.shutdown),
            ("sleep", wants.delay_sleep, &mut self.sleep),
        ];
        for (what, wanted, held) in kinds {
            if wanted && held.is_none() {
                let why = "Session tokens are to be revoked first";
                let inhibit = of_manager("Inhibit").append2(what, "securid-sessiond");
                let (given,) = reading::all(&bus.call(inhibit.append2(why, "delay")).await?)?;
                *held = Some(given);
            }
        }
        Ok(())
    }
}
