//! How a word has to be written in PowerShell.

/// The word as PowerShell takes it for itself: within single quotes, those in it doubled, unless it is plain.
/// PowerShell takes typographic quotes for quotes too.
pub(crate) fn quoted(word: &str) -> String {
    if word.chars().all(|c| c.is_ascii_alphanumeric() || "_-./:=".contains(c)) {
        return word.to_owned();
    }
    let mut quoted = String::from("'");
    for c in word.chars() {
        if matches!(c, '\'' | '\u{2018}'..='\u{201b}') {
            quoted.push(c);
        }
        quoted.push(c);
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_plain_stands_in_quotes() {
        assert_eq!(quoted("3f9a"), "3f9a");
        assert_eq!(quoted("ann@prod"), "'ann@prod'");
        assert_eq!(quoted("o'hara $(id)"), "'o''hara $(id)'");
        assert_eq!(quoted("o\u{2019}hara"), "'o\u{2019}\u{2019}hara'");
    }
}
