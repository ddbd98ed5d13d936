//! A server that repeats what it was sent: the forms in which a secret comes back in an error page.

use std::fmt;
use std::str::FromStr;

/// How it is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Echo {
    /// As it is.
    Plain,
    /// In capitals.
    Upper,
    /// As HTML has any character: `&#x41;`.
    Entities,
    /// As JSON has any character: `\u0041`.
    Json,
    /// As URLs have any byte: `%41`.
    Percent,
    /// In base64.
    Base64,
    /// In base64 behind a user's name, as `Basic` credentials are.
    Basic,
    /// With a blank after every third character.
    Spaced,
    /// With a tag after every third character.
    Tagged,
    /// With a zero-width space after every third character.
    ZeroWidth,
    /// With a control character after every third.
    Control,
    /// As it is, so far down the page that whoever quotes some 120 characters cuts it in two.
    Late,
    /// In the address of a redirection.
    Location,
}

impl Echo {
    /// All of them, with their names.
    pub const ALL: [(&'static str, Self); 13] = [
        ("plain", Self::Plain),
        ("upper", Self::Upper),
        ("entities", Self::Entities),
        ("json", Self::Json),
        ("percent", Self::Percent),
        ("base64", Self::Base64),
        ("basic", Self::Basic),
        ("spaced", Self::Spaced),
        ("tagged", Self::Tagged),
        ("zero-width", Self::ZeroWidth),
        ("control", Self::Control),
        ("late", Self::Late),
        ("location", Self::Location),
    ];

    /// The secret in this form.
    pub(crate) fn of(self, secret: &str) -> String {
        let each = |write: &dyn Fn(char) -> String| secret.chars().map(write).collect::<String>();
        let apart = |between: &str| {
            let letters: Vec<char> = secret.chars().collect();
            let parts: Vec<String> = letters.chunks(3).map(|part| part.iter().collect()).collect();
            parts.join(between)
        };
        match self {
            Self::Plain | Self::Location => secret.to_owned(),
            Self::Upper => secret.to_uppercase(),
            Self::Entities => each(&|c| format!("&#x{:x};", u32::from(c))),
            Self::Json => each(&|c| format!("\\u{:04x}", u32::from(c))),
            Self::Percent => secret.bytes().map(|byte| format!("%{byte:02X}")).collect(),
            Self::Base64 => base64(secret.as_bytes()),
            Self::Basic => base64(format!("alice:{secret}").as_bytes()),
            Self::Spaced => apart(" "),
            Self::Tagged => apart("<i></i>"),
            Self::ZeroWidth => apart("\u{200b}"),
            Self::Control => apart("\u{1}"),
            Self::Late => format!("{}{secret}", "so it is ".repeat(12)),
        }
    }
}

fn base64(bytes: &[u8]) -> String {
    use ::base64::Engine as _;
    ::base64::engine::general_purpose::STANDARD.encode(bytes)
}

impl fmt::Display for Echo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::ALL.iter().find(|(_, echo)| echo == self).map(|(name, _)| *name);
        f.write_str(name.unwrap_or_default())
    }
}

impl FromStr for Echo {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, echo)| *echo).ok_or(())
    }
}
