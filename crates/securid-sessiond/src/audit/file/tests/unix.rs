//! Whose the file is, and what it may be.

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use super::*;

#[test]
fn lines_are_added_for_our_eyes_only() {
    let (folder, mut file) = folder();
    let lines = [Line::gap(0, 1), Line::gap(0, 2)];
    assert_eq!(file.write(&lines), (2, Ok(())));
    let (path, _) = (file.path.clone(), drop(file));
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    assert_eq!(AuditFile::new(path.clone()).write(&lines[..1]), (1, Ok(())));
    let texts = [&lines[0], &lines[1], &lines[0]].map(Line::json);
    assert_eq!(written(&path), texts);
    drop(folder);
}

#[test]
fn a_torn_line_stays_alone() {
    let (_folder, mut file) = folder();
    fs::write(&file.path, "{\"v\":1,\"ti").unwrap();
    fs::set_permissions(&file.path, fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(file.write(&[Line::gap(0, 1)]), (1, Ok(())));
    let torn = "{\"v\":1,\"ti".to_owned();
    assert_eq!(written(&file.path), [torn, Line::gap(0, 1).json()]);
}

#[test]
fn what_is_not_ours_is_refused_with_words() {
    let (folder, mut file) = folder();
    let path = file.path.clone();
    let mut refused = |word: &str| {
        let (lines, result) = file.write(&[Line::gap(0, 1)]);
        let why = result.unwrap_err();
        assert!(lines == 0 && why.contains(word), "{why}");
        let why = check(&path).unwrap_err();
        assert!(why.contains(word), "{why}");
    };
    let target = folder.path().join("target");
    fs::write(&target, "").unwrap();
    symlink(&target, &path).unwrap();
    refused("symbolic link");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    refused("no regular file");
    fs::remove_dir(&path).unwrap();
    fs::write(&path, "").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    refused("others can write it");
    let lost = folder.path().join("none/audit.jsonl");
    assert!(check(&lost).unwrap_err().contains("there is no folder"));
    assert_eq!(fs::read(target).unwrap(), b"");
}
