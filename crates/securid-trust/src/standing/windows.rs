//! Whose a file is: a SID, and the list of who may do what with it (DACL).

mod rights;

use std::{
    env, fmt,
    fs::{File, Metadata, OpenOptions},
    io,
    os::windows::fs::OpenOptionsExt as _,
    path::Path,
    sync::OnceLock,
};

use securid_windows::{
    descriptor::{Descriptor, Grant},
    sid::{Sid, this_user},
};

use self::rights::{ANY, CHANGE, READ_ATTRIBUTES, READ_CONTROL, REPLACE};
use super::Whose;

/// Folders are opened too (`FILE_FLAG_BACKUP_SEMANTICS`), and of a link itself (`FILE_FLAG_OPEN_REPARSE_POINT`).
const FOLDERS_AND_LINKS: u32 = 0x0200_0000 | 0x0020_0000;

/// Whoever is at the other end, of a pipe in the place of a file, may know who we are and not act as we (`SECURITY_IDENTIFICATION`).
pub(crate) const IDENTIFICATION: u32 = 0x0001_0000;

/// A user or a group, for people: a name where everybody's system has the same, and the SID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner(Option<Sid>);

/// Who else may do something with a file, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access(Vec<Owner>);

/// What the system says of a file, a folder or a link.
#[derive(Debug, Clone)]
pub struct Standing {
    metadata: Metadata,
    owner: Option<Sid>,
    /// None where everybody may do everything.
    grants: Option<Vec<Grant>>,
}

/// Who we are.
#[must_use]
pub fn us() -> Owner {
    Owner(ours().cloned())
}

/// This process's user; none if the system does not say, and then nothing is ours.
fn ours() -> Option<&'static Sid> {
    static OURS: OnceLock<Option<Sid>> = OnceLock::new();
    OURS.get_or_init(|| this_user().ok()).as_ref()
}

impl Standing {
    /// That of what was opened, to be read or written.
    ///
    /// # Errors
    /// If the system does not say.
    pub fn of(file: &File) -> io::Result<Self> {
        Ok(Self::described(file.metadata()?, &Descriptor::of_open(file)?))
    }

    /// That of what is at this path; of a link its own.
    ///
    /// # Errors
    /// If the system does not say.
    pub fn at(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.access_mode(READ_CONTROL | READ_ATTRIBUTES).custom_flags(FOLDERS_AND_LINKS);
        Self::of(&options.security_qos_flags(IDENTIFICATION).open(path)?)
    }

    fn described(metadata: Metadata, descriptor: &Descriptor) -> Self {
        Self { metadata, owner: descriptor.owner(), grants: descriptor.grants() }
    }

    /// What else the system says of it.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Whose it is.
    #[must_use]
    pub fn owner(&self) -> Owner {
        Owner(self.owner.clone())
    }

    /// Who may do something with it but administrators and us; if nobody, we.
    #[must_use]
    pub fn access(&self) -> Access {
        let Some(grants) = &self.grants else {
            return Access(vec![Owner(Some(rights::everyone()))]);
        };
        let mut others: Vec<Owner> = Vec::new();
        for grant in rights::others(grants, ANY, Whose::RootsOrOurs, ours()) {
            let other = Owner(grant.to.clone());
            if !others.contains(&other) {
                others.push(other);
            }
        }
        if others.is_empty() { Access(vec![us()]) } else { Access(others) }
    }

