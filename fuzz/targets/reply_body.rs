#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| securid_api::fuzz::reply_body(bytes));
