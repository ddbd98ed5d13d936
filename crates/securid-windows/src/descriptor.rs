//! Security descriptors: whose a thing is, the list of who may do what with it (DACL), and how far he is trusted who made it
//! (its label).

use std::io;
use std::os::windows::io::{AsHandle, AsRawHandle as _};
use std::ptr::null_mut;

use windows_sys::Win32::Foundation::{ERROR_INSUFFICIENT_BUFFER, LocalFree};
use windows_sys::Win32::Security::Authorization::{
    ConvertStringSecurityDescriptorToSecurityDescriptorW, SDDL_REVISION_1,
};
use windows_sys::Win32::Security::{
    DACL_SECURITY_INFORMATION, GetKernelObjectSecurity, GetSecurityDescriptorLength,
    LABEL_SECURITY_INFORMATION, OBJECT_SECURITY_INFORMATION, OWNER_SECURITY_INFORMATION,
    PROTECTED_DACL_SECURITY_INFORMATION, PSECURITY_DESCRIPTOR, SE_DACL_AUTO_INHERIT_REQ,
    SE_DACL_AUTO_INHERITED, SE_DACL_PRESENT, SE_DACL_PROTECTED, SE_SACL_PRESENT,
    SetKernelObjectSecurity, UNPROTECTED_DACL_SECURITY_INFORMATION,
};

use crate::sid::Sid;
use crate::text::wide;

/// Owner and list in one piece, as the system has them, which is where everything stands by its distance from the
/// beginning (self-relative).
#[derive(Debug, Clone)]
pub struct Descriptor {
    /// In words, for it has to be aligned.
    words: Vec<u32>,
}

/// What one entry of a list allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// To whom; none if the entry does not say so in a way that is known here.
    pub to: Option<Sid>,
    /// What, a bit each.
    pub rights: u32,
    /// Not for the thing itself, but for what is made in it.
    pub inherit_only: bool,
}

impl Descriptor {
    /// That of something open: a file, a folder, a pipe, a process. The handle has to be one that may be asked
    /// (`READ_CONTROL`).
    ///
    /// # Errors
    /// If the system does not say.
    pub fn of_open(thing: &impl AsHandle) -> io::Result<Self> {
        let what =
            OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION | LABEL_SECURITY_INFORMATION;
        Self::parts_of_open(thing, what)
    }

    /// The list alone of something open, to be put on another thing as it is: what it has of the folder above stays marked as
    /// such. The handle has to be one that may be asked (`READ_CONTROL`).
    ///
    /// # Errors
    /// If the system does not say.
    pub fn list_of_open(thing: &impl AsHandle) -> io::Result<Self> {
        let mut this = Self::parts_of_open(thing, DACL_SECURITY_INFORMATION)?;
        // Without being asked for, that mark is lost.
        if this.control() & SE_DACL_AUTO_INHERITED != 0
            && let Some(first) = this.words.first_mut()
        {
            *first |= u32::from(SE_DACL_AUTO_INHERIT_REQ) << 16;
        }
        Ok(this)
    }

    fn parts_of_open(thing: &impl AsHandle, what: OBJECT_SECURITY_INFORMATION) -> io::Result<Self> {
        let handle = thing.as_handle().as_raw_handle();
        // What is usual fits; else the system says how much it is, which may grow meanwhile.
        let mut words = vec![0_u32; 256];
        loop {
            let size = u32::try_from(size_of_val(words.as_slice())).unwrap_or(u32::MAX);
            let mut needed = 0;
            // SAFETY: the handle is borrowed, so it is open; and no more than `size` bytes are written.
            let told = unsafe {
                let descriptor = words.as_mut_ptr().cast();
                GetKernelObjectSecurity(handle, what, descriptor, size, &raw mut needed)
            };
            if told != 0 {
                return Ok(Self { words });
            }
            let error = io::Error::last_os_error();
            let is_short = error.raw_os_error() == Some(ERROR_INSUFFICIENT_BUFFER.cast_signed());
            if !is_short || needed <= size {
                return Err(error);
            }
            words.resize(needed.div_ceil(4) as usize, 0);
        }
    }

    /// The one that is written so, in the security descriptor definition language.
    ///
    /// # Errors
    /// If it is not written well.
    pub fn of(sddl: &str) -> io::Result<Self> {
        let text = wide(sddl.as_ref())?;
        let mut made: PSECURITY_DESCRIPTOR = null_mut();
        // SAFETY: a NUL ends the text, and `made` has room for where the result is.
        let is_made = unsafe {
            ConvertStringSecurityDescriptorToSecurityDescriptorW(
                text.as_ptr(),
                SDDL_REVISION_1,
                &raw mut made,
                null_mut(),
            )
        };
        if is_made == 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: it was made just now, in one piece of that length, and is freed once, after the copy.
        unsafe {
            let len = GetSecurityDescriptorLength(made) as usize;
            let mut words = vec![0_u32; len.div_ceil(4)];
            made.cast::<u8>().copy_to_nonoverlapping(words.as_mut_ptr().cast(), len);
            LocalFree(made);
            Ok(Self { words })
        }
    }

