//! `securid-sessiond`. It is all in the library, so that its parsers can be fuzzed and its parts measured.

use securid_secret::WipingAllocator;

/// The copies of a token that the HTTP client, TLS and D-Bus make are gone when they are freed.
#[global_allocator]
static HEAP: WipingAllocator = WipingAllocator;

fn main() -> std::process::ExitCode {
    securid_sessiond::main()
}