    /// Whether it is this user's own. What an administrator makes with an administrator's rights is the
    /// administrators', and counts as his.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.is_trusted()
    }

    /// Whether it is the system's or the administrators'.
    #[must_use]
    pub fn is_roots(&self) -> bool {
        self.owner.as_ref().is_some_and(rights::is_roots)
    }

    /// Whether it is an administrator's or ours: nobody else's files are used.
    #[must_use]
    pub fn is_trusted(&self) -> bool {
        self.is_roots() || (self.owner.is_some() && self.owner.as_ref() == ours())
    }

    /// Whether it is an administrator's, and nobody else can write to it, nor we.
    #[must_use]
    pub fn is_roots_alone(&self) -> bool {
        self.is_roots() && !self.lets_others(CHANGE, Whose::Roots)
    }

    /// Whether others than administrators and we can write to it, or remove it.
    #[must_use]
    pub fn is_writable_by_others(&self) -> bool {
        self.lets_others(CHANGE, Whose::RootsOrOurs)
    }

    /// Whether others may do anything with it that is more than to know that it is there.
    #[must_use]
    pub fn is_open_to_others(&self) -> bool {
        self.lets_others(ANY, Whose::RootsOrOurs)
    }

    /// The same: there is no group that every file has.
    #[must_use]
    pub fn is_open_to_more_than_a_group(&self) -> bool {
        self.is_open_to_others()
    }

    /// Whether others can replace what is in this folder, or the folder. That they can make something new in it, as anybody
    /// can in `C:\`, replaces nothing.
    pub(crate) fn lets_others_replace(&self, whose: Whose) -> bool {
        self.lets_others(REPLACE, whose)
    }

    /// Whether others can have this link lead elsewhere.
    pub(crate) fn lets_others_redirect(&self, whose: Whose) -> bool {
        self.lets_others(CHANGE, whose)
    }

    fn lets_others(&self, rights: u32, whose: Whose) -> bool {
        let Some(grants) = &self.grants else { return true };
        rights::others(grants, rights, whose, ours()).next().is_some()
    }
}

