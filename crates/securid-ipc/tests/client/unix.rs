//! Sockets: whose they are, and where.

use std::{
    fs::{self, Permissions},
    io::{BufRead as _, BufReader},
    os::unix::{
        fs::{PermissionsExt as _, chown, symlink},
        net::{UnixListener, UnixStream},
    },
    path::Path,
};

use securid_ipc::client::{Client, ConnectError, LIVE_WITHIN};

use crate::daemon::{Daemon, GREETING, HELD, bounded, held};

#[test]
fn a_daemon_with_a_full_queue_is_unresponsive_and_no_other_is_tried() {
    use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, bind, listen, socket};
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("s.sock");
    let frozen = socket(AddressFamily::UNIX, SocketType::STREAM, None).unwrap();
    bind(&frozen, &SocketAddrUnix::new(&path).unwrap()).unwrap();
    listen(&frozen, 0).unwrap();
    let _waiting = UnixStream::connect(&path).unwrap();
    let other = Daemon::new();
    let error = bounded(LIVE_WITHIN * 3, || Client::connect(&[path, other.path()])).unwrap_err();
    assert!(matches!(error, ConnectError::Unresponsive { .. }), "{error}");
    assert_eq!(error.exit_code(), 69);
}

#[test]
fn a_path_that_is_too_long_is_named() {
    let long = Path::new("/").join("x".repeat(107));
    let error = Client::connect(&[long]).unwrap_err();
    assert!(matches!(error, ConnectError::TooLong { .. }), "{error}");
}

#[test]
fn a_daemon_of_somebody_else_gets_nothing() {
    // Only root can make somebody else listen.
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("s.sock");
    // Everything is ours to look at; who listens, the kernel alone tells.
    let script = "import os, socket, sys\n\
        s = socket.socket(socket.AF_UNIX)\n\
        s.bind(sys.argv[1]); os.setuid(65534); s.listen(); print(flush=True)\n\
        c, _ = s.accept()\n\
        print(len(c.recv(1000)), flush=True)\n";
    let mut stranger = std::process::Command::new("python3")
        .args(["-c", script])
        .arg(&path)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(stranger.stdout.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    let error = Client::connect(&[path]).unwrap_err();
    assert!(error.to_string().ends_with("it runs as uid 65534"), "{error}");
    assert!(matches!(error, ConnectError::NotOurs { .. }));
    assert_eq!(error.exit_code(), 76);
    line.clear();
    said.read_line(&mut line).unwrap();
    assert_eq!(line, "0\n", "something was sent");
    stranger.wait().unwrap();
}

/// Whoever connects to it is noticed.
fn refused(path: &Path, listener: &UnixListener) -> String {
    let error = Client::connect(&[path.to_owned()]).unwrap_err();
    assert!(matches!(error, ConnectError::Unsafe { .. }), "{error}");
    assert_eq!((error.exit_code(), error.name()), (76, "not-your-daemon"));
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err(), "it connected");
    error.to_string()
}

#[test]
fn a_socket_that_others_could_replace_gets_nothing() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("run");
    fs::create_dir(&folder).unwrap();
    let path = folder.join("s.sock");
    let listener = UnixListener::bind(&path).unwrap();
    for open in [&folder, home.path()] {
        fs::set_permissions(open, Permissions::from_mode(0o777)).unwrap();
        let told = refused(&path, &listener);
        let shown = open.canonicalize().unwrap();
        assert!(told.contains(&format!("chmod go-w {}", shown.display())), "{told}");
        fs::set_permissions(open, Permissions::from_mode(0o700)).unwrap();
    }
    assert!(Client::connect(&[path]).is_ok());
}

#[test]
fn a_socket_or_folder_that_is_a_link_gets_nothing() {
    let home = tempfile::tempdir().unwrap();
    let (folder, by_link) = (home.path().join("run"), home.path().join("link"));
    fs::create_dir(&folder).unwrap();
    let (path, link) = (folder.join("s.sock"), folder.join("link.sock"));
    let listener = UnixListener::bind(&path).unwrap();
    symlink(&path, &link).unwrap();
    symlink(&folder, &by_link).unwrap();
    assert!(refused(&link, &listener).contains("name the socket itself"));
    assert!(refused(&by_link.join("s.sock"), &listener).contains("name the folder itself"));
}

#[test]
fn a_socket_of_somebody_else_gets_nothing() {
    // Only root can give something away.
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("run");
    fs::create_dir(&folder).unwrap();
    let path = folder.join("s.sock");
    let listener = UnixListener::bind(&path).unwrap();
    for foreign in [&path, &folder, home.path()] {
        chown(foreign, Some(12_345), None).unwrap();
        assert!(refused(&path, &listener).contains("belongs to uid 12345"));
        chown(foreign, Some(0), None).unwrap();
    }
}

#[test]
fn candidates_are_tried_in_order() {
    let mut daemon = Daemon::new();
    let home = tempfile::tempdir().unwrap();
    let (missing, dead, file) =
        (home.path().join("missing"), home.path().join("dead"), home.path().join("file"));
    drop(UnixListener::bind(&dead).unwrap());
    fs::write(&file, "").unwrap();
    let nobody = [missing, file.join("s.sock"), dead];
    let error = Client::connect(&nobody).unwrap_err();
    assert!(matches!(&error, ConnectError::NoDaemon { tried } if *tried == nobody), "{error}");

    let [missing, _, dead] = nobody;
    daemon.answer(&[GREETING, HELD]);
    let mut client = Client::connect(&[missing, dead, daemon.path()]).unwrap();
    assert_eq!(client.path(), daemon.path());
    assert_eq!(held(&mut client).unwrap().session, "a");
}
