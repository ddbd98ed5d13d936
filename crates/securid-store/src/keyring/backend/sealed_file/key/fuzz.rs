//! What must hold for any bytes in a key's file.

#![allow(clippy::unwrap_used)]

use super::SealKey;

/// No key, or one that is read from its own line again; and a plain reading agrees.
pub fn key_file(text: &[u8]) {
    let key = SealKey::parse(text);
    let plain = std::str::from_utf8(text.trim_ascii_end())
        .ok()
        .and_then(|line| line.strip_prefix("securid-store-key-1 "))
        .filter(|digits| digits.len() == 64 && digits.chars().all(|c| c.is_ascii_hexdigit()));
    assert_eq!(key.is_ok(), plain.is_some());
    let (Ok(key), Some(digits)) = (key, plain) else { return };
    let line = format!("securid-store-key-1 {}\n", digits.to_ascii_lowercase());
    assert_eq!(key.to_line().expose(), line);
    assert_eq!(SealKey::parse(line.as_bytes()).unwrap().id(), key.id());
}