    /// Gives this list to something open, as it is, whose own it is from now on. A protected one stays so whatever the folder above
    /// comes to say. The handle has to be one by which that may be done (`WRITE_DAC`).
    ///
    /// # Errors
    /// If the system refuses.
    pub fn put_on(&self, thing: &impl AsHandle) -> io::Result<()> {
        let handle = thing.as_handle().as_raw_handle();
        // SAFETY: the handle is borrowed, so it is open, and the descriptor is whole.
        if unsafe { SetKernelObjectSecurity(handle, self.list_with_protection(), self.pointer()) }
            == 0
        {
            return Err(io::Error::last_os_error());
        }
        Ok(())
    }

    /// What of it is put on a thing: the list, and whether that is protected.
    fn list_with_protection(&self) -> OBJECT_SECURITY_INFORMATION {
        DACL_SECURITY_INFORMATION
            | match self.control() & SE_DACL_PROTECTED {
                0 => UNPROTECTED_DACL_SECURITY_INFORMATION,
                _ => PROTECTED_DACL_SECURITY_INFORMATION,
            }
    }

    /// What the system says of the whole, a bit each.
    fn control(&self) -> u16 {
        let bytes = self.bytes();
        bytes.get(2..4).and_then(|control| control.try_into().ok()).map_or(0, u16::from_le_bytes)
    }

    /// Whose it is; none if nobody's.
    #[must_use]
    pub fn owner(&self) -> Option<Sid> {
        let bytes = self.bytes();
        let at = number(&bytes, 4)?;
        if at == 0 { None } else { Sid::read(bytes.get(at..)?) }
    }

    /// What is allowed to whom; none if there is no list, so that everybody may do everything. A list that cannot be
    /// read allows everything to somebody unknown.
    #[must_use]
    pub fn grants(&self) -> Option<Vec<Grant>> {
        let bytes = self.bytes();
        let at = number(&bytes, 16)?;
        if self.control() & SE_DACL_PRESENT == 0 || at == 0 {
            return None;
        }
        let everything = Grant { to: None, rights: u32::MAX, inherit_only: false };
        Some(bytes.get(at..).and_then(grants).unwrap_or_else(|| vec![everything]))
    }

    /// Whether a program has made it that Windows trusts less than those which a person starts: one in a sandbox, of low
    /// integrity. A label that cannot be read is as good as a low one; without one it is like any other.
    #[must_use]
    pub fn is_of_a_sandbox(&self) -> bool {
        let bytes = self.bytes();
        let at = number(&bytes, 12).unwrap_or(0);
        if self.control() & SE_SACL_PRESENT == 0 || at == 0 {
            return false;
        }
        bytes.get(at..).and_then(lowest_label).is_none_or(|level| level < MEDIUM)
    }

    /// For a call that reads it. Good as long as this is there.
    pub(crate) fn pointer(&self) -> PSECURITY_DESCRIPTOR {
        self.words.as_ptr().cast_mut().cast()
    }

    fn bytes(&self) -> Vec<u8> {
        self.words.iter().flat_map(|word| word.to_ne_bytes()).collect()
    }
}

/// Entries that allow nothing: those that forbid, and what is for watching alone.
const NOT_ALLOWING: [u8; 12] = [1, 2, 3, 6, 7, 8, 10, 12, 13, 14, 15, 16];

/// Entries that allow, and name somebody right after the rights: plain ones, and those with a condition.
const ALLOWING: [u8; 2] = [0, 9];

/// An entry that is a label (`SYSTEM_MANDATORY_LABEL_ACE`).
const LABEL: u8 = 17;

/// The level of what a person starts, and of what has no label (`SECURITY_MANDATORY_MEDIUM_RID`).
const MEDIUM: u32 = 0x2000;

/// The lowest level among the labels of a list, [`MEDIUM`] if there is none; none if it is damaged.
fn lowest_label(list: &[u8]) -> Option<u32> {
    let count = u16::from_le_bytes([*list.get(4)?, *list.get(5)?]);
    let mut rest = list.get(8..)?;
    let mut lowest = MEDIUM;
    for _ in 0..count {
        let &[kind, _, low, high] = rest.first_chunk::<4>()?;
        let entry = rest.get(..usize::from(u16::from_le_bytes([low, high])).max(8))?;
        rest = &rest[entry.len()..];
        if kind == LABEL {
            lowest = lowest.min(*Sid::read(&entry[8..])?.numbers().last()?);
        }
    }
    Some(lowest)
}