impl Owner {
    /// As icacls takes it, whatever shell there is.
    pub(crate) fn as_argument(&self) -> String {
        self.0.as_ref().map_or_else(|| "USER".to_owned(), |sid| format!("*{sid}"))
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(sid) = &self.0 else { return f.write_str("nobody that is known here") };
        let name = match rights::name(sid) {
            Some(name) => Some(name.to_owned()),
            None if Some(sid) == ours() => env::var("USERNAME").ok(),
            // Whose that is a domain would have to be asked, which may take long.
            None => None,
        };
        match name {
            Some(name) => write!(f, "{name} ({sid})"),
            None => sid.fmt(f),
        }
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, other) in self.0.iter().enumerate() {
            write!(f, "{}{other}", if n == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

/// A user for people, and what may be the reason that it is this one.
pub(crate) fn whom(owner: &Owner) -> String {
    match &owner.0 {
        Some(sid) if rights::is_of_a_foreign_system(sid) => {
            format!("{owner}, a user of another system: on a network share, see to its id mapping")
        }
        _ => owner.to_string(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// Lets everybody do everything with a folder.
    pub(crate) fn open_to_everybody(folder: &Path) {
        const WRITE_DAC: u32 = 0x0004_0000;
        let mut options = OpenOptions::new();
        options.access_mode(READ_CONTROL | WRITE_DAC).custom_flags(FOLDERS_AND_LINKS);
        let list = Descriptor::of("D:P(A;OICI;FA;;;WD)").unwrap();
        list.put_on(&options.open(folder).unwrap()).unwrap();
    }

    /// What would be said of something with this descriptor, in which `US` is we.
    fn described(text: &str) -> Standing {
        let text = text.replace("US", &ours().unwrap().to_string());
        let metadata = env::current_exe().unwrap().metadata().unwrap();
        Standing::described(metadata, &Descriptor::of(&text).unwrap())
    }

    #[test]
    fn root_is_who_may_do_everything_anyway() {
        for (owner, is_roots, is_trusted) in [
            ("SY", true, true),
            ("BA", true, true),
            ("S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464", true, true),
            ("S-1-5-21-1-2-3-512", true, true),
            ("US", false, true),
            ("S-1-5-21-1-2-3-1001", false, false),
            ("S-1-5-80-1-2-3-4-5", false, false),
            ("BU", false, false),
            ("WD", false, false),
            ("LS", false, false),
        ] {
            let standing = described(&format!("O:{owner}D:P"));
            assert_eq!(standing.is_roots(), is_roots, "{owner}");
            assert_eq!(standing.is_trusted(), is_trusted, "{owner}");
            assert_eq!(standing.is_roots_alone(), is_roots, "{owner}");
        }
        assert!(!described("D:P").is_trusted(), "nobody's");
    }

    #[test]
    fn what_the_system_has_of_its_own_is_safe_on_the_way_and_no_place_for_secrets() {
        // As Windows 11 has them.
        for list in [
            // C:\
            "D:PAI(A;OICIIO;SDGXGWGR;;;AU)(A;;LC;;;AU)(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)",
            // C:\ProgramData
            "D:PAI(A;OICIIO;GA;;;CO)(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;CI;DCLCRPCR;;;BU)(A;OICI;0x1200a9;;;BU)",
            // C:\Users
            "D:PAI(A;;FA;;;SY)(A;OICIIO;GA;;;SY)(A;;FA;;;BA)(A;OICIIO;GA;;;BA)(A;;0x1200a9;;;BU)\
             (A;OICIIO;GXGR;;;BU)(A;;0x1200a9;;;WD)(A;OICIIO;GXGR;;;WD)",
        ] {
            let standing = described(&format!("O:SY{list}"));
            for whose in [Whose::RootsOrOurs, Whose::Roots] {
                assert!(!standing.lets_others_replace(whose), "{list}");
            }
            assert!(standing.is_open_to_others(), "{list}");
        }
        // C:\Users\us, which the system owns.
        let profile = described("O:SYD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;US)");
        assert!(!profile.is_open_to_others() && !profile.is_roots_alone());
        assert!(!profile.lets_others_replace(Whose::RootsOrOurs));
        assert!(profile.lets_others_replace(Whose::Roots), "we are not root");
    }

    #[test]
    fn whoever_can_replace_or_write_or_read_is_seen() {
        // Each right by itself: on the way, at the end, where nobody else may come.
        for (right, replaces, changes, opens) in [
            ("0x1", false, false, true),        // read, or list
            ("0x2", false, true, true),         // write, or make a file
            ("0x4", false, true, true),         // append, or make a folder
            ("0x8", false, false, false),       // read its extended attributes
            ("0x10", false, true, true),        // write those
            ("0x20", false, false, true),       // run, or go through
            ("0x40", true, true, true),         // remove what is in it
            ("0x80", false, false, false),      // read attributes
            ("0x100", false, true, true),       // write those
            ("0x10000", true, true, true),      // remove it
            ("0x20000", false, false, false),   // read this list
            ("0x40000", true, true, true),      // change this list
            ("0x80000", true, true, true),      // take it over
            ("0x100000", false, false, false),  // wait for it
            ("0x10000000", true, true, true),   // everything
            ("0x20000000", false, false, true), // run
            ("0x40000000", false, true, true),  // write
            ("0x80000000", false, false, true), // read
        ] {
            for other in ["WD", "BU", "AU", "LS", "S-1-5-21-1-2-3-1001", "AC"] {
                let standing = described(&format!("O:USD:P(A;;FA;;;US)(A;;{right};;;{other})"));
                let told = (
                    standing.lets_others_replace(Whose::RootsOrOurs),
                    standing.is_writable_by_others(),
                    standing.is_open_to_others(),
                );
                assert_eq!(told, (replaces, changes, opens), "{right} for {other}");
                assert_eq!(standing.lets_others_redirect(Whose::RootsOrOurs), changes);
            }
            for trusted in ["SY", "BA", "US", "CO", "OW", "S-1-5-21-1-2-3-519"] {
                let standing = described(&format!("O:USD:P(A;;{right};;;{trusted})"));
                assert!(!standing.is_open_to_others(), "{right} for {trusted}");
            }
            let inherited = described(&format!("O:USD:P(A;OICIIO;{right};;;WD)"));
            assert!(!inherited.is_open_to_others(), "only for what is made in it: {right}");
            let forbidden = described(&format!("O:USD:P(D;;{right};;;WD)"));
            assert!(!forbidden.is_open_to_others(), "{right}");
        }
    }

    #[test]
    fn no_list_means_everybody() {
        let standing = described("O:US");
        assert!(standing.is_open_to_others() && standing.is_writable_by_others());
        assert!(standing.lets_others_replace(Whose::RootsOrOurs));
        assert_eq!(standing.access().to_string(), "Everyone (S-1-1-0)");
        assert!(!described("O:USD:P").is_open_to_others(), "an empty one: nobody");
    }

    #[test]
    fn they_are_named() {
        let standing =
            described("O:BUD:(A;;FA;;;US)(A;;FR;;;BU)(A;;FR;;;S-1-5-21-1-2-3-1001)(A;;FW;;;BU)");
        assert_eq!(standing.owner().to_string(), "Users (S-1-5-32-545)");
        assert_eq!(standing.access().to_string(), "Users (S-1-5-32-545), S-1-5-21-1-2-3-1001");
        assert!(whom(&described("O:S-1-22-1-1000D:").owner()).contains("id mapping"));
        assert!(us().to_string().contains(&ours().unwrap().to_string()));
    }
}
