//! What it costs to look at a text from elsewhere: `cargo bench -p securid-text`.

use divan::{AllocProfiler, Bencher, black_box, counter::BytesCount};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

/// What passes as it is, what has signs of other scripts in it, and what has to be changed.
const TEXTS: [&str; 3] = [
    "HTTP 503: the server is being maintained, please come back in a quarter of an hour",
    "Der Server wird gewartet – bitte kommen Sie in einer Viertelstunde zurück (サーバー保守中)",
    "HTTP 503: \u{1b}[2J\u{1b}[Hthe server is being \u{202e}maintained\u{7}\r\n",
];

fn main() {
    divan::main();
}

#[divan::bench(args = [0, 1, 2])]
fn shown(bencher: Bencher<'_, '_>, nth: usize) {
    let text = TEXTS[nth];
    bencher.counter(BytesCount::of_str(text)).bench(|| securid_text::shown(black_box(text)));
}

#[divan::bench(args = [0, 1, 2])]
fn mention(bencher: Bencher<'_, '_>, nth: usize) {
    let text = TEXTS[nth];
    bencher.counter(BytesCount::of_str(text)).bench(|| securid_text::mention(black_box(text)));
}
