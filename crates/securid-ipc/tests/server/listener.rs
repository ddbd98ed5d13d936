//! Binding: the dead are cleared away, the living respected.

use std::{
    fs,
    os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _, symlink},
    path::Path,
};

use securid_ipc::server::{BindError, Listener};
use securid_trust::folder::FolderError;
use tokio::net::UnixStream;

use crate::endpoint::private_folder;

fn is_socket(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket())
}

#[tokio::test]
async fn the_socket_is_the_owner_s_alone_in_a_folder_that_is_made_so() {
    let home = private_folder();
    let path = home.path().join("made/s.sock");
    let listener = Listener::bind(&path).unwrap();
    assert_eq!(listener.path(), path);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    drop(listener);
    assert!(!path.exists());
}

#[tokio::test]
async fn a_dead_daemon_s_socket_is_cleared_away() {
    let home = private_folder();
    let path = home.path().join("s.sock");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(is_socket(&path));
    let listener = Listener::bind(&path).unwrap();
    assert!(UnixStream::connect(&path).await.is_ok());
    drop(listener);
}

#[tokio::test]
async fn a_live_daemon_is_respected_even_with_a_full_queue() {
    let home = private_folder();
    let path = home.path().join("s.sock");
    let live = Listener::bind(&path).unwrap();
    let inode = fs::metadata(&path).unwrap().ino();
    assert!(matches!(Listener::bind(&path), Err(BindError::InUse { .. })));
    assert!(is_socket(&path));
    assert_eq!(fs::metadata(&path).unwrap().ino(), inode);
    drop(live);

    // A queue of length 0 takes one connection that nobody accepts.
    let frozen = rustix_listener(&path);
    let _waiting = std::os::unix::net::UnixStream::connect(&path).unwrap();
    assert!(matches!(Listener::bind(&path), Err(BindError::InUse { .. })));
    assert!(is_socket(&path));
    drop(frozen);
}

/// A listener with the shortest queue there is.
fn rustix_listener(path: &Path) -> std::os::fd::OwnedFd {
    let socket = rustix_socket(path);
    rustix::net::listen(&socket, 0).unwrap();
    socket
}

/// A socket that is bound and does not listen.
fn rustix_socket(path: &Path) -> std::os::fd::OwnedFd {
    use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, bind, socket};
    let socket = socket(AddressFamily::UNIX, SocketType::STREAM, None).unwrap();
    bind(&socket, &SocketAddrUnix::new(path).unwrap()).unwrap();
    socket
}

#[tokio::test]
async fn the_successor_s_socket_is_not_unlinked() {
    let home = private_folder();
    let path = home.path().join("s.sock");
    let first = Listener::bind(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let second = Listener::bind(&path).unwrap();
    drop(first);
    assert!(is_socket(&path));
    assert!(UnixStream::connect(&path).await.is_ok());
    drop(second);
}

#[tokio::test]
async fn one_that_was_handed_over_stays_with_its_queue() {
    let home = private_folder();
    let path = home.path().join("s.sock");
    let owner = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let listener = Listener::inherited(owner.try_clone().unwrap()).unwrap();
    assert_eq!(listener.path(), path);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(!listener.is_open_to_others());
    fs::set_permissions(&path, fs::Permissions::from_mode(0o620)).unwrap();
    assert!(listener.is_open_to_others());
    let _waiting = UnixStream::connect(&path).await.unwrap();
    drop(listener);
    assert!(is_socket(&path));
    owner.set_nonblocking(true).unwrap();
    owner.accept().unwrap();
}

#[tokio::test]
async fn what_is_handed_over_must_listen_at_a_path() {
    let home = private_folder();
    let deaf = rustix_socket(&home.path().join("s.sock"));
    let (connected, _peer) = std::os::unix::net::UnixStream::pair().unwrap();
    for (wrong, why) in [(deaf, "does not listen"), (connected.into(), "has no path")] {
        let error = Listener::inherited(wrong.into()).unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
    }
}

#[tokio::test]
async fn what_is_no_socket_is_left_alone() {
    let home = private_folder();
    let path = home.path().join("s.sock");
    fs::write(&path, "precious").unwrap();
    assert!(matches!(Listener::bind(&path), Err(BindError::NotASocket { .. })));
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
}

#[tokio::test]
async fn a_folder_that_is_not_ours_alone_is_refused() {
    let home = private_folder();
    let (real, link, open) =
        (home.path().join("real"), home.path().join("link"), home.path().join("open"));
    fs::create_dir(&real).unwrap();
    fs::set_permissions(&real, fs::Permissions::from_mode(0o700)).unwrap();
    symlink(&real, &link).unwrap();
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(matches!(
        Listener::bind(&link.join("s.sock")),
        Err(BindError::Folder(FolderError::NotAFolder { .. }))
    ));
    assert!(matches!(
        Listener::bind(&open.join("s.sock")),
        Err(BindError::Folder(FolderError::Open { .. }))
    ));
    assert!(Listener::bind(&real.join("s.sock")).is_ok());
}

#[tokio::test]
async fn a_path_that_does_not_fit_is_a_clear_error() {
    let home = private_folder();
    let room = 107 - home.path().as_os_str().len() - 1;
    let path = home.path().join("s".repeat(room));
    assert!(Listener::bind(&path).is_ok());
    let error = Listener::bind(&home.path().join("s".repeat(room + 1))).unwrap_err();
    assert!(error.to_string().contains("107 bytes"), "{error}");
}
