//! What a person sees, word by word: help, tables, and one of each sort of error, compared with the files in
//! `snapshots/`. `INSTA_UPDATE=always cargo test -p securid-ctl --test cli snapshots` renews them; what it changes is
//! read before it is committed.

mod errors;
mod help;
mod tables;

use crate::fake::{Home, Ran};

/// A call and all that came of it, as it would stand in a terminal of 80 columns. What was written to standard error
/// is marked.
fn told(home: &Home, args: &[&str]) -> String {
    let ran = Ran::of(home.ctl(args.iter().copied()).env("COLUMNS", "80"), "");
    told_of(home, args, ran)
}

fn told_of(home: &Home, args: &[&str], Ran { code, out, err }: Ran) -> String {
    let marked = |line| format!("2> {line}").trim_end().to_owned() + "\n";
    let err: String = err.lines().map(marked).collect();
    let told = format!("$ securid-ctl {}\n{out}{err}exit {}\n", args.join(" "), code.unwrap());
    told.replace(home.path().to_str().unwrap(), "/home/anna")
}

/// Compares all of it with the file of this name.
fn compare(name: &str, told: &[String]) {
    let mut settings = insta::Settings::new();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, told.join("\n")));
}
