//! Percent-encoding (RFC 3986 section 2.1), decoded exactly once.
//!
//! Decides nothing about meaning; keeps the way back from a decoded offset to the raw one, so that an error points into
//! what the client sent.

use std::borrow::Cow;

use percent_encoding::{percent_decode_str, percent_encode_byte};

use crate::error::{SyntaxError, SyntaxErrorKind};

/// Decodes `raw` once.
pub(crate) fn decode(raw: &str) -> Result<Cow<'_, str>, SyntaxError> {
    // The crate lets a `%` without two hexadecimal digits stand for itself; in a path the products refuse it.
    let whole = |at: usize| {
        raw.as_bytes().get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if let Some((at, _)) = raw.match_indices('%').find(|(at, _)| !whole(*at)) {
        return Err(SyntaxError::new(at, SyntaxErrorKind::InvalidEscape));
    }
    percent_decode_str(raw)
        .decode_utf8()
        .map_err(|error| SyntaxError::new(raw_offset(raw, error.valid_up_to()), SyntaxErrorKind::InvalidUtf8))
}

/// Decodes a name or a value of a query as .NET's reader of forms does: what is no escape stands for itself, what is no UTF-8 becomes
/// the replacement character, and `+` is a space where `plus_is_space` says so.
pub(crate) fn decode_form(raw: &str, plus_is_space: bool) -> String {
    let spaced = if plus_is_space { Cow::Owned(raw.replace('+', " ")) } else { Cow::Borrowed(raw) };
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

/// The offset in `raw` of the byte that decoded to `decoded_offset`.
pub(crate) fn raw_offset(raw: &str, decoded_offset: usize) -> usize {
    let bytes = raw.as_bytes();
    let mut position = 0;
    for _ in 0..decoded_offset {
        match bytes.get(position) {
            Some(b'%') => position += 3,
            Some(_) => position += 1,
            None => break,
        }
    }
    position.min(raw.len())
}

/// Percent-encodes everything outside RFC 3986 `unreserved` and the characters of `keep`, which are ASCII.
pub fn encode(text: &str, keep: &str) -> String {
    let plain = |byte: u8| {
        byte.is_ascii_alphanumeric()
            || b"-._~".contains(&byte)
            || (byte.is_ascii() && keep.as_bytes().contains(&byte))
    };
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if plain(byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(percent_encode_byte(byte));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding_happens_once_and_a_plus_is_a_space_only_where_asked_for() {
        assert_eq!(decode("a%2527+b").unwrap(), "a%27+b");
        assert_eq!(decode_form("a%2527+b", false), "a%27+b");
        assert_eq!(decode_form("a%2527+b", true), "a%27 b");
    }

    #[test]
    fn a_broken_escape_and_broken_utf8_are_named_with_their_raw_offset() {
        assert_eq!(decode("ab%2").unwrap_err().offset, 2);
        assert_eq!(decode("a%zz").unwrap_err().kind, SyntaxErrorKind::InvalidEscape);
        let error = decode("%41%ff").unwrap_err();
        assert_eq!((error.offset, error.kind), (3, SyntaxErrorKind::InvalidUtf8));
    }

    #[test]
    fn in_a_query_they_stand_for_themselves_or_for_nothing() {
        assert_eq!(decode_form("ab%2", true), "ab%2");
        assert_eq!(decode_form("a%zz%41", true), "a%zzA");
        assert_eq!(decode_form("%41%ff", true), "A\u{fffd}");
    }
}
