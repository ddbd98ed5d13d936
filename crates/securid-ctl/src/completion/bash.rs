//! A line of bash: its words, and how a word that is completed has to be written there.

/// A break that belongs to the word behind it, for bash would complete a host's name there.
const WITH_THE_WORD: char = '@';

/// A line up to the cursor.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Line {
    /// The words before the one at the cursor, without their quotes.
    pub(crate) words: Vec<String>,
    /// What there is of that one, likewise.
    pub(crate) current: String,
    /// The quote that is open in it.
    quote: Option<char>,
    /// What of it bash leaves as it is, without quotes: up to the last break, or to an open quote.
    kept: String,
}

impl Line {
    /// Takes a line apart. Nothing is evaluated: variables and commands in it are words like others. `breaks` is
    /// bash's `COMP_WORDBREAKS`.
    pub(crate) fn read(line: &str, breaks: &str) -> Self {
        let mut read = Self::default();
        let mut begun = false;
        let mut letters = line.chars();
        while let Some(letter) = letters.next() {
            match (read.quote, letter) {
                (Some(quote), _) if letter == quote => read.quote = None,
                (Some('\''), _) => read.current.push(letter),
                (None, '\'' | '"') => {
                    (read.quote, begun) = (Some(letter), true);
                    read.kept.clone_from(&read.current);
                }
                (_, '\\') => {
                    read.current.extend(letters.next());
                    begun = true;
                }
                (None, ' ' | '\t') => {
                    if begun {
                        read.words.push(std::mem::take(&mut read.current));
                    }
                    (begun, read.kept) = (false, String::new());
                }
                (quote, _) => {
                    let is_break = quote.is_none() && breaks.contains(letter);
                    if is_break && letter == WITH_THE_WORD {
                        read.kept.clone_from(&read.current);
                    }
                    read.current.push(letter);
                    begun = true;
                    if is_break && letter != WITH_THE_WORD {
                        read.kept.clone_from(&read.current);
                    }
                }
            }
        }
        read
    }

    /// What bash has to put in the place of what it replaces, for the word to become this one: none if the word
    /// does not go on from what is there, or cannot be written within its quotes.
    pub(crate) fn replacement(&self, word: &str) -> Option<String> {
        let rest = word.strip_prefix(&*self.kept).filter(|_| word.starts_with(&self.current))?;
        match self.quote {
            None => Some(escaped(rest)),
            Some('\'') => (!rest.contains('\'')).then(|| rest.to_owned()),
            Some(_) => (!rest.contains(['"', '$', '`', '\\', '!'])).then(|| rest.to_owned()),
        }
    }
}

/// A text with a backslash before each character that bash could take for more than itself.
fn escaped(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "_-./:=@%+,".contains(c);
    let mut escaped = String::new();
    for c in text.chars() {
        if !is_plain(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As an interactive bash has them.
    const BREAKS: &str = " \t\n\"'@><=;|&(:";

    fn line(text: &str) -> Line {
        Line::read(text, BREAKS)
    }

    #[test]
    fn words_lose_their_quotes_and_nothing_is_evaluated() {
        let read = line(r#"securid-ctl  logout 'a b'\ c "d\"e" $(id) pr"#);
        assert_eq!(read.words, ["securid-ctl", "logout", "a b c", "d\"e", "$(id)"]);
        assert_eq!(read.current, "pr");
        assert_eq!(line("securid-ctl logout ").current, "");
        assert_eq!(line("securid-ctl ''  x").words, ["securid-ctl", ""]);
    }

    #[test]
    fn a_word_is_written_so_that_bash_takes_it_as_it_is() {
        for (typed, word, expected) in [
            ("", "prod", Some("prod")),
            ("an", "ann smith@prod", Some(r"ann\ smith@prod")),
            ("", "$(id)`x`", Some(r"\$\(id\)\`x\`")),
            ("", "o'hara", Some(r"o\'hara")),
            ("x", "prod", None),
            // Readline replaces what stands behind the last break alone.
            ("ann@pr", "ann@prod", Some("@prod")),
            (r"ann\ smith@pr", "ann smith@prod", Some("@prod")),
            ("--instance=pr", "--instance=prod", Some("prod")),
            // Within quotes, what is behind the quote.
            ("'ann sm", "ann smith@prod", Some("ann smith@prod")),
            ("\"ann sm", "ann smith@prod", Some("ann smith@prod")),
            ("'o", "o'hara", None),
            ("\"", "$(id)", None),
            ("ann@'pr", "ann@prod", Some("prod")),
        ] {
            let read = line(&format!("securid-ctl logout {typed}"));
            assert_eq!(read.replacement(word).as_deref(), expected, "{typed} {word}");
        }
    }
}
