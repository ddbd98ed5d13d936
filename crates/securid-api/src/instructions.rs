//! `getLoginInstructions`: what a server wants a person to know before he types a password. Its text goes to a
//! terminal, line by line, and the server may be anybody's: nothing in it is obeyed, and there is an end to it.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Uri};
use securid_text::is_shown;

use crate::Failure;
use crate::answer::Answer;
use crate::echo::entity;

/// The command's name in the URL.
pub(crate) const COMMAND: &str = "getLoginInstructions";

/// The most lines that are shown: what is above and below must not be pushed off a terminal, which has 24 at least.
const MOST_LINES: usize = 24;

/// The most characters that are shown: as many as fill that terminal.
const MOST_CHARACTERS: usize = 2000;

/// The longest name between `&` and `;` that is looked at: beyond it a `;` is one by itself.
const LONGEST_ENTITY: usize = 10;

/// The request: no body, no token, and nothing said of a format, since the reply is a text.
pub(crate) fn request(uri: Uri) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::default());
    *request.method_mut() = Method::POST;
    *request.uri_mut() = uri;
    let headers = request.headers_mut();
    headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    // Without it hyper sends no length for an empty body, and firewalls answer 411.
    headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    request
}

/// The text, fit to be shown; none if the server has none, or does not know the command.
///
/// # Errors
/// If it is a whole page: then it was not the server that answered, or no G&L.
pub(crate) fn read(answer: &Answer) -> Result<Option<String>, Failure> {
    if answer.status != 200 {
        return Ok(None);
    }
    if answer.is_whole_page() {
        return Err(answer.failure(&[]));
    }
    let said = String::from_utf8_lossy(&answer.content);
    let text = if is_markup(&said) { unescaped(&without_tags(&said)) } else { said.into_owned() };
    Ok(Some(fit(&text)).filter(|text| !text.is_empty()))
}

fn is_markup(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text.trim_start().starts_with('<') || text.contains("</") || text.contains("<br")
}

/// What a browser shows, roughly: words with a space in between, and a new line where a block begins or ends.
/// What follows a `<` that is never closed is dropped.
fn without_tags(page: &str) -> String {
    let mut text = String::new();
    let mut unseen: Option<String> = None;
    let mut rest = page;
    while let Some((before, tag)) = rest.split_once('<') {
        let (close, skipped) = if tag.starts_with("!--") { ("-->", 3) } else { (">", 0) };
        let Some(end) = tag[skipped..].find(close) else {
            rest = before;
            break;
        };
        if unseen.is_none() {
            append(&mut text, before);
        }
        let (tag, after) = (&tag[..skipped + end], &tag[skipped + end + close.len()..]);
        let name = tag.trim_start_matches('/');
        let name = name.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        let name = name.to_ascii_lowercase();
        match &unseen {
            Some(within) if tag.starts_with('/') && *within == name => unseen = None,
            Some(_) => {}
            None if !tag.starts_with('/') && UNSEEN.contains(&&*name) => unseen = Some(name),
            None if BLOCKS.contains(&&*name) => text.push('\n'),
            None => {}
        }
        rest = after;
    }
    if unseen.is_none() {
        append(&mut text, rest);
    }
    text
}

/// Elements of which a browser shows nothing in its window.
const UNSEEN: [&str; 4] = ["head", "title", "script", "style"];

/// Elements that begin a new line.
const BLOCKS: [&str; 17] = [
    "br", "p", "div", "li", "ul", "ol", "tr", "table", "h1", "h2", "h3", "h4", "h5", "h6", "hr",
    "pre", "section",
];

/// Appends words, with white space folded.
fn append(text: &mut String, more: &str) {
    let is_apart = more.starts_with(char::is_whitespace);
    for (n, word) in more.split_whitespace().enumerate() {
        if (n > 0 || is_apart) && !text.is_empty() && !text.ends_with(char::is_whitespace) {
            text.push(' ');
        }
        text.push_str(word);
    }
    if more.ends_with(char::is_whitespace) && !text.is_empty() && !text.ends_with('\n') {
        text.push(' ');
    }
}

/// Each entity replaced by what it stands for, once.
fn unescaped(text: &str) -> String {
    let mut pieces = text.split('&');
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let named = piece.split_once(';').filter(|(name, _)| name.len() <= LONGEST_ENTITY);
        let meant = named.and_then(|(name, rest)| match name {
            "nbsp" => Some((" ".to_owned(), rest)),
            _ => Some((String::from_utf8(entity(name)?).ok()?, rest)),
        });
        match meant {
            Some((meant, rest)) => plain.extend([&meant, rest]),
            None => plain.extend(["&", piece]),
        }
    }
    plain
}

