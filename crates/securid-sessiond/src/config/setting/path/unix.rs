//! Names may have anything in them.

use std::path::Path;

/// # Errors
/// None.
pub(crate) fn is_possible(_: &Path) -> Result<(), String> {
    Ok(())
}
