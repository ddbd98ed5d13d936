//! What a request and its answer cost on their way between socket and meaning: `cargo bench -p securid-ipc`.

#![allow(clippy::unwrap_used)]

use divan::{AllocProfiler, Bencher, black_box, counter::BytesCount};
use securid_ipc::envelope::{Asked, Request, answer};
use securid_ipc::framing::{LineBuffer, REQUEST_LIMIT};
use securid_ipc::messages::{ListView, Reply, SessionState, SessionView};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

const LIST: &[u8] = br#"{"jsonrpc":"2.0","id":2,"method":"session.list","params":{"limit":100}}"#;
const TOKEN: &[u8] =
    br#"{"jsonrpc":"2.0","id":2,"method":"session.token","params":{"session":"0123456789abcdef"}}"#;

/// One session, and a page of them.
const SESSIONS: [usize; 2] = [1, 100];

fn main() {
    divan::main();
}

/// A line is taken out of what has been received.
#[divan::bench]
fn framing(bencher: Bencher<'_, '_>) {
    let mut buffer = LineBuffer::new(REQUEST_LIMIT);
    let line = [TOKEN, b"\n"].concat();
    bencher.counter(BytesCount::of_slice(&line)).bench_local(|| {
        buffer.space()[..line.len()].copy_from_slice(black_box(&line));
        buffer.advance(line.len());
        buffer.take_line(<[u8]>::len).unwrap()
    });
}

#[divan::bench(args = ["session.list", "session.token"])]
fn parsing(bencher: Bencher<'_, '_>, method: &str) {
    let line = if method == "session.list" { LIST } else { TOKEN };
    assert!(matches!(Request::parse(line).asked, Ok(Asked::Call(_))));
    bencher.counter(BytesCount::of_slice(line)).bench(|| Request::parse(black_box(line)));
}

#[divan::bench(args = SESSIONS)]
fn answering(bencher: Bencher<'_, '_>, sessions: usize) {
    let id = Request::parse(LIST).id.unwrap();
    let reply = Reply::List(ListView { sessions: vec![view(); sessions], cursor: None });
    bencher.bench_local(|| answer(&id, Ok(black_box(&reply))).unwrap());
}

/// As a client reads it.
#[divan::bench(args = SESSIONS)]
fn reading(bencher: Bencher<'_, '_>, sessions: usize) {
    let list = ListView { sessions: vec![view(); sessions], cursor: None };
    let text = serde_json::to_vec(&list).unwrap();
    let read = || serde_json::from_slice::<ListView>(black_box(&text)).unwrap();
    bencher.counter(BytesCount::of_slice(&text)).bench_local(read);
}

fn view() -> SessionView {
    let time = "2026-11-22T12:00:00Z".to_owned();
    SessionView {
        id: "0123456789abcdef".to_owned(),
        instance: "prod".to_owned(),
        url: "https://rsa.example.com:8443/aveksa/command.submit".to_owned(),
        username: Some("anna".to_owned()),
        keyring: "keyutils".to_owned(),
        state: SessionState::Active,
        created_at: time.clone(),
        last_used_at: time.clone(),
        idle_deadline: Some(time.clone()),
        expires_at: Some(time),
        holds: 0,
        revocation: None,
    }
}
