//! New files and folders that have their list of who may do what from their first moment.

use std::fs::{File, remove_file};
use std::io;
use std::os::windows::io::FromRawHandle as _;
use std::path::{Component, Path, Prefix, absolute};
use std::ptr::null_mut;

use windows_sys::Win32::Foundation::{
    GENERIC_ACCESS_RIGHTS, GENERIC_READ, GENERIC_WRITE, INVALID_HANDLE_VALUE,
};
use windows_sys::Win32::Security::SECURITY_ATTRIBUTES;
use windows_sys::Win32::Storage::FileSystem::{
    CREATE_NEW, CreateDirectoryW, CreateFileW, FILE_ATTRIBUTE_NORMAL, FILE_SHARE_DELETE,
    FILE_SHARE_READ, FILE_SHARE_WRITE, WRITE_DAC,
};

use crate::descriptor::Descriptor;
use crate::text::wide;

/// Makes a folder, in one that is there.
///
/// # Errors
/// Those of the system; [`io::ErrorKind::AlreadyExists`] if there is something of that name.
pub fn folder(path: &Path, descriptor: &Descriptor) -> io::Result<()> {
    let path = plain(path)?;
    let attributes = attributes(descriptor);
    // SAFETY: a NUL ends the path, and the attributes point to a descriptor that is borrowed.
    if unsafe { CreateDirectoryW(path.as_ptr(), &raw const attributes) } == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Makes a file, to be read and written, which others may open and remove meanwhile as any other.
///
/// # Errors
/// Those of the system; [`io::ErrorKind::AlreadyExists`] if there is something of that name.
pub fn file(path: &Path, descriptor: &Descriptor) -> io::Result<File> {
    new_file(path, descriptor, GENERIC_READ | GENERIC_WRITE)
}

/// Makes a file, to be written, that has another one's list ([`Descriptor::list_of_open`]) as it is, and before that lets in its
/// owner alone: who opened it in between could read it ever after.
///
/// # Errors
/// Those of the system; [`io::ErrorKind::AlreadyExists`] if there is something of that name.
pub fn file_like(path: &Path, list: &Descriptor) -> io::Result<File> {
    let made = new_file(path, &Descriptor::of(OWNER_ALONE)?, GENERIC_WRITE | WRITE_DAC);
    match made {
        // A share may let us change files, and no lists. There the file begins with what the list has of its own, and
        // the system adds what the folder has for all its files.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            new_file(path, list, GENERIC_WRITE)
        }
        made => {
            let file = made?;
            list.put_on(&file).inspect_err(|_| drop(remove_file(path)))?;
            Ok(file)
        }
    }
}

/// Whoever the owner is: a share may know us by another name.
const OWNER_ALONE: &str = "D:P(A;;FA;;;OW)";

fn new_file(
    path: &Path,
    descriptor: &Descriptor,
    access: GENERIC_ACCESS_RIGHTS,
) -> io::Result<File> {
    let path = plain(path)?;
    let attributes = attributes(descriptor);
    // SAFETY: a NUL ends the path, and the attributes point to a descriptor that is borrowed.
    let handle = unsafe {
        CreateFileW(
            path.as_ptr(),
            access,
            FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
            &raw const attributes,
            CREATE_NEW,
            FILE_ATTRIBUTE_NORMAL,
            null_mut(),
        )
    };
    if handle == INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it was opened just now, and nobody else has it.
    Ok(unsafe { File::from_raw_handle(handle) })
}

fn attributes(descriptor: &Descriptor) -> SECURITY_ATTRIBUTES {
    SECURITY_ATTRIBUTES {
        nLength: u32::try_from(size_of::<SECURITY_ATTRIBUTES>()).unwrap_or_default(),
        lpSecurityDescriptor: descriptor.pointer(),
        bInheritHandle: 0,
    }
}

/// A path from its root, in the form in which it may be longer than 260 units, and no name of a device is meant.
fn plain(path: &Path) -> io::Result<Vec<u16>> {
    let path = absolute(path)?;
    let prefix = path.components().next();
    let is_on_disk =
        matches!(prefix, Some(Component::Prefix(it)) if matches!(it.kind(), Prefix::Disk(_)));
    let mut plain = wide(path.as_os_str())?;
    if is_on_disk {
        plain.splice(..0, r"\\?\".encode_utf16());
    }
    Ok(plain)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::Write as _;

    use super::*;

    #[test]
    fn nothing_that_is_there_is_touched() {
        let top = std::env::temp_dir().join(format!("making-{}", std::process::id()));
        let ours = Descriptor::of("D:P(A;OICI;FA;;;WD)").unwrap();
        folder(&top, &ours).unwrap();
        let there = |error: io::Error| error.kind() == io::ErrorKind::AlreadyExists;
        assert!(folder(&top, &ours).is_err_and(there));
        let name = top.join("file");
        file(&name, &ours).unwrap().write_all(b"text").unwrap();
        assert!(file(&name, &ours).is_err_and(there));
        assert_eq!(std::fs::read(&name).unwrap(), b"text");
        std::fs::remove_dir_all(top).unwrap();
    }

    #[test]
    fn a_file_has_another_ones_list() {
        let top = std::env::temp_dir().join(format!("like-{}", std::process::id()));
        folder(&top, &Descriptor::of("D:P(A;OICI;FA;;;WD)").unwrap()).unwrap();
        let us = crate::sid::this_user().unwrap();
        for text in [format!("O:{us}D:P(A;;FA;;;{us})"), format!("O:{us}D:(A;;FA;;;WD)")] {
            let list = {
                let old = file(&top.join("old"), &Descriptor::of(&text).unwrap()).unwrap();
                Descriptor::list_of_open(&old).unwrap()
            };
            assert_eq!(list.owner(), None, "its owner is another matter");
            let mut new = file_like(&top.join("new"), &list).unwrap();
            new.write_all(b"text").unwrap();
            assert_eq!(Descriptor::list_of_open(&new).unwrap().grants(), list.grants(), "{text}");
            for name in ["old", "new"] {
                remove_file(top.join(name)).unwrap();
            }
        }
        std::fs::remove_dir_all(top).unwrap();
    }
}
