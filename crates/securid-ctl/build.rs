//! Links what unwinds a stack into the program, where the system's compiler has it as an archive.
//!
//! Otherwise `libgcc_s.so.1` is loaded at each start, for the backtrace of a panic that never comes: a tenth of a
//! millisecond, and some pages of memory. The daemon is built with the same script.

use std::{env, path::Path, process::Command};

fn main() {
    println!("cargo:rerun-if-env-changed=RUSTC_LINKER");
    if env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("linux")
        || env::var("CARGO_CFG_TARGET_ENV").as_deref() != Ok("gnu")
    {
        return;
    }
    let linker = match env::var("RUSTC_LINKER") {
        Ok(linker) => linker,
        Err(_) if env::var("HOST") == env::var("TARGET") => "cc".to_owned(),
        // Whoever links for another machine names what does it.
        Err(_) => return,
    };
    let asked = Command::new(linker).arg("-print-file-name=libgcc_eh.a").output();
    let answer = asked.map(|told| String::from_utf8_lossy(&told.stdout).trim().to_owned());
    // What it does not find it names without a folder.
    if let Ok(archive) = answer
        && let Some(folder) = Path::new(&archive).parent().filter(|folder| folder.is_absolute())
    {
        println!("cargo:rustc-link-search=native={}", folder.display());
        println!("cargo:rustc-link-lib=static:-bundle=gcc_eh");
    }
}
