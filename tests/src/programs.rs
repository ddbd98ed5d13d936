//! The programs under test: those of `SECURID_BIN_DIR`, or built once a process.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Where the programs are.
#[derive(Debug)]
pub struct Programs {
    /// `securid-sessiond`, built with the feature `test-store`.
    pub daemon: PathBuf,
    /// `securid-ctl`.
    pub ctl: PathBuf,
}

/// The programs under test.
///
/// # Panics
/// If they cannot be built.
pub fn programs() -> &'static Programs {
    static PROGRAMS: OnceLock<Programs> = OnceLock::new();
    PROGRAMS.get_or_init(|| match std::env::var_os("SECURID_BIN_DIR") {
        Some(folder) => Programs::below(Path::new(&folder)),
        None => built(),
    })
}

impl Programs {
    fn below(folder: &Path) -> Self {
        let program = |name: &str| {
            let path = folder.join(name);
            fs::canonicalize(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
        };
        Self { daemon: program("securid-sessiond"), ctl: program("securid-ctl") }
    }
}

/// Builds them as cargo built this test: into the same target folder, with the same profile.
fn built() -> Programs {
    let test = std::env::current_exe().expect("this test has a path");
    // target/PROFILE/deps/TEST
    let folder = test.ancestors().nth(2).expect("cargo puts tests below its target folder");
    let target = folder.parent().expect("a profile's folder is in the target folder");
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(other) => other,
    };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["build", "--quiet", "--locked", "--profile", profile, "--target-dir"])
        .arg(target)
        .args(["-p", "securid-sessiond", "-p", "securid-ctl", "-p", "securid-simulator"])
        .args(["--features", "securid-sessiond/test-store,securid-sessiond/crash-points"])
        .status()
        .expect("cargo can be run");
    assert!(status.success(), "the programs cannot be built");

    // Kept under names of our own: another build, without the feature, would put its programs into
    // the place of ours while we run them.
    let own = target.join("tmp/securid-tests");
    fs::create_dir_all(&own).expect("the target folder is ours");
    for name in ["securid-sessiond", "securid-ctl", "securid-demo"] {
        let passing = own.join(format!(".{name}.{}", std::process::id()));
        let _ = fs::remove_file(&passing);
        fs::hard_link(folder.join(name), &passing).expect("it was just built");
        fs::rename(&passing, own.join(name)).expect("nobody else has this name");
    }
    Programs::below(&own)
}

/// Puts a program into a folder that another user may enter: the one that cargo builds in may be
/// closed to others.
///
/// # Panics
/// If there is no room.
pub fn put_within_reach(program: &Path, folder: &Path) -> PathBuf {
    let reachable = folder.join(program.file_name().expect("a program has a name"));
    if !reachable.exists() {
        // By another process: a fork of a test beside this one would inherit a file that we write,
        // and the kernel runs no program that is open for writing.
        let copied = Command::new("cp").arg(program).arg(&reachable).status();
        assert!(copied.is_ok_and(|status| status.success()), "there is room");
    }
    reachable
}
