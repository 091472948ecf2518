//! JSON written piece by piece into one buffer.
//!
//! Decides only that a text is quoted and escaped as RFC 8259 section 7 asks. The members of Entra's documents and tokens
//! stand in an order of their own, and a token is written a thousand times a second, hence no tree in between.

/// Appends a JSON string.
pub(crate) fn push_string(out: &mut Vec<u8>, text: &str) {
    // Every byte is looked at, whatever was found before: so the compiler looks at many at once.
    let special = |byte: u8| !(0x20..0x7f).contains(&byte) || matches!(byte, b'"' | b'\\');
    if text.bytes().fold(false, |found, byte| found | special(byte)) {
        // Writing a string into memory cannot fail; if it did, the text would be missing and the document invalid.
        let _ = serde_json::to_writer(&mut *out, text);
    } else {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    }
}

/// Appends `,"name":"text"`, without the comma behind an opening brace.
pub(crate) fn push_member(out: &mut Vec<u8>, name: &str, text: &str) {
    push_name(out, name);
    push_string(out, text);
}

/// Appends `,"name":`, without the comma behind an opening brace.
pub(crate) fn push_name(out: &mut Vec<u8>, name: &str) {
    if out.last().is_some_and(|last| *last != b'{') {
        out.push(b',');
    }
    push_string(out, name);
    out.push(b':');
}

/// Appends a list of strings.
pub(crate) fn push_list<'t>(out: &mut Vec<u8>, items: impl IntoIterator<Item = &'t str>) {
    out.push(b'[');
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        push_string(out, item);
    }
    out.push(b']');
}

/// Appends an integer.
pub(crate) fn push_integer(out: &mut Vec<u8>, number: i64) {
    out.extend_from_slice(number.to_string().as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_separated_and_texts_escaped() {
        let mut out = b"{".to_vec();
        push_member(&mut out, "a", "x\"\\\n\u{1f600}");
        push_name(&mut out, "b");
        push_list(&mut out, ["1", "2"]);
        push_name(&mut out, "c");
        push_integer(&mut out, -7);
        out.push(b'}');
        let read: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(read, serde_json::json!({ "a": "x\"\\\n\u{1f600}", "b": ["1", "2"], "c": -7 }));
    }
}
