//! What must hold for any bytes that a keyring gives out.

use super::Entry;

/// No entry, or one that is sealed into the very same bytes: there is one spelling of each.
pub fn entry(bytes: &[u8]) {
    let Ok(entry) = Entry::open(bytes) else { return };
    assert_eq!(*entry.seal(), *bytes);
}
