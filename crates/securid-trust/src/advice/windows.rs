//! Lists of who may do what: icacls, takeown. Each gives whole commands, for there is no short way to say it, and such as `cmd` and
//! PowerShell understand alike: users are SIDs, and what has brackets is quoted.
//!
//! Where others have entries of their own, `/grant:r` leaves them. `/reset` would take them away, and let in whom the folder
//! above lets in until the next command: what is secret is not to be seen meanwhile.

use std::path::Path;

use crate::standing::{Owner, Whose, us};

/// What the list of a folder says of whatever is made in it: the same.
const WITH_WHAT_IS_IN_IT: &str = "(OI)(CI)";

/// Who is let in most often without need: everybody, whoever is logged on, the users of this machine.
const USUAL: [&str; 3] = ["*S-1-1-0", "*S-1-5-11", "*S-1-5-32-545"];

/// Who may do everything.
pub const ROOT: &str = "an administrator";

/// Nobody else can do anything with the file or folder any more: who may write is not told from who may read here.
#[must_use]
pub fn shut_writers_out(path: &Path) -> String {
    make_file_private(path)
}

/// The same, of a path that was just named.
#[must_use]
pub fn shut_writers_out_of_it(path: &Path) -> String {
    make_file_private(path)
}

/// What was just named is an administrator's, and nobody else can write to it.
#[must_use]
pub fn make_it_roots(path: &Path) -> String {
    let inherit = if path.is_dir() { WITH_WHAT_IS_IN_IT } else { "" };
    let path = path.display();
    let grants = [("*S-1-5-18", "F"), ("*S-1-5-32-544", "F"), ("*S-1-5-32-545", "RX")]
        .map(|(who, what)| format!(" \"{who}:{inherit}{what}\""))
        .concat();
    format!(
        "as an administrator: icacls \"{path}\" /setowner *S-1-5-32-544, \
         then icacls \"{path}\" /reset, then icacls \"{path}\" /inheritance:r /grant:r{grants}"
    )
}

/// What was just named is this user's, as the end of "run".
#[must_use]
pub fn take_it(path: &Path) -> String {
    format!("takeown /f \"{}\"", path.display())
}

/// The same, as the end of "name another, or".
#[must_use]
pub fn take_it_over(path: &Path) -> String {
    format!("run {}", take_it(path))
}

/// Nobody else can do anything with the file any more.
#[must_use]
pub fn make_file_private(path: &Path) -> String {
    make_private(path, "")
}

/// Nobody else can do anything with the folder any more, nor with what is made in it.
#[must_use]
pub fn make_folder_private(path: &Path) -> String {
    make_private(path, WITH_WHAT_IS_IN_IT)
}

/// The list that we make ourselves: this user, the system and the administrators.
fn make_private(path: &Path, inherit: &str) -> String {
    let (path, us) = (path.display(), us().as_argument());
    let grants =
        [us.as_str(), "*S-1-5-18", "*S-1-5-32-544"].map(|who| format!(" \"{who}:{inherit}F\""));
    let grants = grants.concat();
    let usual = USUAL.map(|who| format!(" \"{who}\"")).concat();
    format!(
        "icacls \"{path}\" /inheritance:r /grant:r{grants}, \
         then icacls \"{path}\" /remove:g{usual} (and whoever else icacls \"{path}\" shows)"
    )
}

/// What to do about a folder on the way in which others can replace things. Others may need it as it is, and so may Windows: no
/// command is given for what is above our own things.
pub(crate) fn nobody_replaces(_: &Path, whose: Whose) -> String {
    match whose {
        Whose::RootsOrOurs => "name another place, in a folder that they cannot change",
        Whose::Roots => "have an administrator take that right from them",
    }
    .to_owned()
}

/// It is this user's. To give something away takes an administrator.
pub(crate) fn give_to(user: &Owner, path: &Path) -> String {
    let user = user.as_argument();
    format!("icacls \"{}\" /setowner \"{user}\" (as an administrator)", path.display())
}

/// It is an administrator's; of a link, the link itself.
pub(crate) fn give_to_root(path: &Path) -> String {
    format!("icacls \"{}\" /setowner *S-1-5-32-544 /l", path.display())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_is_made_private_is_as_we_make_it_and_nobody_elses_entry_stays() {
        let us = us().as_argument();
        assert!(us.starts_with("*S-1-"), "{us}");
        assert_eq!(
            make_file_private(Path::new(r"C:\a b\key")),
            format!(
                r#"icacls "C:\a b\key" /inheritance:r /grant:r "{us}:F" "*S-1-5-18:F" "*S-1-5-32-544:F", then icacls "C:\a b\key" /remove:g "*S-1-1-0" "*S-1-5-11" "*S-1-5-32-545" (and whoever else icacls "C:\a b\key" shows)"#
            )
        );
        let folder = make_folder_private(Path::new(r"C:\st"));
        let grants = format!(
            r#"/grant:r "{us}:(OI)(CI)F" "*S-1-5-18:(OI)(CI)F" "*S-1-5-32-544:(OI)(CI)F","#
        );
        assert!(folder.contains(&grants), "{folder}");
    }

    #[test]
    fn what_is_in_a_folder_of_the_administrators_stays_readable() {
        let folder = tempfile::tempdir().unwrap();
        let told = make_it_roots(folder.path());
        let grants =
            r#""*S-1-5-18:(OI)(CI)F" "*S-1-5-32-544:(OI)(CI)F" "*S-1-5-32-545:(OI)(CI)RX""#;
        assert!(told.ends_with(grants), "{told}");
        let file = make_it_roots(Path::new(r"C:\no\such.toml"));
        assert!(file.ends_with(r#""*S-1-5-32-544:F" "*S-1-5-32-545:RX""#), "{file}");
    }

    #[test]
    fn both_shells_understand_it_and_no_command_is_for_a_folder_above() {
        let place = Path::new(r"Z:\tmp");
        let all = [
            shut_writers_out(place),
            make_it_roots(place),
            make_folder_private(place),
            give_to(&us(), place),
            give_to_root(place),
        ];
        for told in all {
            assert!(!told.contains('%') && !told.contains(" (S-1-"), "{told}");
        }
        for whose in [Whose::RootsOrOurs, Whose::Roots] {
            assert!(!nobody_replaces(place, whose).contains("icacls"));
        }
    }
}
