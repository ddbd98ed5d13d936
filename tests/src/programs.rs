//! The programs under test: those of `SECURID_BIN_DIR`, or built once a process.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Where the programs are.
#[derive(Debug)]
pub struct Programs {
    /// `securid-sessiond`, built with the features that tests need, unless [`use_release`] was called.
    pub daemon: PathBuf,
    /// `securid-ctl`.
    pub ctl: PathBuf,
}

/// What only tests need.
const FEATURES: &str = "securid-sessiond/test-store,securid-sessiond/crash-points";

static PROGRAMS: OnceLock<Programs> = OnceLock::new();

/// The programs under test.
///
/// # Panics
/// If they cannot be built.
pub fn programs() -> &'static Programs {
    PROGRAMS.get_or_init(|| match std::env::var_os("SECURID_BIN_DIR") {
        Some(folder) => Programs::below(Path::new(&folder)),
        None => built(),
    })
}

/// From now on the programs are those of a release, without what only tests need; or those of `SECURID_BIN_DIR`.
///
/// # Panics
/// If they cannot be built, or others are in use already.
pub fn use_release() {
    if std::env::var_os("SECURID_BIN_DIR").is_none() {
        build("release", &[]);
        let test = std::env::current_exe().expect("this benchmark has a path");
        // target/PROFILE/deps/BENCHMARK
        let target = test.ancestors().nth(3).expect("cargo puts it below its target folder");
        let names = ["securid-sessiond", "securid-ctl"];
        let released = kept(&target.join("release"), "securid-released", &names);
        PROGRAMS.set(released).expect("nobody has used others");
    }
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
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(other) => other,
    };
    build(profile, &["-p", "securid-simulator", "--features", FEATURES]);
    kept(folder, "securid-tests", &["securid-sessiond", "securid-ctl", "securid-demo"])
}

/// Has cargo build both programs with this profile, into the folder in which this test is.
fn build(profile: &str, more: &[&str]) {
    let test = std::env::current_exe().expect("this test has a path");
    let target = test.ancestors().nth(3).expect("cargo puts tests below its target folder");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["build", "--quiet", "--locked", "--profile", profile, "--target-dir"])
        .arg(target)
        .args(["-p", "securid-sessiond", "-p", "securid-ctl"])
        .args(more)
        .status()
        .expect("cargo can be run");
    assert!(status.success(), "the programs cannot be built");
}

/// Keeps what was built under names of our own: another build, with other features, would put its programs into
/// the place of ours while we run them.
fn kept(folder: &Path, own: &str, names: &[&str]) -> Programs {
    let target = folder.parent().expect("a profile's folder is in the target folder");
    let own = target.join("tmp").join(own);
    fs::create_dir_all(&own).expect("the target folder is ours");
    for name in names {
        let passing = own.join(format!(".{name}.{}", std::process::id()));
        let _ = fs::remove_file(&passing);
        fs::hard_link(folder.join(name), &passing).expect("it was just built");
        fs::rename(&passing, own.join(name)).expect("nobody else has this name");
    }
    Programs::below(&own)
}

/// How many crates a program of this package is made of here, ours included.
///
/// # Panics
/// If cargo does not tell.
#[must_use]
pub fn crates(package: &str) -> usize {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut tree = Command::new(cargo);
    tree.args(["tree", "--locked", "--edges", "normal", "--prefix", "none", "--package", package]);
    let told = tree.current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("cargo can be run");
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let text = String::from_utf8_lossy(&told.stdout).into_owned();
    // `NAME VERSION (where it is from, or that it was told before)`
    let names = text.lines().map(|line| line.split(" (").next().unwrap_or(line));
    names.filter(|name| !name.is_empty()).collect::<BTreeSet<_>>().len()
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
