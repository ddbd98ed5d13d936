//! What it costs to find out what a reply confirms: `cargo bench -p securid-api`. The largest that is read is what a
//! hostile server would send.

use divan::{AllocProfiler, Bencher, black_box, counter::BytesCount};
use securid_api::{Confirmed, MAX_REPLY, judge};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

const JSON: &[u8] = br#"{"data":{"type":"logoutUser"}}"#;
const PROPERTIES: &[u8] = b"type=logoutUser\n";
const PAGE: &[u8] = b"<html><head><title>Error 401</title></head><body><h2>HTTP ERROR: 401</h2>\
    <p>Problem accessing /aveksa/command.submit. Reason:<pre>  Invalid or expired token</pre></p></body></html>";

fn main() {
    divan::main();
}

#[divan::bench]
fn json(bencher: Bencher<'_, '_>) {
    assert_eq!(judge(200, JSON), Some(Confirmed::Revoked));
    bencher.counter(BytesCount::of_slice(JSON)).bench(|| judge(200, black_box(JSON)));
}

#[divan::bench]
fn properties(bencher: Bencher<'_, '_>) {
    assert_eq!(judge(200, PROPERTIES), Some(Confirmed::Revoked));
    bencher.counter(BytesCount::of_slice(PROPERTIES)).bench(|| judge(200, black_box(PROPERTIES)));
}

#[divan::bench]
fn page(bencher: Bencher<'_, '_>) {
    bencher.counter(BytesCount::of_slice(PAGE)).bench(|| judge(401, black_box(PAGE)));
}

/// Tags that are never closed, as many as are read at all.
#[divan::bench]
fn hostile_page(bencher: Bencher<'_, '_>) {
    let page = "<a ".repeat(MAX_REPLY / 3).into_bytes();
    bencher.counter(BytesCount::of_slice(&page)).bench(|| judge(401, black_box(&page)));
}

/// Arrays in arrays, as many as are read at all.
#[divan::bench]
fn hostile_json(bencher: Bencher<'_, '_>) {
    let json = vec![b'['; MAX_REPLY];
    bencher.counter(BytesCount::of_slice(&json)).bench(|| judge(200, black_box(&json)));
}
