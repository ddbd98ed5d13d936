#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| securid_store::fuzz::key_file(bytes));
