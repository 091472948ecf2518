//! What a GUID looks like in a text.
//!
//! Here because the declaration writes its ids as GUIDs and every floor that compares a text with such an id names this
//! crate. `odata`, which stands beside it and names nobody, reads GUIDs into values of its own.

/// Whether a text is a GUID in its usual form: hexadecimal digits of either case, with hyphens and without braces.
pub fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::is_guid;

    #[test]
    fn guids_are_told_from_other_texts() {
        assert!(is_guid("00000015-0000-0000-c000-000000000000"));
        assert!(is_guid("00000015-0000-0000-C000-00000000000F"));
        for text in [
            "",
            "00000015-0000-0000-c000-00000000000",
            "{0000015-0000-0000-c000-00000000000}",
            "00000015x0000-0000-c000-000000000000",
            &"\u{e9}".repeat(18),
        ] {
            assert!(!is_guid(text), "{text}");
        }
    }
}
