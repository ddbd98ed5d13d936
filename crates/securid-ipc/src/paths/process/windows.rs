use std::{env, io, path::Path};

use securid_windows::folders::{Folder, known};

use super::super::{Custom, PathError, windows::Windows};

/// That of Windows. The machine's folder is never taken from a variable: with one a user could get around what the
/// machine's config enforces.
pub(crate) fn custom() -> Result<impl Custom, PathError> {
    let not_told = |what| move |_: io::Error| PathError::NotTold { what };
    let user = securid_windows::sid::this_user().map_err(not_told("who this user is"))?;
    let machine = known(Folder::ProgramData).map_err(not_told("where the machine's files are"))?;
    Ok(Windows {
        variable: |name: &str| env::var_os(name),
        known: |folder| known(folder).ok(),
        machine,
        user: user.to_string(),
    })
}

/// Whether a system's manager has bound it: there are no such daemons here.
#[must_use]
pub fn is_of_a_system_unit(_: &Path) -> bool {
    false
}
