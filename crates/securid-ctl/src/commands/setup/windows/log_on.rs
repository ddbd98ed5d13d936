//! The value in the registry.

use std::path::Path;

use windows_registry::CURRENT_USER;

use crate::{
    failure::{FAILED, Failure},
    program,
};

/// Where it is, for people.
pub(super) const PLACE: &str =
    r"HKEY_CURRENT_USER\Software\Microsoft\Windows\CurrentVersion\Run\securid-sessiond";

const KEY: &str = r"Software\Microsoft\Windows\CurrentVersion\Run";
const NAME: &str = "securid-sessiond";

/// Where Windows keeps which of them a person has switched off.
const APPROVED: &str = r"Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run";

/// Windows leaves longer ones out.
const LONGEST: usize = 260;

/// What Windows says where there is no such key or value (ERROR_FILE_NOT_FOUND).
const NOT_FOUND: i32 = 0x8007_0002_u32.cast_signed();

/// What it says where a value is of another type (ERROR_INVALID_DATA).
const NO_TEXT: i32 = 0x8007_000D_u32.cast_signed();

/// How it stands.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super::super) enum Standing {
    /// There is none.
    Missing,
    /// It is what setup would write.
    UpToDate,
    /// It is what a setup has written for programs in another folder.
    Older(String),
    /// A person has written or changed it.
    ByHand(String),
}

/// How it stands beside what setup would write.
///
/// # Errors
/// If the registry cannot be read.
pub(super) fn standing(wanted: &str) -> Result<Standing, Failure> {
    let read = CURRENT_USER.open(KEY).and_then(|key| key.get_string(NAME));
    match read {
        Ok(command) => Ok(judge(command, wanted)),
        Err(error) if error.code().0 == NOT_FOUND => Ok(Standing::Missing),
        Err(error) if error.code().0 == NO_TEXT => {
            Ok(Standing::ByHand("a value that is no text".to_owned()))
        }
        Err(error) => Err(failed("read", &error.message())),
    }
}

/// Whether a person has switched it off among the apps that start with Windows. Nothing tells how Windows notes it; it is
/// known to write an odd number at the beginning of some bytes, and an even one, or nothing, otherwise.
pub(super) fn is_switched_off() -> bool {
    let noted = CURRENT_USER.open(APPROVED).and_then(|key| key.get_value(NAME));
    noted.is_ok_and(|noted| noted.first().is_some_and(|first| first % 2 == 1))
}

fn judge(command: String, wanted: &str) -> Standing {
    if command == wanted {
        return Standing::UpToDate;
    }
    let program = command.strip_prefix('"').and_then(|rest| rest.strip_suffix("\" start"));
    let is_ours = program.map(Path::new).is_some_and(|program| {
        program.is_absolute()
            && program.file_name().is_some_and(|name| name.eq_ignore_ascii_case("securid-ctl.exe"))
    });
    if is_ours { Standing::Older(command) } else { Standing::ByHand(command) }
}

/// What setup writes: this program, which starts the daemon beside it.
///
/// # Errors
/// If there is no daemon beside it, or it can be named in no such value.
pub(super) fn command() -> Result<String, Failure> {
    let us = program::ourselves()?;
    let failed = |what: String, hint: &str| Failure::new("setup", what, FAILED).with_hint(hint);
    let daemon = us.with_file_name("securid-sessiond.exe");
    if !daemon.is_file() {
        let what = format!("{} is not there, beside securid-ctl", daemon.display());
        return Err(failed(what, "Install both programs into one folder."));
    }
    let command = us.to_str().map(|us| format!("\"{us}\" start"));
    command.filter(|command| command.encode_utf16().count() <= LONGEST).ok_or_else(|| {
        let what = format!("the registry cannot name {}", us.display());
        failed(what, "Install both programs where the path is shorter.")
    })
}

/// Has it run at log-on.
///
/// # Errors
/// If the registry cannot be written to.
pub(super) fn set(command: &str) -> Result<(), Failure> {
    let written = CURRENT_USER.create(KEY).and_then(|key| key.set_string(NAME, command));
    written.map_err(|error| failed("write", &error.message()))
}

/// Has nothing run at log-on any more.
///
/// # Errors
/// If the registry cannot be written to.
pub(super) fn remove() -> Result<(), Failure> {
    let removed = CURRENT_USER.create(KEY).and_then(|key| key.remove_value(NAME));
    removed.map_err(|error| failed("remove", &error.message()))
}

fn failed(what: &str, why: &str) -> Failure {
    Failure::new("setup", format!("cannot {what} {PLACE}: {why}"), FAILED)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use windows_registry::Type;

    #[test]
    fn ours_is_what_a_setup_would_write_for_any_folder() {
        let wanted = r#""C:\new\securid-ctl.exe" start"#;
        let judged = |command: &str| judge(command.to_owned(), wanted);
        assert_eq!(judged(wanted), Standing::UpToDate);
        let older = r#""C:\Program Files\old\Securid-Ctl.exe" start"#;
        assert_eq!(judged(older), Standing::Older(older.to_owned()));
        for by_hand in [
            r#""C:\new\securid-ctl.exe" start --json"#,
            r#"cmd /c "C:\new\securid-ctl.exe" start"#,
            r#""securid-ctl.exe" start"#,
            "",
        ] {
            assert_eq!(judged(by_hand), Standing::ByHand(by_hand.to_owned()));
        }
    }

    /// It is what was there before, in the end.
    #[test]
    fn the_value_is_set_found_and_removed() {
        let before = CURRENT_USER.open(KEY).and_then(|key| key.get_string(NAME)).ok();
        let approved = CURRENT_USER.create(APPROVED).unwrap();
        let noted = approved.get_value(NAME).ok();
        let wanted = r#""C:\größer\securid-ctl.exe" start"#;
        set(wanted).unwrap();
        assert_eq!(standing(wanted).unwrap(), Standing::UpToDate);
        assert_eq!(standing("another").unwrap(), Standing::Older(wanted.to_owned()));
        for (first, off) in [(2, false), (3, true)] {
            approved
                .set_bytes(NAME, Type::Bytes, &[first, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
                .unwrap();
            assert_eq!(is_switched_off(), off);
        }
        approved.remove_value(NAME).unwrap();
        assert!(!is_switched_off());
        CURRENT_USER.create(KEY).unwrap().set_u32(NAME, 1).unwrap();
        assert!(matches!(standing(wanted).unwrap(), Standing::ByHand(_)));
        remove().unwrap();
        assert_eq!(standing(wanted).unwrap(), Standing::Missing);
        if let Some(before) = before {
            set(&before).unwrap();
        }
        if let Some(noted) = noted {
            approved.set_value(NAME, &noted).unwrap();
        }
    }
}
