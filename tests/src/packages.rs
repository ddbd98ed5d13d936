//! Packages of the programs under test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::process::{run, told};
use crate::programs::programs;

/// How long a step of packing may take: they are seconds, on a machine that builds nothing else.
const PACKING: Duration = Duration::from_secs(120);

/// Two versions, one after the other.
#[derive(Debug)]
pub struct Packages {
    _folder: TempDir,
    /// The older one.
    pub first: PathBuf,
    /// The newer one, with the same programs.
    pub second: PathBuf,
}

impl Packages {
    /// Packed as a release is, but for how the programs were built.
    ///
    /// # Panics
    /// If that fails.
    #[must_use]
    pub fn pack() -> Self {
        let folder = tempfile::tempdir().expect("there is room");
        let release = folder.path().join("release");
        fs::create_dir(&release).expect("the folder is ours");
        for program in [&programs().daemon, &programs().ctl] {
            let mut strip = Command::new("strip");
            strip.arg("-o").arg(release.join(program.file_name().expect("it has a name")));
            strip.arg(program);
            succeed(strip);
        }
        let [first, second] = ["1.0-1", "1.0-2"].map(|version| pack(folder.path(), version));
        Self { _folder: folder, first, second }
    }
}

fn pack(target: &Path, version: &str) -> PathBuf {
    let package = target.join(format!("{version}.deb"));
    let mut command = Command::new("cargo-deb");
    command.args(["deb", "-p", "securid-sessiond", "--no-build", "--no-strip", "--fast"]);
    command.args(["--deb-version", version, "-o"]).arg(&package);
    command.env("CARGO_TARGET_DIR", target);
    command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    succeed(command);
    package
}

fn succeed(command: Command) {
    let words = format!("{command:?}");
    let output = run(command, "", PACKING);
    assert!(output.status.success(), "{words}: {}", told(&output));
}
