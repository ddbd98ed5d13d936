//! `securid-sessiond`. It is all in the library, so that its parsers can be fuzzed and its parts measured.

fn main() -> std::process::ExitCode {
    securid_sessiond::main()
}
