//! What to do about a key file whose mode is not right.

/// The daemon's user cannot read it.
pub(super) const LET_US_READ: &str = "Let the daemon's user read it: chown, then chmod 600.";

/// Others can read it, or could have written it.
pub(super) const SHUT_OTHERS_OUT: &str = "Chown it to the daemon's user and chmod 600 it; if others may have read it, log \
     everything out and make a new one.";
