//! What must hold for any bytes in a record's file.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use serde_json::Value;

use super::*;

/// In the last second that a time may have, one becomes its end.
const YEARS_END: &[u8] = b"\"9999-12-30T22:00:00.999999999Z\"";

/// Damaged, or the same record when it is written and read again, with every field that it had. Cut
/// off anywhere, it is damaged.
pub fn record(bytes: &[u8]) {
    // Looked at before the rest, for another version may have other fields.
    let Ok(Head { version: PLAIN | VERSION, .. }) = serde_json::from_slice(bytes) else { return };
    let Ok(found) = from_bytes(bytes) else { return };
    let identity = Identity { machine: found.machine.clone(), boot: found.boot.clone() };
    let written = to_bytes(&found.record, &identity).unwrap();
    let again = from_bytes(&written).unwrap();
    assert_eq!(to_bytes(&again.record, &identity).unwrap(), written);
    if !written.windows(YEARS_END.len()).any(|text| text == YEARS_END) {
        assert_eq!(again, found);
    }

    let read = |bytes| serde_json::from_slice::<Value>(bytes).expect("what was read is JSON");
    let (before, after) = (read(bytes), read(&written));
    assert_same(&before, &after);
    // Where depends on the input alone, so that a finding can be repeated.
    let cut = bytes.iter().fold(0, |sum: usize, &byte| sum.wrapping_mul(31) ^ usize::from(byte));
    let cut = cut % written.len();
    assert!(from_bytes(&written[..cut]).is_err(), "cut at {cut}");
}

/// Field by field the same, but for a time's spelling and numbers' spelling. Serde also
/// takes the list of a struct's values for the struct.
fn assert_same(before: &Value, after: &Value) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            let names = |map: &serde_json::Map<_, _>| map.keys().cloned().collect::<Vec<String>>();
            assert_eq!(names(before), names(after), "a field was overlooked");
            for (name, value) in before.iter().filter(|(name, _)| *name != "at") {
                assert_same(value, &after[name]);
            }
        }
        (Value::Array(_), _) => {}
        _ => assert_eq!(before, after),
    }
}