/// An entry is not for the thing itself.
const INHERIT_ONLY: u8 = 8;

/// The entries of a list that allow something; none if it is damaged.
fn grants(list: &[u8]) -> Option<Vec<Grant>> {
    let count = u16::from_le_bytes([*list.get(4)?, *list.get(5)?]);
    let mut rest = list.get(8..)?;
    let mut grants = Vec::new();
    for _ in 0..count {
        let &[kind, flags, low, high] = rest.first_chunk::<4>()?;
        let len = usize::from(u16::from_le_bytes([low, high])).max(8);
        let entry = rest.get(..len)?;
        rest = &rest[len..];
        if NOT_ALLOWING.contains(&kind) {
            continue;
        }
        let known = ALLOWING.contains(&kind);
        grants.push(Grant {
            to: if known { Some(Sid::read(&entry[8..])?) } else { None },
            rights: if known { u32::try_from(number(entry, 4)?).ok()? } else { u32::MAX },
            inherit_only: flags & INHERIT_ONLY != 0,
        });
    }
    Some(grants)
}

/// The number of four bytes that stands there.
fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    usize::try_from(u32::from_le_bytes(*bytes)).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_is_described_is_read() {
        let text = "O:BAD:P(D;;FA;;;AN)(A;;FR;;;WD)(A;OICIIO;GA;;;CO)";
        let descriptor = Descriptor::of(text).unwrap();
        assert_eq!(descriptor.owner(), Some(Sid::new(5, &[32, 544])));
        let everyone = Some(Sid::new(1, &[0]));
        let creator = Some(Sid::new(3, &[0]));
        assert_eq!(
            descriptor.grants().unwrap(),
            [
                Grant { to: everyone, rights: 0x0012_0089, inherit_only: false },
                Grant { to: creator, rights: 0x1000_0000, inherit_only: true },
            ]
        );
        assert_eq!(Descriptor::of("O:SYD:").unwrap().grants(), Some(Vec::new()));
        assert_eq!(Descriptor::of("O:SY").unwrap().grants(), None);
        assert_eq!(Descriptor::of("D:(A;;FA;;;BA)").unwrap().owner(), None);
    }

    #[test]
    fn what_is_of_a_sandbox_is_known_by_its_label() {
        let is_of_a_sandbox = |text| Descriptor::of(text).unwrap().is_of_a_sandbox();
        for low in ["S:(ML;;NW;;;LW)", "O:SYD:(A;;FA;;;WD)S:(ML;;NW;;;LW)"] {
            assert!(is_of_a_sandbox(low), "{low}");
        }
        for usual in ["O:SYD:(A;;FA;;;WD)", "S:(ML;;NW;;;ME)", "S:(ML;;NWNRNX;;;HI)", "S:"] {
            assert!(!is_of_a_sandbox(usual), "{usual}");
        }
        let mut cut = Descriptor::of("S:(ML;;NW;;;ME)").unwrap();
        cut.words.truncate(cut.words.len() - 1);
        assert!(cut.is_of_a_sandbox());
    }

    #[test]
    fn a_damaged_list_allows_everything() {
        let mut descriptor = Descriptor::of("O:SYD:(A;;FR;;;BA)").unwrap();
        let len = descriptor.words.len();
        descriptor.words.truncate(len - 1);
        let cut = descriptor.grants();
        // The owner may stand behind the list.
        assert!(
            cut.is_some_and(|grants| grants.iter().all(|grant| grant.to.is_none()))
                || descriptor.owner().is_none()
        );
    }

    #[test]
    fn a_list_is_put_on_with_its_protection() {
        for (text, expected) in [
            ("D:P(A;;FA;;;BA)", PROTECTED_DACL_SECURITY_INFORMATION),
            ("D:PAI(A;;FA;;;BA)", PROTECTED_DACL_SECURITY_INFORMATION),
            ("D:AI(A;ID;FA;;;BA)", UNPROTECTED_DACL_SECURITY_INFORMATION),
            ("D:(A;;FA;;;BA)", UNPROTECTED_DACL_SECURITY_INFORMATION),
        ] {
            let what = Descriptor::of(text).unwrap().list_with_protection();
            assert_eq!(what, DACL_SECURITY_INFORMATION | expected, "{text}");
        }
    }

    #[test]
    fn files_and_processes_have_one() {
        let file = std::fs::File::open(std::env::current_exe().unwrap()).unwrap();
        assert!(Descriptor::of_open(&file).unwrap().owner().is_some());
    }
}
