//! Who counts as root, and what is a right to what. The numbers are those of winnt.h.

use securid_windows::{descriptor::Grant, sid::Sid};

use crate::standing::Whose;

/// To read whose it is, and who may do what.
pub(super) const READ_CONTROL: u32 = 0x0002_0000;

/// To read what kind of thing it is.
pub(super) const READ_ATTRIBUTES: u32 = 0x0080;

/// To remove what is in a folder; to remove or rename it; to change who may do what; to take it over; or everything.
pub(super) const REPLACE: u32 = 0x0040 | 0x0001_0000 | 0x0004_0000 | 0x0008_0000 | 0x1000_0000;

/// The same, and to write or add to it, its attributes included: with those a folder becomes a link.
pub(super) const CHANGE: u32 = REPLACE | 0x0002 | 0x0004 | 0x0010 | 0x0100 | 0x4000_0000;

/// The same, and to read it or list what is in it, to run it or go through it. What is left is to know of it.
pub(super) const ANY: u32 = CHANGE | 0x0001 | 0x0020 | 0x8000_0000 | 0x2000_0000;

/// Who gave the numbers their meaning.
const NT: u64 = 5;

/// Of a domain, or of a machine; the last number is the account's.
const ACCOUNTS: u32 = 21;

/// Of what is built in: administrators, users.
const BUILT_IN: u32 = 32;

/// Of what is computed from the name of a service.
const SERVICES: u32 = 80;

/// Windows' own installer, which owns what belongs to Windows.
const TRUSTED_INSTALLER: [u32; 6] =
    [SERVICES, 956_008_885, 3_418_522_649, 1_831_038_044, 1_853_292_631, 2_271_478_464];

/// The account Administrator, and the administrators of a domain and of all of a forest, who are in the group of administrators
/// on each machine. Nobody can make an account with a number below 1000.
const ADMINISTRATORS: [u32; 3] = [500, 512, 519];

/// Users and groups of a Unix system, as Samba shows them that it knows no other name for.
const UNIX: u64 = 22;

/// What allows one of these rights to others than administrators, and than us unless it has to be theirs alone.
pub(super) fn others<'a>(
    grants: &'a [Grant],
    rights: u32,
    whose: Whose,
    ours: Option<&'a Sid>,
) -> impl Iterator<Item = &'a Grant> {
    grants.iter().filter(move |grant| {
        let is_fine = |sid: &Sid| {
            is_roots(sid)
                || is_a_stand_in(sid)
                || (whose == Whose::RootsOrOurs && Some(sid) == ours)
        };
        !grant.inherit_only && grant.rights & rights != 0 && !grant.to.as_ref().is_some_and(is_fine)
    })
}

/// Whether it is the system, its installer or an administrator.
pub(super) fn is_roots(sid: &Sid) -> bool {
    sid.authority() == NT
        && match sid.numbers() {
            [18] | [BUILT_IN, 544] => true,
            [ACCOUNTS, .., account] => ADMINISTRATORS.contains(account),
            numbers => *numbers == TRUSTED_INSTALLER,
        }
}

/// Whether it stands for the owner (CREATOR OWNER, OWNER RIGHTS), who is looked at anyway.
fn is_a_stand_in(sid: &Sid) -> bool {
    sid.authority() == 3 && matches!(sid.numbers(), [0 | 4])
}

/// Everybody.
pub(super) fn everyone() -> Sid {
    Sid::new(1, &[0])
}

/// Whether it is a user or a group that only another system knows.
pub(super) fn is_of_a_foreign_system(sid: &Sid) -> bool {
    sid.authority() == UNIX
}

/// What is called the same by everybody's system (in its own language), and so is known without asking anybody.
pub(super) fn name(sid: &Sid) -> Option<&'static str> {
    Some(match (sid.authority(), sid.numbers()) {
        (1, [0]) => "Everyone",
        (NT, [4]) => "INTERACTIVE",
        (NT, [11]) => "Authenticated Users",
        (NT, [18]) => "SYSTEM",
        (NT, [19]) => "LOCAL SERVICE",
        (NT, [20]) => "NETWORK SERVICE",
        (NT, [BUILT_IN, 544]) => "Administrators",
        (NT, [BUILT_IN, 545]) => "Users",
        (NT, [BUILT_IN, 546]) => "Guests",
        (NT, numbers) if *numbers == TRUSTED_INSTALLER => "TrustedInstaller",
        (15, [2, 1]) => "ALL APPLICATION PACKAGES",
        _ => return None,
    })
}
