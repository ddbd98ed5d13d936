//! Where paths begin: at a drive, at a share of the network, or at a volume without a letter.

use std::{
    io,
    path::{Component, Path, PathBuf, Prefix},
};

use super::Untrusted;

/// What the system says of links that go round (`ERROR_CANT_RESOLVE_FILENAME`).
const CANT_RESOLVE: i32 = 1921;

/// Where a path begins that says so itself; one that begins with a backslash does on the drive of the folder (`here`) that it
/// is met in.
pub(super) fn root(path: &Path, here: &Path) -> Result<Option<PathBuf>, Untrusted> {
    let prefix = match path.components().next() {
        Some(Component::Prefix(prefix)) => prefix,
        Some(Component::RootDir) => return root(here, here),
        _ => return Ok(None),
    };
    let is_place = match prefix.kind() {
        Prefix::Disk(_) | Prefix::VerbatimDisk(_) | Prefix::UNC(..) | Prefix::VerbatimUNC(..) => {
            true
        }
        Prefix::Verbatim(name) => name.to_string_lossy().starts_with("Volume{"),
        Prefix::DeviceNS(_) => false,
    };
    if !is_place {
        let source = io::Error::other("it is a device, and no file: name another place");
        return Err(Untrusted::Look { path: path.to_owned(), source });
    }
    if path.components().any(has_colon) {
        let source = io::Error::other("a name in it has a colon: name another place");
        return Err(Untrusted::Look { path: path.to_owned(), source });
    }
    let mut root = PathBuf::from(prefix.as_os_str());
    root.push("\\");
    Ok(Some(root))
}

/// Behind a colon is a stream of a file; and after one letter such a name would lead to another drive.
fn has_colon(part: Component<'_>) -> bool {
    matches!(part, Component::Normal(name) if name.as_encoded_bytes().contains(&b':'))
}

/// What the system says of links that go round.
pub(super) fn too_many_links() -> io::Error {
    io::Error::from_raw_os_error(CANT_RESOLVE)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::{env, fs};

    use super::*;
    use crate::path::{real_path, real_path_of_root};
    use crate::standing::open_to_everybody;

    fn begins(path: &str) -> Option<PathBuf> {
        root(Path::new(path), Path::new(r"D:\here")).unwrap()
    }

    #[test]
    fn a_path_begins_at_a_drive_a_share_or_a_volume() {
        for (path, begin) in [
            (r"C:\a\b", r"C:\"),
            ("c:/a", r"c:\"),
            (r"\a", r"D:\"),
            (r"\\?\C:\a", r"\\?\C:\"),
            (r"\\server\share\a", r"\\server\share\"),
            (r"\\?\UNC\server\share\a", r"\\?\UNC\server\share\"),
            (r"\\?\Volume{1-2}\a", r"\\?\Volume{1-2}\"),
        ] {
            assert_eq!(begins(path), Some(PathBuf::from(begin)), "{path}");
        }
        for path in ["a", r"..\a", ""] {
            assert_eq!(begins(path), None, "{path}");
        }
        for path in [r"\\.\NUL", r"\\.\pipe\x", r"\\?\GLOBALROOT\Device\x", r"\\?\pipe\x"] {
            let refused = root(Path::new(path), Path::new("")).unwrap_err().to_string();
            assert!(refused.contains("it is a device, and no file"), "{path}: {refused}");
        }
    }

    #[test]
    fn a_name_with_a_colon_is_refused_and_the_whole_path_told() {
        for path in [r"C:\a:b", r"C:\a:b\c", r"\\?\C:\a\b:c"] {
            let refused = real_path(Path::new(path)).unwrap_err().to_string();
            let expected =
                format!("cannot look at {path}: a name in it has a colon: name another place");
            assert_eq!(refused, expected);
        }
    }

    #[test]
    fn a_good_path_leads_where_the_system_would_go() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("a").join("b");
        fs::create_dir_all(&folder).unwrap();
        let round = folder.join("..").join("b").join("no").join("such");
        assert_eq!(real_path(&round).unwrap(), folder.join("no").join("such"));
        env::set_current_dir(&folder).unwrap();
        assert_eq!(real_path(Path::new("x y")).unwrap(), folder.join("x y"));
    }

    #[test]
    fn a_folder_in_which_others_can_replace_is_refused_anywhere() {
        let home = tempfile::tempdir().unwrap();
        let (open, ours) = (home.path().join("open"), home.path().join("open").join("ours"));
        fs::create_dir_all(&ours).unwrap();
        open_to_everybody(&open);
        for path in [ours.join("file"), open.join("file"), ours.clone()] {
            let refused = real_path(&path).unwrap_err();
            assert!(
                matches!(&refused, Untrusted::Writable { path, .. } if *path == open),
                "{refused}"
            );
        }
        let told = real_path(&ours).unwrap_err().to_string();
        assert!(told.contains("name another place") && !told.contains("icacls"), "{told}");
        assert!(real_path(&open).is_ok(), "what is at the end is judged elsewhere");
        assert!(real_path_of_root(&open.join("file")).is_err());
    }
}
