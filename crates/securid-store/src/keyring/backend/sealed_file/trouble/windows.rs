//! What to do about a key file of which the list of who may do what is not right.

/// The daemon's user cannot read it.
pub(super) const LET_US_READ: &str = "Let the daemon's user read it: icacls FILE /grant USER:F.";

/// Others can read it, or could have written it.
pub(super) const SHUT_OTHERS_OUT: &str = "Run icacls FILE /inheritance:r /grant:r USER:F, then icacls FILE /remove:g WHO for whoever else \
     icacls FILE shows; if others may have read it, log everything out and make a new one.";
