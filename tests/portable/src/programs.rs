//! The programs under test: those of `SECURID_BIN_DIR`, or built once a process.

use std::env::consts::EXE_SUFFIX;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Where the programs are.
pub(crate) struct Programs {
    pub(crate) daemon: PathBuf,
    pub(crate) ctl: PathBuf,
}

/// What only tests need.
const FEATURES: &str = "securid-sessiond/test-store,securid-sessiond/crash-points";

static PROGRAMS: OnceLock<Programs> = OnceLock::new();

/// The programs under test.
pub(crate) fn programs() -> &'static Programs {
    PROGRAMS.get_or_init(|| {
        let folder = std::env::var_os("SECURID_BIN_DIR").unwrap_or_else(built);
        let program = |name: &str| {
            let path = Path::new(&folder).join(format!("{name}{EXE_SUFFIX}"));
            assert!(path.is_file(), "there is no {}", path.display());
            std::path::absolute(path).expect("this process is in a folder")
        };
        Programs { daemon: program("securid-sessiond"), ctl: program("securid-ctl") }
    })
}

/// Has cargo build them where it built this test; their folder.
fn built() -> OsString {
    let test = std::env::current_exe().expect("this test has a path");
    // TARGET/debug/deps/TEST
    let folder = test.ancestors().nth(2).expect("cargo puts it below its target folder");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["build", "--quiet", "--locked", "-p", "securid-sessiond", "-p", "securid-ctl"]);
    build.args(["--features", FEATURES, "--target-dir"]).arg(folder.parent().expect("it has one"));
    let status = build.current_dir(env!("CARGO_MANIFEST_DIR")).status().expect("cargo can be run");
    assert!(status.success(), "the programs cannot be built");
    folder.into()
}
