//! The contract's rule of confirmation, and where a token stands, read by plain means: a JSON parser
//! after RFC 8259, a machine for pages that goes byte by byte. Slow, and nothing of it is shared with
//! what it is compared to.

/// A JSON text; numbers and the like do not matter here.
enum Json {
    /// Members as they stand, with names that can stand twice.
    Object(Vec<(Option<String>, Json)>),
    /// `None`: half a surrogate pair, which is no text.
    Text(Option<String>),
    Other,
}

impl Json {
    /// The only member of that name of an object all of whose names are texts.
    fn only(&self, name: &str) -> Option<&Json> {
        let Self::Object(members) = self else { return None };
        if members.iter().any(|(name, _)| name.is_none()) {
            return None;
        }
        let mut found = members.iter().filter(|(other, _)| other.as_deref() == Some(name));
        found.next().filter(|_| found.next().is_none()).map(|(_, value)| value)
    }

    fn text(&self) -> Option<&str> {
        if let Self::Text(Some(text)) = self { Some(text) } else { None }
    }
}

pub(super) fn is_reply_of_logout(content: &[u8]) -> bool {
    json(content).is_some_and(|reply| data(&reply, "type").as_deref() == Some("logoutUser"))
        || property(content, "type").as_deref() == Some(b"logoutUser")
}

pub(super) fn token(content: &[u8]) -> Option<String> {
    json(content)
        .and_then(|reply| data(&reply, "token"))
        .or_else(|| Some(String::from_utf8(property(content, "token")?).ok()?.trim().to_owned()))
}

pub(super) fn says_invalid_or_expired(content: &[u8]) -> bool {
    #[derive(PartialEq)]
    enum Inside {
        Text,
        Tag,
        Comment,
    }
    let (mut inside, mut seen, mut since) = (Inside::Text, String::new(), 0);
    for (at, &byte) in content.iter().enumerate() {
        match inside {
            Inside::Text if byte == b'<' => {
                let comment = content[at..].starts_with(b"<!--");
                inside = if comment { Inside::Comment } else { Inside::Tag };
                since = at;
                seen.push(' ');
            }
            Inside::Text => {
                let space = byte.is_ascii_whitespace();
                seen.push(if space { ' ' } else { char::from(byte) });
            }
            Inside::Tag if byte == b'>' => inside = Inside::Text,
            Inside::Comment if content[since..=at].ends_with(b"-->") => inside = Inside::Text,
            Inside::Tag | Inside::Comment => {}
        }
    }
    while seen.contains("  ") {
        seen = seen.replace("  ", " ");
    }
    seen.contains("Token is invalid or expired")
}

fn data(reply: &Json, name: &str) -> Option<String> {
    Some(reply.only("data")?.only(name)?.text()?.to_owned())
}

/// The value of the one line of that key, in a body of nothing but `key=value` lines.
fn property(content: &[u8], key: &str) -> Option<Vec<u8>> {
    // Byte by byte a character, so that any encoding is one.
    let body: String = content.iter().map(|&byte| char::from(byte)).collect();
    let mut values = Vec::new();
    for line in body.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)) {
        if line.chars().all(|c| c.is_ascii_whitespace()) {
            continue;
        }
        let (name, value) = line.split_once('=')?;
        let fits = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
        if name.is_empty() || !name.chars().all(fits) {
            return None;
        }
        if value.replace('\t', "").chars().any(|c| c < ' ' || c == '\x7f') {
            return None;
        }
        if name == key {
            values.push(value.chars().map(|c| u8::try_from(c).unwrap()).collect());
        }
    }
    (values.len() == 1).then(|| values.remove(0))
}

fn json(content: &[u8]) -> Option<Json> {
    let text: Vec<char> = std::str::from_utf8(content).ok()?.chars().collect();
    let mut reader = Reader { text: &text };
    let value = reader.value()?;
    reader.space();
    reader.text.is_empty().then_some(value)
}

struct Reader<'a> {
    text: &'a [char],
}

impl Reader<'_> {
    fn space(&mut self) {
        while let [' ' | '\t' | '\r' | '\n', rest @ ..] = self.text {
            self.text = rest;
        }
    }

    fn next(&mut self) -> Option<char> {
        let (first, rest) = self.text.split_first()?;
        self.text = rest;
        Some(*first)
    }

    /// Whether this comes next, and is passed.
    fn takes(&mut self, word: &str) -> bool {
        let word: Vec<char> = word.chars().collect();
        let rest = self.text.strip_prefix(&word[..]);
        self.text = rest.unwrap_or(self.text);
        rest.is_some()
    }

    fn value(&mut self) -> Option<Json> {
        self.space();
        match self.text.first()? {
            '{' => self.object(),
            '[' => self.array(),
            '"' => self.string().map(Json::Text),
            't' => self.takes("true").then_some(Json::Other),
            'f' => self.takes("false").then_some(Json::Other),
            'n' => self.takes("null").then_some(Json::Other),
            _ => self.number(),
        }
    }

    fn object(&mut self) -> Option<Json> {
        self.next();
        self.space();
        let mut members = Vec::new();
        if self.takes("}") {
            return Some(Json::Object(members));
        }
        loop {
            self.space();
            let name = self.string()?;
            self.space();
            self.takes(":").then_some(())?;
            members.push((name, self.value()?));
            self.space();
            if self.takes("}") {
                return Some(Json::Object(members));
            }
            self.takes(",").then_some(())?;
        }
    }

    fn array(&mut self) -> Option<Json> {
        self.next();
        self.space();
        if self.takes("]") {
            return Some(Json::Other);
        }
        loop {
            self.value()?;
            self.space();
            if self.takes("]") {
                return Some(Json::Other);
            }
            self.takes(",").then_some(())?;
        }
    }

    fn string(&mut self) -> Option<Option<String>> {
        self.takes("\"").then_some(())?;
        let mut units: Vec<u16> = Vec::new();
        loop {
            match self.next()? {
                '"' => return Some(String::from_utf16(&units).ok()),
                '\\' => units.push(match self.next()? {
                    'b' => 8,
                    'f' => 12,
                    'n' => 10,
                    'r' => 13,
                    't' => 9,
                    'u' => {
                        let digits: String = (0..4).map_while(|_| self.next()).collect();
                        let plain = digits.chars().all(|c| c.is_ascii_hexdigit());
                        (plain && digits.len() == 4).then_some(())?;
                        u16::from_str_radix(&digits, 16).ok()?
                    }
                    '"' => 34,
                    '\\' => 92,
                    '/' => 47,
                    _ => return None,
                }),
                control if control < ' ' => return None,
                c => units.extend(c.encode_utf16(&mut [0; 2]).iter()),
            }
        }
    }

    fn number(&mut self) -> Option<Json> {
        self.takes("-");
        if !self.takes("0") {
            self.digits()?;
        }
        if self.takes(".") {
            self.digits()?;
        }
        if self.takes("e") || self.takes("E") {
            let _ = self.takes("+") || self.takes("-");
            self.digits()?;
        }
        Some(Json::Other)
    }

    fn digits(&mut self) -> Option<()> {
        let many = self.text.iter().take_while(|c| c.is_ascii_digit()).count();
        self.text = &self.text[many..];
        (many > 0).then_some(())
    }
}
