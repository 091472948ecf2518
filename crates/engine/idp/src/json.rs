//! JSON written piece by piece into one buffer.
//!
//! Decides only that a text is quoted and escaped as RFC 8259 section 7 asks, and what else a provider escapes where it
//! says so. The members of a product's documents and
//! tokens stand in an order of their own, and a token is written a thousand times a second, hence no tree in between.

/// Appends a JSON string.
pub fn push_string(out: &mut Vec<u8>, text: &str) {
    if is_plain(text.as_bytes()) {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        // Writing a string into memory cannot fail; if it did, the text would be missing and the document invalid.
        let _ = serde_json::to_writer(&mut *out, text);
    }
}

/// Whether a text is printable ASCII with nothing to escape, eight bytes at a time: a token's worth of text is looked at for
/// every token. Now and then it says no for nothing, which costs time and changes no byte.
fn is_plain(text: &[u8]) -> bool {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES << 7;
    let each = |byte: u8| ONES * u64::from(byte);
    // The high bit of a byte that is zero, or above one that is (Hacker's Delight 6-1).
    let zero = |word: u64| word.wrapping_sub(ONES) & !word;
    let special = |word: u64| {
        let below_blank = word.wrapping_sub(each(b' ')) & !word;
        let above_tilde = word | word.wrapping_add(ONES);
        (zero(word ^ each(b'"')) | zero(word ^ each(b'\\')) | below_blank | above_tilde) & HIGH
    };
    let (words, rest) = text.as_chunks::<8>();
    let mut last = [b'a'; 8];
    last[..rest.len()].copy_from_slice(rest);
    let found = words.iter().fold(0, |found, word| found | special(u64::from_le_bytes(*word)));
    found | special(u64::from_le_bytes(last)) == 0
}

/// Appends `,"name":"text"`, without the comma behind an opening brace.
pub fn push_member(out: &mut Vec<u8>, name: &str, text: &str) {
    push_name(out, name);
    push_string(out, text);
}

/// Appends `,"name":`, without the comma behind an opening brace.
pub fn push_name(out: &mut Vec<u8>, name: &str) {
    if out.last().is_some_and(|last| *last != b'{') {
        out.push(b',');
    }
    push_string(out, name);
    out.push(b':');
}

/// Appends a list of strings.
pub fn push_list<'t>(out: &mut Vec<u8>, items: impl IntoIterator<Item = &'t str>) {
    out.push(b'[');
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        push_string(out, item);
    }
    out.push(b']');
}

/// Appends a JSON string in which these characters (ASCII) are written as escapes too: `/` as `\/`, others as `\u0027`, as
/// writers of .NET's do.
pub fn push_string_escaping(out: &mut Vec<u8>, text: &str, also: &[u8]) {
    let from = out.len();
    push_string(out, text);
    if !text.bytes().any(|byte| also.contains(&byte)) {
        return;
    }
    let plain = out.split_off(from);
    for byte in plain {
        match byte {
            b'/' if also.contains(&byte) => out.extend_from_slice(b"\\/"),
            _ if also.contains(&byte) => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(byte),
        }
    }
}

/// Appends an integer.
pub fn push_integer(out: &mut Vec<u8>, number: i64) {
    out.extend_from_slice(number.to_string().as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_text_holds_it_is_written_as_serde_writes_it() {
        for special in 0..=0x100_u32 {
            let Some(special) = char::from_u32(special) else { continue };
            for before in [0, 1, 6, 7, 8, 15] {
                let text = format!("{}{special}{}", "a".repeat(before), "~ ".repeat(5));
                let mut out = Vec::new();
                push_string(&mut out, &text);
                assert_eq!(String::from_utf8(out).unwrap(), serde_json::to_string(&text).unwrap());
                let plain = matches!(special, ' '..='~') && !matches!(special, '"' | '\\');
                assert!(plain || !is_plain(text.as_bytes()), "{text:?}");
            }
        }
        assert!(is_plain(b"https://login.microsoftonline.com/a-b_c ~!#[]") && is_plain(b""));
    }

    #[test]
    fn what_a_provider_escapes_besides_reads_back_as_the_same_text() {
        let written = |text: &str, also: &[u8]| {
            let mut out = Vec::new();
            push_string_escaping(&mut out, text, also);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(written("https://a/b", b"/"), r#""https:\/\/a\/b""#);
        assert_eq!(written("the 'x' \"y\" <&>", b"'<>&"), r#""the \u0027x\u0027 \"y\" \u003c\u0026\u003e""#);
        assert_eq!(written("a'", b""), r#""a'""#);
        for text in ["\\'/", "\u{1}'\u{e4}", "'"] {
            assert_eq!(serde_json::from_str::<String>(&written(text, b"'/")).unwrap(), text);
        }
    }

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