/// Lines without what a terminal obeys or nobody sees, not too many of them; of empty ones never two.
fn fit(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let clean = |line: &str| {
        let spaced = line.chars().map(|c| if c == '\t' { ' ' } else { c });
        spaced.filter(|c| is_shown(*c)).collect::<String>().trim_end().to_owned()
    };
    let mut lines: Vec<String> = Vec::new();
    let mut left = MOST_CHARACTERS;
    for line in text.split('\n').map(clean) {
        if line.is_empty() && lines.last().is_none_or(String::is_empty) {
            continue;
        }
        let length = line.chars().count();
        if lines.len() == MOST_LINES || length > left {
            lines.truncate(MOST_LINES - 1);
            lines.push(line.chars().take(left).collect::<String>() + "…");
            break;
        }
        left -= length;
        lines.push(line);
    }
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use hyper::HeaderMap;
    use proptest::prelude::*;
    use securid_secret::SecretBytes;

    use super::*;
    use crate::FailureKind;

    fn told(status: u16, content: &[u8]) -> Option<String> {
        asked(status, content).unwrap()
    }

    fn asked(status: u16, content: &[u8]) -> Result<Option<String>, Failure> {
        let content = SecretBytes::from(content);
        read(&Answer { status, headers: HeaderMap::new(), content })
    }

    fn shown(content: &str) -> String {
        told(200, content.as_bytes()).unwrap()
    }

    #[test]
    fn a_text_stays_as_it_is() {
        let text = "Use your directory account.\n\n  a < b, x & y &amp; z\n  Straße: 日本";
        assert_eq!(shown(text), text);
        assert_eq!(shown("\r\n\r\none\r\n\r\n\r\n\ttwo\rthree  \n\n"), "one\n\n two\nthree");
    }

    #[test]
    fn of_markup_what_a_reader_sees() {
        let page = "<head><title>Login</title><style>p { color: red }</style></head>\n<body>\
            <h1>Welcome</h1><p>Use your <b>AD</b>\n account, <i>not</i>&nbsp;the &lt;old&gt; one&#33;<br/>Help: \
            4711<!-- <p>hidden</p> --><script>alert(1 < 2)</script></p></body>";
        assert_eq!(shown(page), "Welcome\n\nUse your AD account, not the <old> one!\nHelp: 4711");
        assert_eq!(shown("Call 4711<br>or 4712 &unknown; &"), "Call 4711\nor 4712 &unknown; &");
    }

    #[test]
    fn nothing_in_it_is_obeyed() {
        let hostile = "\u{1b}]0;title\u{7}\u{1b}[2Jred\u{9b}31m\u{202e}gpj\u{200b}\u{e0041}\u{feff}\n\u{2028}x";
        assert_eq!(shown(hostile), "]0;title[2Jred31mgpj\nx");
        assert_eq!(shown("<p>&#27;[2J&#x9b;31m&#8238;x"), "[2J31mx");
        assert_eq!(told(200, b"caf\xe9").unwrap(), "caf\u{fffd}");
    }

    #[test]
    fn there_is_an_end_to_it() {
        let many = shown(&"line\n".repeat(1000));
        assert_eq!(many.lines().count(), MOST_LINES);
        assert!(many.ends_with("\nline…"), "{many}");
        let long = shown(&"é".repeat(100_000));
        assert_eq!(long, "é".repeat(MOST_CHARACTERS) + "…");
        assert_eq!(shown(&"line\n".repeat(MOST_LINES)).lines().count(), MOST_LINES);
    }

    #[test]
    fn nothing_is_none() {
        for (status, content) in [
            (200, ""),
            (200, " \r\n\u{1b}\n"),
            (200, "<p></p>"),
            (404, "<html>"),
            (404, "x"),
            (500, "x"),
        ] {
            assert_eq!(told(status, content.as_bytes()), None, "{status} {content:?}");
        }
    }

    #[test]
    fn a_whole_page_is_none_of_the_servers() {
        for page in [
            "<html><title>Hotel</title>",
            "\r\n <!DOCTYPE html>\n<html lang=en><body>Room number?",
            "<HTML>",
        ] {
            let failure = asked(200, page.as_bytes()).unwrap_err();
            assert_eq!(failure.kind, FailureKind::NotConfirmed);
            assert!(failure.message.contains("a web page instead of"), "{failure}");
        }
    }

    proptest! {
        #[test]
        fn whatever_it_says_is_some_lines_that_nothing_obeys(
            content in prop_oneof![any::<Vec<u8>>(), "([<>/&;#a-z!\n -]|\\PC){0,200}".prop_map(String::into_bytes)],
        ) {
            let shown = asked(200, &content).ok().flatten().unwrap_or_default();
            prop_assert!(shown.chars().all(|c| c == '\n' || is_shown(c)), "{shown:?}");
            prop_assert!(shown.lines().count() <= MOST_LINES);
            prop_assert!(shown.chars().filter(|c| *c != '\n').count() <= MOST_CHARACTERS + 1);
        }
    }
}
