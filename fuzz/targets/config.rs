#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| securid_sessiond::fuzz::config(bytes));
